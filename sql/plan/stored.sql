-- The present accounts of a level, in the form of plan/accounts.sql.
--
-- Reads:   kalends_stats.<source>, the entity's table of the level
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'means.jinja' import account_of, said %}
WITH told AS (
    SELECT {{ level }} AS period, {{ account_of('stored', stored_columns) }} AS account
    FROM kalends_stats.{{ source }} AS stored
)

SELECT period, {{ said('told.account') }} AS said
FROM told
ORDER BY period
