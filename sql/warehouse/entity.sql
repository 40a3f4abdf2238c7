-- Creates the tables of an entity's accounts of days and other periods.
--
-- Reads:   nothing
-- Writes:  schema kalends_stats
-- Params:  none
-- Repeat:  once, in the transaction that notes the entity

{% for level in levels if level.made %}
-- The primary key prevents two runs from ever counting a period twice.
CREATE TABLE kalends_stats.{{ level.table }} (
    {{ level.word }} {{ level.kind }} PRIMARY KEY,
    rows bigint NOT NULL CHECK (rows > 0)
    {% for c in stored_columns %}
    , {{ c.name }} {{ c.kind }}{% if c.what == 'count' %} NOT NULL{% endif %}

    {% endfor %}
    {% if level.word == 'day' %}
    , hash_a numeric NOT NULL, hash_b numeric NOT NULL
    {% endif %}
);

{% if dimensions %}
-- The same by combination of dimensions. These are stored as texts, with their digest as the key, because a text can be
-- too long for one.
CREATE TABLE kalends_stats.{{ level.by_table }} (
    {{ level.word }} {{ level.kind }},
    combination bytea,
    {% for d in dimensions %}
    {{ d.stored }} text COLLATE "C",
    {% endfor %}
    rows bigint NOT NULL CHECK (rows > 0)
    {% for c in stored_columns %}
    , {{ c.name }} {{ c.kind }}{% if c.what == 'count' %} NOT NULL{% endif %}

    {% endfor %}
    , PRIMARY KEY ({{ level.word }}, combination)
);
{% endif %}
{% endfor %}
