-- The tools' rights in the warehouse: the three schemas, as on any server.

\set writer kalends
\ir grants.sql
