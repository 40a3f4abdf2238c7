-- Takes an entity's rows, accounts, views and notes out of the warehouse. What was published of it is left to the next export.
--
-- Reads:   nothing
-- Writes:  schemas kalends_raw, kalends_stats, kalends
-- Params:  none
-- Repeat:  no; in one transaction, which another run notices by the generation

{% for level in levels %}
DROP VIEW IF EXISTS kalends.{{ level.file_view }};
DROP VIEW IF EXISTS kalends_stats.{{ level.stats_view }};
DROP TABLE kalends_stats.{{ level.table }};
{% endfor %}
-- With all its months.
DROP TABLE kalends_raw.{{ rows }};
DELETE FROM kalends.restatement WHERE entity = {{ name }};
DELETE FROM kalends.entity WHERE name = {{ name }};
UPDATE kalends.state SET generation = generation + 1;
