-- What the warehouse has of an entity, and would lose by forgetting it.
--
-- Reads:   the entity's accounts, kalends.restatement, kalends.file
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    (SELECT coalesce(sum(rows), 0)::bigint FROM kalends_stats.{{ days }}) AS rows,
    (SELECT count(*) FROM kalends_stats.{{ days }}) AS days,
    0
    {% for level in levels if level.made %}
    + (SELECT count(*) FROM kalends_stats.{{ level.table }})
    {% if dimensions %}
    + (SELECT count(*) FROM kalends_stats.{{ level.by_table }})
    {% endif %}
    {% endfor %}
    AS accounts,
    (SELECT count(*) FROM kalends.restatement WHERE entity = {{ name }}) AS restatements,
    (SELECT count(*) FROM kalends.file WHERE entity = {{ name }}) AS files
