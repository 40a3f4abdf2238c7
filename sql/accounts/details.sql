-- The accounts of hours, or of combinations of dimensions by day or hour, of some days. Computed from the warehouse's
-- rows, which are proven to be production's.
--
-- Reads:   the entity's table of rows
-- Writes:  kalends_stats.<target>
-- Params:  $1 date[] days, NULL for all between the others; $2 date the first of them, $3 date the day after the last
-- Repeat:  safe

WITH {% include 'details.jinja' %},

known AS (
    SELECT {{ level }}{% if keys %}, combination{% endif %}

    FROM kalends_stats.{{ target }}
    WHERE
        {{ level }} >= $2::date AND {{ level }} < $3::date
        AND ($1::date[] IS NULL OR {{ level }}::date = ANY($1::date[]))
),

{% include 'write_made.jinja' %}
