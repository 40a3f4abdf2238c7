-- The account of each day: what it holds, and a fingerprint of its rows that does not depend on their order.
--
-- Runs on both servers: on production as the survey, in the warehouse as the settlement. Equal accounts, equal rows.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'statistics.jinja' import of_rows %}
{% from 'hashes.jinja' import row_hash, row_hash_of_number, lot %}
WITH hashed AS (
    SELECT
        -- Rows without a time come as day NULL, rows at an infinite time as day infinity or -infinity.
        {% include 'day.jinja' %} AS day,
        {% for m in measures %}
        {{ m.column }} AS {{ m.alias }},
        {% endfor %}
        -- Two 64-bit hashes of each row. Each by itself tells apart whatever PostgreSQL takes for different.
        {{ row_hash(1, 'time first') }} AS hash_a,
        {% if measures | length == 1 and measures[0].small and not dimensions and not hours_follow_zone %}
        {{ row_hash_of_number() }} AS hash_b
        {% else %}
        {{ row_hash(7, 'time last') }} AS hash_b
        {% endif %}
        {% if with_ctids is defined %}
        , ctid AS row_ctid
        {% endif %}
    FROM {% include 'source.jinja' %}

    {% if sample %}
    -- A share of the rows, the same on both servers: by their time, and where a day is all the time there is, by the
    -- whole row. Rows of equal times are looked at together.
    WHERE ({{ lot() }} & 9223372036854775807) % 1000000 < {{ sample }}
    {% elif since is defined or until is defined %}
    -- Only some days. The rows are chosen before they are hashed.
    WHERE
        {% include 'stretch.jinja' %}

    {% endif %}
    {% if in_shards is not defined %}
    -- This arm gives no rows. It hides from the planner that a day is made from a time, of which it would expect as
    -- many days as rows and therefore never add up in parallel; so it expects 200, and does. Nearly twice as fast.
    -- The nodes of a cluster add up in parallel without it, and with it they would send their rows to the coordinator.
    UNION ALL
    SELECT
        {% include 'day.jinja' %},
        {% for m in measures %}
        {{ m.column }},
        {% endfor %}
        0::bigint, 0::bigint{% if with_ctids is defined %}, ctid{% endif %}

    FROM {% include 'source.jinja' %} WHERE false
    {% endif %}
)

{% if with_ctids is defined %}
-- What is said of a day, as it is sent: what changes on its way is found out, such as one day into another.
SELECT
    account.*,
    sha256(
        coalesce(date_send(day), ''::bytea) || int8send(rows) || array_send(statistics)
        || textsend(hash_a) || textsend(hash_b) || textsend(first_ctid) || textsend(last_ctid)
    ) AS seal
FROM (
{% endif %}
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
    coalesce(sum(hash_b), 0)::text AS hash_b
    {% if with_ctids is defined %}
    -- Not part of the account, and asked for in production alone: where in the table the day's rows lie. With it they
    -- can be read without reading the whole table, although there is no index. True for one snapshot; of a partitioned
    -- table a looser bound, and still true.
    , min(row_ctid)::text AS first_ctid
    , max(row_ctid)::text AS last_ctid
    {% endif %}
FROM hashed
GROUP BY day
{% if with_ctids is defined %}
) AS account
{% endif %}
