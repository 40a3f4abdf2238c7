-- Writes the proven accounts of days into the ledger.
--
-- Reads:   its parameters: what accounts/days.sql returned for the warehouse's rows, equal to the survey of production
-- Writes:  the entity's table of days
-- Params:  $1 date[] days, $2 bigint[] rows, $3 text[] hash_a, $4 text[] hash_b, then for each measure four or five
--          text[]: values, sums, smallest, largest, and sums of squares if they are stored
-- Repeat:  safe

INSERT INTO kalends_stats.{{ days }} AS stored (
    day, rows, hash_a, hash_b
    {% for c in stored_columns %}
    , {{ c.name }}
    {% endfor %}
)
SELECT
    day, rows, hash_a::numeric, hash_b::numeric
    {% for c in stored_columns %}
    , statistic_{{ loop.index0 }}::{{ c.kind }}
    {% endfor %}
FROM unnest(
    $1::date[], $2::bigint[], $3::text[], $4::text[]
    {% for c in stored_columns %}
    , ${{ 5 + loop.index0 }}::text[]
    {% endfor %}
) AS proven (
    day, rows, hash_a, hash_b
    {% for c in stored_columns %}
    , statistic_{{ loop.index0 }}
    {% endfor %}
)
ON CONFLICT (day) DO UPDATE SET
    rows = excluded.rows,
    hash_a = excluded.hash_a,
    hash_b = excluded.hash_b
    {% for c in stored_columns %}
    , {{ c.name }} = excluded.{{ c.name }}
    {% endfor %}
