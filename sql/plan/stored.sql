-- The present accounts of a level, in the form of plan/accounts.sql.
--
-- Reads:   kalends_stats.<source>, the entity's table of the level
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'means.jinja' import said %}
WITH told AS (
    SELECT {{ level }} AS period, to_jsonb(stored) - '{hash_a,hash_b,{{ level }}}'::text[] AS account
    FROM kalends_stats.{{ source }} AS stored
)

SELECT period, {{ said('told.account') }} AS said
FROM told
ORDER BY period
