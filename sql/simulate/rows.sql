-- Writes a month's simulated rows, in binary.
--
-- Reads:   nothing
-- Writes:  <schema>.<table>
-- Params:  none
-- Repeat:  no; after simulate/delete.sql, in the same transaction

COPY {{ schema }}.{{ table }} ({{ time }}, {{ measure }}) FROM STDIN (FORMAT binary)
