-- The days of those combinations of dimensions that have the most rows: a line for each day, with the days since the
-- day before (of the first day since 2000-01-01), its rows, and the sum and the count of each measure: `-` for no sum,
-- `=` for as many values as rows.
--
-- Reads:   kalends_stats.<source>, the entity's table of days' combinations
-- Writes:  nothing
-- Params:  $1 integer how many combinations
-- Repeat:  safe

WITH ranked AS (
    SELECT
        combination,
        row_number() OVER (ORDER BY sum(rows) DESC, combination ASC) AS place,
        count(*) OVER () AS of_all
    FROM kalends_stats.{{ source }}
    GROUP BY combination
),

told AS (
    SELECT
        ranked.place,
        ranked.of_all,
        source.day,
        to_jsonb(ARRAY[
            {% for d in dimensions %}
            {% if not loop.first %}, {% endif %}source.{{ d.stored }}::text
            {% endfor %}
        ])::text AS names,
        concat_ws(
            ' ',
            source.day - lag(source.day, 1, DATE '2000-01-01') OVER (PARTITION BY ranked.place ORDER BY source.day),
            source.rows
            {% for m in measures %}
            , coalesce(source.{{ m.sum }}::text, '-')
            , CASE WHEN source.{{ m.count }} = source.rows THEN '=' ELSE source.{{ m.count }}::text END
            {% endfor %}
        ) AS line
    FROM ranked
    INNER JOIN kalends_stats.{{ source }} AS source USING (combination)
    WHERE ranked.place <= $1::integer
)

SELECT
    of_all,
    -- They are the same on all days.
    min(names) AS names,
    string_agg(line, E'\n' ORDER BY day) AS days
FROM told
GROUP BY place, of_all
ORDER BY place
