-- The future accounts of a level, and the fields of its files, summed from accounts of days or hours that are given as
-- parameters: nothing has to be in the warehouse.
--
-- Reads:   its parameters: what accounts/days.sql or plan/hours.sql returned for production
-- Writes:  nothing
-- Params:  $1 date[] days, or text[] hours, $2 bigint[] rows, then as text[] what is stored of the measures
-- Repeat:  safe

{% from 'period.jinja' import first_day %}
{% from 'statistics.jinja' import of_parts %}
{% from 'means.jinja' import account_of, mean, stddev, said %}
WITH given AS (
    SELECT
        part,
        rows
        {% for c in stored_columns %}
        , statistic_{{ loop.index0 }}::{{ c.kind }} AS {{ c.name }}
        {% endfor %}
    FROM unnest(
        {% if level == 'hour' %}$1::text[]::timestamp[]{% else %}$1::date[]{% endif %}, $2::bigint[]
        {% for c in stored_columns %}
        , ${{ 3 + loop.index0 }}::text[]
        {% endfor %}
    ) AS given (
        part, rows
        {% for c in stored_columns %}
        , statistic_{{ loop.index0 }}
        {% endfor %}
    )
),

fresh AS (
    SELECT
        {{ first_day(level, 'part') }} AS period,
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM given
    GROUP BY {{ first_day(level, 'part') }}
),

told AS (
    SELECT *, {{ account_of('fresh', stored_columns) }} AS account FROM fresh
)

SELECT
    period,
    rows,
    {{ said('told.account') }} AS said,
    -- NULL if a file has lines by dimension, because these follow from rows.
    {% if dimensions %}
    NULL::text[]
    {% else %}
    ARRAY[
        {% for l in levels if l.word == level %}
        {% for c in l.columns %}
        {% if not loop.first %}, {% endif %}
        {% if c.what == 'period' %}
        extract({{ c.unit }} FROM period)::integer::text
        {% elif c.what == 'mean' %}
        ({{ mean(measures[c.at].sum, measures[c.at].count) }})::text
        {% elif c.what == 'stddev' %}
        ({{ stddev(measures[c.at].sum, measures[c.at].squares, measures[c.at].count) }})::text
        {% else %}
        {{ measures[c.at][c.what] }}::text
        {% endif %}
        {% endfor %}
        {% endfor %}
    ]
    {% endif %} AS fields
FROM told
ORDER BY period
