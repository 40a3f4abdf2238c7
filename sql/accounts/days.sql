-- The account of each day: what it holds, and a fingerprint of its rows that does not depend on their order.
--
-- Runs on both servers: on production as the survey, in the warehouse as the settlement. Equal accounts, equal rows.
--
-- Reads:   :"schema".:"table" (columns :"time" timestamp, :"measure" integer)
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH hashed AS (
    SELECT
        -- Rows without a time come as day NULL, rows at an infinite time as day infinity or -infinity.
        :"time"::date AS day,
        :"measure" AS value,
        -- Two 64-bit hashes of each row. The functions are strict: without a value the first hashes the time alone, and
        -- the second takes a seed that no integer is.
        coalesce(
            hashint4extended(:"measure", timestamp_hash_extended(:"time", 1)),
            timestamp_hash_extended(:"time", 3)
        ) AS hash_a,
        -- timestamp_hash_extended() first folds the 64 bits of a time into 32, so times that fold alike are alike to it
        -- under every seed. The second hash takes the time as a double, which keeps these apart: they lie over an hour
        -- from each other. What a double of a distant year cannot tell, some microseconds, does not fold alike.
        -- tsrange_subdiff() is the cheapest way found from a timestamp to a double.
        hashfloat8extended(
            tsrange_subdiff(:"time", TIMESTAMP '2000-01-01'),
            coalesce(:"measure", 1::bigint << 40)
        ) AS hash_b,
        ctid AS place
    FROM :"schema".:"table"
    -- This arm gives no rows. It hides from the planner that a day is made from a time, of which it would expect as many
    -- days as rows and therefore never add up in parallel; so it expects 200, and does. Nearly twice as fast.
    UNION ALL
    SELECT :"time"::date, :"measure", 0::bigint, 0::bigint, ctid FROM :"schema".:"table" WHERE false
)

SELECT
    day,
    count(*) AS rows,
    count(value) AS values,
    sum(value)::text AS sum,
    min(value)::text AS min,
    max(value)::text AS max,
    -- Added up exactly: never XOR, in which a pair of equal rows cancels out.
    coalesce(sum(hash_a), 0)::text AS hash_a,
    coalesce(sum(hash_b), 0)::text AS hash_b,
    -- Not part of the account: where in the table the day's rows lie. With it they can be read without reading the whole
    -- table, although there is no index. True for one snapshot; of a partitioned table a looser bound, and still true.
    min(place)::text AS first_place,
    max(place)::text AS final_place
FROM hashed
GROUP BY day
