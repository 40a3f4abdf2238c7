-- Notes when an entity's older days were looked at.
--
-- Reads:   nothing
-- Writes:  kalends.looked
-- Params:  $1 text entity, $2 date[] first days, NULL for the first of all, $3 date[] the days after the last,
--          $4 bigint[] moments in microseconds since 1970 UTC
-- Repeat:  no; after looked/remove.sql, in the same transaction

INSERT INTO kalends.looked (entity, from_day, until_day, as_of)
SELECT
    $1::text,
    coalesce(older.from_day, '-infinity'),
    older.until_day,
    TIMESTAMPTZ 'epoch' + older.as_of_us * INTERVAL '1 microsecond'
FROM unnest($2::date[], $3::date[], $4::bigint[]) AS older (from_day, until_day, as_of_us)
