-- The account of each day: what it holds, and a fingerprint of its rows that does not depend on their order.
--
-- Runs on both servers: on production as the survey, in the warehouse as the settlement. Equal accounts, equal rows.
--
-- Reads:   :"schema".:"table" (columns :"time" timestamp, :"measure" integer)
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    -- Rows without a time come as day NULL, rows at an infinite time as day infinity or -infinity.
    :"time"::date AS day,
    count(*) AS rows,
    count(:"measure") AS values,
    sum(:"measure")::text AS sum,
    min(:"measure")::text AS min,
    max(:"measure")::text AS max,
    -- Two 64-bit hashes of each row, added up exactly: never XOR, in which a pair of equal rows cancels out.
    -- The hash functions are strict, so a row with no value hashes its time alone, with a seed of its own.
    sum(coalesce(
        hashint4extended(:"measure", timestamp_hash_extended(:"time", 1)),
        timestamp_hash_extended(:"time", 3)
    ))::text AS hash_a,
    -- timestamp_hash_extended() first folds the 64 bits of a time into 32, so times that fold alike are alike to it
    -- under every seed. The second hash therefore takes the time as a double, which keeps each microsecond apart.
    sum(coalesce(
        hashint4extended(:"measure", hashfloat8extended(date_part('epoch', :"time"), 2)),
        hashfloat8extended(date_part('epoch', :"time"), 4)
    ))::text AS hash_b
FROM :"schema".:"table"
GROUP BY :"time"::date
