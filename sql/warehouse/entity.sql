-- An entity's accounts of days, months and years, and the views that say what is in the files.
--
-- Reads:   nothing
-- Writes:  schemas kalends_stats, kalends
-- Params:  none
-- Repeat:  once, in the transaction that notes the entity

{% for level in levels %}
-- The primary key keeps two runs from ever counting a period twice.
CREATE TABLE kalends_stats.{{ level.table }} (
    {{ level.word }} date PRIMARY KEY,
    rows bigint NOT NULL CHECK (rows > 0)
    {% for m in measures %}
    , {{ m.count }} bigint NOT NULL, {{ m.sum }} numeric, {{ m.min }} {{ m.kind }}, {{ m.max }} {{ m.kind }}
    {% endfor %}
    {% if level.word == 'day' %}
    , hash_a numeric NOT NULL, hash_b numeric NOT NULL
    {% endif %}
);

{% if level.published %}
-- For the business: exactly the columns of the files.
CREATE VIEW kalends_stats.{{ level.stats_view }} AS
SELECT
    {% for c in level.columns %}
    {% if not loop.first %}, {% endif %}
    {% if c.what == 'period' %}
    extract({{ c.name }} FROM {{ level.word }})::integer AS {{ c.name }}
    {% elif c.what == 'mean' %}
    kalends.mean({{ measures[c.measure].sum }}, {{ measures[c.measure].count }}) AS {{ c.name }}
    {% else %}
    {{ measures[c.measure][c.what] }} AS {{ c.name }}
    {% endif %}
    {% endfor %}
FROM kalends_stats.{{ level.table }};

-- What the files are made from: the same columns as text, behind their period and the number of rows accounted for.
CREATE VIEW kalends.{{ level.file_view }} AS
SELECT
    {{ level.word }} AS period,
    rows,
    ARRAY[
        {% for c in level.columns %}
        {% if not loop.first %}, {% endif %}
        {% if c.what == 'period' %}
        extract({{ c.name }} FROM {{ level.word }})::integer::text
        {% elif c.what == 'mean' %}
        kalends.mean({{ measures[c.measure].sum }}, {{ measures[c.measure].count }})::text
        {% else %}
        {{ measures[c.measure][c.what] }}::text
        {% endif %}
        {% endfor %}
    ] AS fields
FROM kalends_stats.{{ level.table }};
{% endif %}
{% endfor %}
