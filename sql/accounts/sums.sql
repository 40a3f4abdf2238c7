-- The account of a month from its days, or of a year from its months.
--
-- Reads:   kalends_stats.:"source", the entity's table of days or months
-- Writes:  kalends_stats.:"target", its table of months or years
-- Params:  $1 date first day of the period, $2 date first day of the next
-- Repeat:  safe; a period is always summed from its parts, never added to.

WITH fresh AS (
    SELECT
        $1::date AS :"period",
        sum(rows)::bigint AS rows
        {% for m in measures %}
        , sum({{ m.count }})::bigint AS {{ m.count }}, trim_scale(sum({{ m.sum }})) AS {{ m.sum }}
        , min({{ m.min }}) AS {{ m.min }}, max({{ m.max }}) AS {{ m.max }}
        {% endfor %}
    FROM kalends_stats.:"source"
    WHERE :"part" >= $1 AND :"part" < $2
    HAVING count(*) > 0
),

gone AS (
    -- The period may have lost its last part.
    DELETE FROM kalends_stats.:"target" AS kept
    WHERE kept.:"period" = $1 AND NOT EXISTS (SELECT FROM fresh)
)

INSERT INTO kalends_stats.:"target" AS kept (
    :"period", rows
    {% for m in measures %}
    , {{ m.count }}, {{ m.sum }}, {{ m.min }}, {{ m.max }}
    {% endfor %}
)
SELECT
    :"period", rows
    {% for m in measures %}
    , {{ m.count }}, {{ m.sum }}, {{ m.min }}, {{ m.max }}
    {% endfor %}
FROM fresh
ON CONFLICT (:"period") DO UPDATE SET
    rows = excluded.rows
    {% for m in measures %}
    , {{ m.count }} = excluded.{{ m.count }}, {{ m.sum }} = excluded.{{ m.sum }}
    , {{ m.min }} = excluded.{{ m.min }}, {{ m.max }} = excluded.{{ m.max }}
    {% endfor %}
-- An equal row is left alone, so an unchanged period is not written.
WHERE (kept.*) IS DISTINCT FROM (excluded.*)
