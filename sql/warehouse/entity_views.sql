-- Creates the views with the content of an entity's files.
--
-- Reads:   nothing
-- Writes:  schemas kalends_stats, kalends
-- Params:  none
-- Repeat:  safe; in the transaction that creates the tables, and again if a migration changes the form of the views

{% from 'closed.jinja' import closed %}
{% for level in levels if level.published %}
-- For analysts: the columns of the files, and after them when the period began and whether it is closed.
CREATE OR REPLACE VIEW kalends_stats.{{ level.stats_view }} AS
SELECT
    {% for c in level.columns %}
    {% if not loop.first %}, {% endif %}
    {% if c.what == 'period' %}
    extract({{ c.unit }} FROM {{ level.word }})::integer AS {{ c.name }}
    {% elif c.what == 'dimension' %}
    {{ dimensions[c.at].stored }}::pg_catalog.{{ dimensions[c.at].kind }} AS {{ c.name }}
    {% elif c.what == 'mean' %}
    kalends.mean({{ measures[c.at].sum }}, {{ measures[c.at].count }}) AS {{ c.name }}
    {% elif c.what == 'stddev' %}
    kalends.stddev({{ measures[c.at].sum }}, {{ measures[c.at].squares }}, {{ measures[c.at].count }}) AS {{ c.name }}
    {% else %}
    {{ measures[c.at][c.what] }} AS {{ c.name }}
    {% endif %}
    {% endfor %}
    , {{ level.word }} AS {{ level.start }}
    , {{ closed(level.word, name, zone) }} AS {{ level.closed }}
FROM kalends_stats.{% if dimensions %}{{ level.by_table }}{% else %}{{ level.table }}{% endif %};

-- What the files are written from: the same columns as text, after their period and the number of rows accounted for.
CREATE OR REPLACE VIEW kalends.{{ level.file_view }} AS
SELECT
    {{ level.word }} AS period,
    rows,
    {{ closed(level.word, name, zone) }} AS closed,
    ARRAY[
        {% for c in level.columns %}
        {% if not loop.first %}, {% endif %}
        {% if c.what == 'period' %}
        extract({{ c.unit }} FROM {{ level.word }})::integer::text
        {% elif c.what == 'dimension' %}
        {{ dimensions[c.at].stored }}
        {% elif c.what == 'mean' %}
        kalends.mean({{ measures[c.at].sum }}, {{ measures[c.at].count }})::text
        {% elif c.what == 'stddev' %}
        kalends.stddev({{ measures[c.at].sum }}, {{ measures[c.at].squares }}, {{ measures[c.at].count }})::text
        {% else %}
        {{ measures[c.at][c.what] }}::text
        {% endif %}
        {% endfor %}
    ] AS fields
FROM kalends_stats.{% if dimensions %}{{ level.by_table }}{% else %}{{ level.table }}{% endif %};
{% endfor %}
