-- Which versions of a level's accounts there are, by period, or by day for hours: how many accounts, and a digest of
-- their writing transactions and places. Any change of an account gives it another one of these. Also the last closed
-- period.
--
-- Reads:   kalends_stats.<source>, kalends.freshness
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'closed.jinja' import closed %}
WITH written AS (
    SELECT
        account.{{ level }}::date AS first,
        account.xmin,
        count(*) AS accounts,
        -- No two accounts have the same place, so no two of these cancel out.
        bit_xor(hashtidextended(account.ctid, 0)) AS digest
    FROM kalends_stats.{{ source }} AS account
    GROUP BY account.{{ level }}::date, account.xmin
),

parts AS (
    SELECT
        first,
        sum(accounts)::bigint AS accounts,
        bit_xor(hash_record_extended(row(xmin, digest), 0)) AS digest
    FROM written
    GROUP BY first
)

SELECT
    coalesce(array_agg(first ORDER BY first), '{}') AS firsts,
    coalesce(array_agg(accounts ORDER BY first), '{}') AS accounts,
    coalesce(array_agg(digest ORDER BY first), '{}') AS digests,
    -- By the index from its end, so that only open periods are looked at.
    (
        SELECT {{ level }}
        FROM kalends_stats.{{ source }}
        WHERE {{ closed(level, name, zone) }}
        ORDER BY {{ level }} DESC
        LIMIT 1
    ) AS closed
FROM parts
