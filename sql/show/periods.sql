-- The accounts of a level between two days, with all their figures by name.
--
-- Reads:   kalends_stats.<source>, the entity's table of the level
-- Writes:  nothing
-- Params:  $1 date first day of the periods, $2 date day after the last one; NULL for an open end
-- Repeat:  safe

{% from 'means.jinja' import account_of, said %}
WITH told AS (
    SELECT {{ level }} AS period, {{ account_of('stored', stored_columns) }} AS account
    FROM kalends_stats.{{ source }} AS stored
    WHERE ($1::date IS NULL OR {{ level }} >= $1::date) AND ($2::date IS NULL OR {{ level }} < $2::date)
)

SELECT period, {{ said('told.account') }} AS said
FROM told
ORDER BY period
