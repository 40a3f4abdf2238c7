-- The accounts of days as they were settled, in the form of accounts/days.sql.
--
-- Reads:   the entity's table of days
-- Writes:  nothing
-- Params:  $1 date first day, $2 date day after the last one; NULL for an open end
-- Repeat:  safe

SELECT
    day,
    rows,
    ARRAY[
        {% for c in stored_columns %}
        {{ c.name }}::text{% if not loop.last %},{% endif %}

        {% endfor %}
    ] AS statistics,
    hash_a::text AS hash_a,
    hash_b::text AS hash_b
FROM kalends_stats.{{ days }}
WHERE ($1::date IS NULL OR day >= $1::date) AND ($2::date IS NULL OR day < $2::date)
