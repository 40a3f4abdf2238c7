-- The account of each day as Kalends 0.1.0 made it, for warehouses that it left behind and for the tests that it does not
-- pass. Its hashes have blind spots.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'statistics.jinja' import of_rows %}
{# The hash of columns, each with the hash of those before it as its seed. The functions are strict: NULL is hashed as
   zero, with another seed to begin with. -#}
{% macro chain_a(measures, seed) %}
{% if measures %}{{ measures[-1].hash }}(coalesce({{ measures[-1].column }}, 0::{{ measures[-1].kind }}), {{ chain_a(measures[:-1], seed) }}){% else %}{{ seed }}{% endif %}
{% endmacro %}
{% macro chain_b(measures, seed) %}
{% if measures %}{% if measures[-1].kind == 'bigint' %}hashfloat8extended{% else %}{{ measures[-1].hash }}{% endif %}(coalesce({{ measures[-1].column }}, 0){% if measures[-1].kind in ['bigint', 'double precision'] %}::double precision{% else %}::{{ measures[-1].kind }}{% endif %}, {{ chain_b(measures[:-1], seed) }}){% else %}{{ seed }}{% endif %}
{% endmacro %}
{# Dimensions behind them. A text is hashed byte by byte, whatever its collation takes for equal; so is what PostgreSQL
   prints for a type whose own hash takes for one what is printed differently, such as 1 day and 24 hours. #}
{% macro chain_texts(dimensions, inner) %}
{% if dimensions %}{% set d = dimensions[-1] %}
{%- if d.hashed_as == 'number' -%}
{{ d.hash }}(coalesce({{ d.column }}, 0::{{ d.kind }}), {{ chain_texts(dimensions[:-1], inner) }})
{%- elif d.hashed_as == 'text' -%}
hashtextextended(coalesce({{ d.column }}::text, '') COLLATE "C", {{ chain_texts(dimensions[:-1], inner) }})
{%- else -%}
hashtextextended(concat({{ d.column }}) COLLATE "C", {{ chain_texts(dimensions[:-1], inner) }})
{%- endif -%}
{% else %}{{ inner }}{% endif %}
{% endmacro %}
{# Says which measures and dimensions are NULL. A composite of NULLs is not. #}
{% macro nulls(first) %}{{ first }}::bigint{% for m in measures %} + CASE WHEN {{ m.column }} IS NULL THEN {{ 2 * (2 ** loop.index0) }} ELSE 0 END{% endfor %}{% for d in dimensions %} + CASE WHEN {{ d.column }} IS NOT DISTINCT FROM NULL THEN {{ 2 ** (1 + measures | length + loop.index0) }} ELSE 0 END{% endfor %}{% endmacro %}
{# The time as a timestamp without zone, of which each moment has one. #}
{% set moment = time ~ " AT TIME ZONE 'UTC'" if kind == 'timestamptz' else time %}
{% set first = "hashint4extended(CASE WHEN isfinite(" ~ time ~ ") THEN " ~ time ~ " - DATE '2000-01-01' END, " if kind == 'date' else "timestamp_hash_extended(" ~ moment ~ ", " %}
{# What a row is chosen by for a sample. #}
{% if kind == 'date' %}{% set lot = chain_texts(dimensions, chain_a(measures, first ~ nulls(3) ~ ")")) %}{% else %}{% set lot = first ~ "3)" %}{% endif %}
WITH hashed AS (
    SELECT
        -- Rows without a time come as day NULL, rows at an infinite time as day infinity or -infinity.
        {% include 'day.jinja' %} AS day,
        {% for m in measures %}
        {{ m.column }} AS {{ m.alias }},
        {% endfor %}
        -- Two 64-bit hashes of each row.
        {{ chain_texts(dimensions, chain_a(measures, first ~ nulls(1) ~ ")")) }} AS hash_a,
        -- timestamp_hash_extended() first folds the 64 bits of a time into 32, so times that fold alike are alike to it
        -- under every seed. The second hash takes the time as a double, which keeps these apart: they lie over an hour
        -- from each other. What a double of a distant year cannot tell, some microseconds, does not fold alike.
        -- tsrange_subdiff() is the cheapest way found from a timestamp to a double.
        hashfloat8extended(
            {% if kind == 'date' %}
            (CASE WHEN isfinite({{ time }}) THEN {{ time }} - DATE '2000-01-01' END)::double precision,
            {% else %}
            tsrange_subdiff({{ moment }}, TIMESTAMP '2000-01-01'),
            {% endif %}
            {% if measures | length == 1 and measures[0].small and not dimensions %}
            -- A seed that no such number is stands for NULL.
            coalesce({{ measures[0].column }}, 1::bigint << 40)
            {% else %}
            {{ chain_texts(dimensions, chain_b(measures, nulls(7))) }}
            {% endif %}
        ) AS hash_b,
        ctid AS row_ctid
    FROM {% include 'source.jinja' %}

    {% if sample %}
    -- A share of the rows, the same on both servers: by their time, and where a day is all the time there is, by the whole
    -- row. Rows of equal times are looked at together.
    WHERE ({{ lot }} & 9223372036854775807) % 1000000 < {{ sample }}
    {% endif %}
    -- This arm gives no rows. It hides from the planner that a day is made from a time, of which it would expect as many
    -- days as rows and therefore never add up in parallel; so it expects 200, and does. Nearly twice as fast.
    UNION ALL
    SELECT
        {% include 'day.jinja' %},
        {% for m in measures %}
        {{ m.column }},
        {% endfor %}
        0::bigint, 0::bigint, ctid
    FROM {% include 'source.jinja' %} WHERE false
)

SELECT
    day,
    count(*) AS rows,
    -- Of each measure: values, sum, smallest, largest, and the sum of squares where a deviation is asked for. Binary
    -- numbers are added up as the decimals that are printed for them: exact, and the same in any order. Printed without
    -- zeros behind the last digit, so that equal is alike.
    ARRAY[
        {% for c in stored_columns %}
        {{ of_rows(c) }}::text{% if not loop.last %},{% endif %}

        {% endfor %}
    ] AS statistics,
    -- Added up exactly: never XOR, in which a pair of equal rows cancels out.
    coalesce(sum(hash_a), 0)::text AS hash_a,
    coalesce(sum(hash_b), 0)::text AS hash_b,
    -- Not part of the account: where in the table the day's rows lie. With it they can be read without reading the whole
    -- table, although there is no index. True for one snapshot; of a partitioned table a looser bound, and still true.
    min(row_ctid)::text AS first_ctid,
    max(row_ctid)::text AS last_ctid
FROM hashed
GROUP BY day
