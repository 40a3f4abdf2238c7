-- Creates an entity's table of rows, as in production.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  once, in the transaction that notes the entity

-- Only production's columns, so that the same statement computes the accounts on both servers.
CREATE TABLE kalends_raw.{{ rows }} (
    {{ time }} {{ kind }} NOT NULL
    {% for m in measures %}
    , {{ m.column }} {{ m.kind }}
    {% endfor %}
    {% for d in dimensions %}
    , {{ d.column }} pg_catalog.{{ d.kind }}
    {% endfor %}
) PARTITION BY RANGE ({% if kind == 'timestamptz' %}({% include 'day.jinja' %}){% else %}{{ time }}{% endif %})
