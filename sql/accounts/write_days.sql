-- The proven accounts of days, into the ledger.
--
-- Reads:   its parameters: what accounts/days.sql said of the warehouse's rows, and the survey of production as well
-- Writes:  the entity's table of days
-- Params:  $1 date[] days, $2 bigint[] rows, $3 text[] hash_a, $4 text[] hash_b, then for each measure four of text[]:
--          values, sums, smallest, largest
-- Repeat:  safe

INSERT INTO kalends_stats.{{ levels[0].table }} AS kept (
    day, rows, hash_a, hash_b
    {% for m in measures %}
    , {{ m.count }}, {{ m.sum }}, {{ m.min }}, {{ m.max }}
    {% endfor %}
)
SELECT
    day, rows, hash_a::numeric, hash_b::numeric
    {% for m in measures %}
    , count_{{ loop.index0 }}::bigint, sum_{{ loop.index0 }}::numeric
    , min_{{ loop.index0 }}::{{ m.kind }}, max_{{ loop.index0 }}::{{ m.kind }}
    {% endfor %}
FROM unnest(
    $1::date[], $2::bigint[], $3::text[], $4::text[]
    {% for m in measures %}
    , ${{ 5 + 4 * loop.index0 }}::text[], ${{ 6 + 4 * loop.index0 }}::text[]
    , ${{ 7 + 4 * loop.index0 }}::text[], ${{ 8 + 4 * loop.index0 }}::text[]
    {% endfor %}
) AS proven (
    day, rows, hash_a, hash_b
    {% for m in measures %}
    , count_{{ loop.index0 }}, sum_{{ loop.index0 }}, min_{{ loop.index0 }}, max_{{ loop.index0 }}
    {% endfor %}
)
ON CONFLICT (day) DO UPDATE SET
    rows = excluded.rows,
    hash_a = excluded.hash_a,
    hash_b = excluded.hash_b
    {% for m in measures %}
    , {{ m.count }} = excluded.{{ m.count }}, {{ m.sum }} = excluded.{{ m.sum }}
    , {{ m.min }} = excluded.{{ m.min }}, {{ m.max }} = excluded.{{ m.max }}
    {% endfor %}
