-- Drops an entity's accounts and views.
--
-- Reads:   nothing
-- Writes:  schemas kalends_stats, kalends
-- Params:  none
-- Repeat:  no; in a transaction that forgets or rebuilds the entity

{% for level in levels if level.made %}
DROP VIEW IF EXISTS kalends.{{ level.file_view }};
DROP VIEW IF EXISTS kalends_stats.{{ level.stats_view }};
DROP VIEW IF EXISTS kalends_stats.{{ level.trend_view }};
DROP TABLE kalends_stats.{{ level.table }};
{% if dimensions %}
DROP TABLE kalends_stats.{{ level.by_table }};
{% endif %}
{% endfor %}
