-- Creates the views that set each period's sums beside those of others: the period before, the same period of the year
-- before, the year so far, and for days the last seven. A period is found by its place in the calendar and not by the
-- row before it, so one without rows is NULL where it is compared with. A percentage of nothing is NULL.
--
-- Reads:   nothing
-- Writes:  schema kalends_stats
-- Params:  none
-- Repeat:  safe; together with sql/warehouse/entity_views.sql

{% from 'closed.jinja' import closed %}
{%- macro year(column) -%}
(extract(year FROM {{ column }})::bigint + CASE WHEN extract(year FROM {{ column }}) < 0 THEN 1 ELSE 0 END)
{%- endmacro -%}
{#- The place of a period among those of its level: the one before is at the place before. -#}
{%- macro place(word) -%}
{%- if word == 'hour' -%} (hour::date - DATE '2000-01-01') * 24::bigint + extract(hour FROM hour)::bigint
{%- elif word == 'day' -%} (day - DATE '2000-01-01')::bigint
{%- elif word == 'week' -%} (week - DATE '2000-01-03')::bigint / 7
{%- elif word == 'month' -%} {{ year('month') }} * 12 + extract(month FROM month)::bigint
{%- elif word == 'quarter' -%} {{ year('quarter') }} * 4 + extract(quarter FROM quarter)::bigint
{%- else -%} {{ year('year') }}
{%- endif -%}
{%- endmacro -%}
{#- Its place in a calendar in which all months are as long, and how long its years are. -#}
{%- macro day_of_years(column) -%}
({{ year(column) }} * 12 + extract(month FROM {{ column }})::bigint) * 31 + extract(day FROM {{ column }})::bigint
{%- endmacro -%}
{%- macro place_in_years(word) -%}
{%- if word == 'hour' -%} ({{ day_of_years('hour') }}) * 24 + extract(hour FROM hour)::bigint
{%- elif word == 'day' -%} {{ day_of_years('day') }}
{%- else -%} {{ place(word) }}
{%- endif -%}
{%- endmacro -%}
{% set years = {'hour': 12 * 31 * 24, 'day': 12 * 31, 'week': 52, 'month': 12, 'quarter': 4} %}
{% for level in levels if level.published %}
CREATE OR REPLACE VIEW kalends_stats.{{ level.trend_view }} AS
SELECT
    {% for c in level.columns if c.what == 'period' or c.what == 'dimension' %}
    {% if c.what == 'period' %}
    extract({{ c.unit }} FROM {{ level.word }})::integer AS {{ c.name }},
    {% else %}
    {{ dimensions[c.at].stored }}::pg_catalog.{{ dimensions[c.at].kind }} AS {{ c.name }},
    {% endif %}
    {% endfor %}
    {{ level.word }} AS {{ level.start }},
    {{ closed(level.word, name, zone) }} AS {{ level.closed }}
    {% for trend in level.trends %}
    {% set total = measures[trend.at].sum %}
    {% set before = 'first_value(' ~ total ~ ') OVER before' %}
    , {{ total }} AS {{ trend.sum }}
    , {{ before }} AS {{ trend.before }}
    , {{ total }} - {{ before }} AS {{ trend.change }}
    , round(100 * ({{ total }} - {{ before }}) / nullif(abs({{ before }}), 0), 2) AS {{ trend.change_percent }}
    {% if level.word != 'year' %}
    {% set before = 'first_value(' ~ total ~ ') OVER year_before' %}
    , {{ before }} AS {{ trend.year_before }}
    , {{ total }} - {{ before }} AS {{ trend.year_change }}
    , round(100 * ({{ total }} - {{ before }}) / nullif(abs({{ before }}), 0), 2) AS {{ trend.year_change_percent }}
    , sum({{ total }}) OVER year_so_far AS {{ trend.running }}
    {% endif %}
    {% if level.word == 'day' %}
    , sum({{ total }}) OVER seven_days AS {{ trend.seven_days }}
    , kalends.mean(
        sum({{ total }}) OVER seven_days, (sum({{ measures[trend.at].count }}) OVER seven_days)::bigint
    ) AS {{ trend.mean_of_seven_days }}
    {% endif %}
    {% endfor %}
FROM kalends_stats.{% if dimensions %}{{ level.by_table }}{% else %}{{ level.table }}{% endif %}

{% set parts = 'PARTITION BY combination' if dimensions else '' %}
WINDOW
    {% if level.word != 'year' %}
    year_before AS (
        {{ parts }}
        ORDER BY {{ place_in_years(level.word) }}
        RANGE BETWEEN {{ years[level.word] }} PRECEDING AND {{ years[level.word] }} PRECEDING
    ),
    year_so_far AS (
        PARTITION BY
            {% if dimensions %}combination, {% endif %}
            extract({% if level.word == 'week' %}isoyear{% else %}year{% endif %} FROM {{ level.word }})
        ORDER BY {{ level.word }}
    ),
    {% endif %}
    {% if level.word == 'day' %}
    seven_days AS ({{ parts }} ORDER BY {{ place(level.word) }} RANGE BETWEEN 6 PRECEDING AND CURRENT ROW),
    {% endif %}
    before AS ({{ parts }} ORDER BY {{ place(level.word) }} RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING);
{% endfor %}
