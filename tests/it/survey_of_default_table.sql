-- The account of each day: what it holds, and a fingerprint of its rows that does not depend on their order.
--
-- Runs on both servers: on production as the survey, in the warehouse as the settlement. Equal accounts, equal rows.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH hashed AS (
    SELECT
        -- Rows without a time come as day NULL, rows at an infinite time as day infinity or -infinity.
"created_at"::date AS day,
        "value" AS "measure_0",
        -- Two 64-bit hashes of each row. Each by itself tells apart whatever PostgreSQL takes for different.
        hashint4extended(coalesce("value", 0::integer), timestamp_hash_extended("created_at", hashfloat8extended(tsrange_subdiff("created_at", TIMESTAMP '2000-01-01'), 1::bigint + CASE WHEN "value" IS NULL THEN 2 ELSE 0 END))) AS hash_a,
        timestamp_hash_extended("created_at", hashfloat8extended(tsrange_subdiff("created_at", TIMESTAMP '2000-01-01'), coalesce("value", 1::bigint << 40))) AS hash_b
        , ctid AS row_ctid
    FROM "schema"."table"
    -- This arm gives no rows. It hides from the planner that a day is made from a time, of which it would expect as
    -- many days as rows and therefore never add up in parallel; so it expects 200, and does. Nearly twice as fast.
    -- The nodes of a cluster add up in parallel without it, and with it they would send their rows to the coordinator.
    UNION ALL
    SELECT
"created_at"::date,
        "value",
        0::bigint, 0::bigint, ctid
    FROM "schema"."table" WHERE false
)

-- What is said of a day, as it is sent: what changes on its way is found out, such as one day into another.
SELECT
    account.*,
    sha256(
        coalesce(date_send(day), ''::bytea) || int8send(rows) || array_send(statistics)
        || textsend(hash_a) || textsend(hash_b) || textsend(first_ctid) || textsend(last_ctid)
    ) AS seal
FROM (
SELECT
    day,
    count(*) AS rows,
    -- Of each measure: values, sum, smallest, largest, and the sum of squares where a deviation is asked for. Binary
    -- numbers are added up as the decimals that are printed for them: exact, and the same in any order. Printed without
    -- zeros behind the last digit, so that equal is alike.
    ARRAY[
        count("measure_0")::text,
        sum("measure_0")::text,
        min("measure_0")::text,
        max("measure_0")::text
    ] AS statistics,
    -- Added up exactly: never XOR, in which a pair of equal rows cancels out.
    coalesce(sum(hash_a), 0)::text AS hash_a,
    coalesce(sum(hash_b), 0)::text AS hash_b
    -- Not part of the account, and asked for in production alone: where in the table the day's rows lie. With it they
    -- can be read without reading the whole table, although there is no index. True for one snapshot; of a partitioned
    -- table a looser bound, and still true.
    , min(row_ctid)::text AS first_ctid
    , max(row_ctid)::text AS last_ctid
FROM hashed
GROUP BY day
) AS account
