-- The accounts of days as they were settled, in the shape of accounts/days.sql.
--
-- Reads:   the entity's table of days
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    day,
    rows,
    ARRAY[
        {% for c in kept %}
        {{ c.name }}::text{% if not loop.last %},{% endif %}

        {% endfor %}
    ] AS statistics,
    hash_a::text AS hash_a,
    hash_b::text AS hash_b
FROM kalends_stats.{{ days }}
