-- The days whose accounts of hours, or of combinations of dimensions, do not follow from the warehouse's rows.
--
-- Reads:   the entity's table of rows, kalends_stats.<target>
-- Writes:  nothing
-- Params:  $1 date[], $2 date, $3 date: NULL for all days
-- Repeat:  safe

WITH {% include 'details.jinja' %}

SELECT DISTINCT coalesce(fresh.{{ level }}, stored.{{ level }})::date AS period
{% include 'differing.jinja' %}
