-- What the three schemas are for: rows as in production, accounts with the business's views, and Kalends' own notes; and
-- the notes.
--
-- Reads:   nothing
-- Writes:  schemas kalends_raw, kalends_stats, kalends, which are there and empty
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

COMMENT ON SCHEMA kalends IS 'Kalends'' own notes: state, runs, restatements, published files';
COMMENT ON SCHEMA kalends_raw IS 'Rows exactly as in production, partitioned by month';
COMMENT ON SCHEMA kalends_stats IS 'Accounts of days, months and years, and the views for the business';

-- sum / count, rounded once, half away from zero, to 6 decimals. By whole division, because numeric division rounds to
-- a scale of its own first, and rounding twice can give another last digit.
CREATE FUNCTION kalends.mean(sum_values numeric, value_count bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN value_count > 0 THEN
        sign(sum_values) * div(2 * 1000000 * abs(sum_values) + value_count, 2 * value_count) * 0.000001
    END
$$;

-- The standard deviation of a sample, rounded once, half up, to 6 decimals; NULL of less than two values. The variance is a
-- fraction of exact numbers, of which the root is taken by whole numbers: sqrt() alone would round first. It gives the
-- whole root or, rounding up, the one above. Of what is not a number or has no end all of this is NaN.
CREATE FUNCTION kalends.stddev(sum_values numeric, sum_squares numeric, value_count bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN value_count < 2 THEN NULL
        ELSE (
            -- Twice the deviation in millionths, rounded down; half of it, rounded up where it is odd, is the nearest.
            SELECT div(root - CASE WHEN root * root > square THEN 1 ELSE 0 END + 1, 2) * 0.000001
            FROM (
                SELECT square, trunc(sqrt(square)) AS root
                FROM (
                    SELECT div(
                        4 * 1000000000000 * (value_count * sum_squares - sum_values * sum_values),
                        value_count * (value_count - 1)::numeric
                    ) AS square
                ) AS squared
            ) AS rooted
        )
    END
$$;

-- One row. Every settlement takes the next generation; a run that compared with an older one gives way.
CREATE TABLE kalends.state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    schema_version integer NOT NULL,
    generation bigint NOT NULL,
    -- Published with the files: another warehouse must not take this one's for its own. A restored copy keeps it.
    warehouse uuid NOT NULL DEFAULT gen_random_uuid()
);

INSERT INTO kalends.state (schema_version, generation) VALUES (0, 0);

-- The moment of the snapshot of production that all entities were proven equal to last, in microseconds since 1970 UTC. A
-- sequence, because a run that has nothing to do sets it and is to change no tuple.
CREATE SEQUENCE kalends.proven;

CREATE VIEW kalends.freshness AS
SELECT CASE WHEN is_called THEN TIMESTAMPTZ 'epoch' + last_value * INTERVAL '1 microsecond' END AS proven_at
FROM kalends.proven;

-- The first day of a time zone that had not ended at a moment. Where clocks go back over midnight a day ends twice, and the
-- second time counts.
CREATE FUNCTION kalends.open_from(moment timestamptz, zone text) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN today::timestamp AT TIME ZONE zone <= moment THEN today ELSE today - 1 END
    FROM (SELECT (moment AT TIME ZONE zone)::date AS today) AS here
$$;

-- Runs that changed something, each with the moment of the production snapshot that it settled.
CREATE TABLE kalends.run (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    production_as_of text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    settled_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    days bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0
);

-- The entities, each with what its tables were made from.
CREATE TABLE kalends.entity (
    name text PRIMARY KEY,
    definition jsonb NOT NULL
);

-- Entities whose rows are being taken over from another tool's table; none when no run is at it or died at it.
CREATE TABLE kalends.adoption (
    entity text PRIMARY KEY,
    taken_from text NOT NULL
);

-- Settled periods that changed, before and after: rows and statistics by name.
CREATE TABLE kalends.restatement (
    run bigint NOT NULL REFERENCES kalends.run,
    entity text NOT NULL,
    level text NOT NULL,
    period date NOT NULL,
    cause text,
    before jsonb NOT NULL,
    -- NULL where the period vanished.
    after jsonb,
    PRIMARY KEY (run, entity, level, period)
);

-- What was published, file by file, for those who see the warehouse and not the folder.
CREATE TABLE kalends.file (
    path text PRIMARY KEY,
    entity text NOT NULL,
    level text NOT NULL,
    -- As people write it: 2023-03-01T05, 2023-03-01, 2023-W09, 2023-03, 2023-Q1, 2023.
    period text NOT NULL,
    entity_rows bigint NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);

-- Which production each entity was settled from: another one, or one that has gone back in time, is noticed.
CREATE TABLE kalends.source (
    entity text PRIMARY KEY,
    system_identifier text NOT NULL,
    database oid NOT NULL,
    position pg_lsn NOT NULL,
    production_as_of text NOT NULL
);

-- What production has otherwise and is left as it was settled: held for consent, or still changing.
CREATE TABLE kalends.held (
    entity text NOT NULL,
    level text NOT NULL,
    period date NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    rows_before bigint NOT NULL,
    rows_now bigint NOT NULL,
    since timestamptz NOT NULL,
    -- Of the unit's accounts as they were surveyed, where the settings ask that they stay the same for a while.
    digest text,
    PRIMARY KEY (entity, level, period)
);

-- Runs that failed or were refused, the last 20.
CREATE TABLE kalends.failure (
    failure bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    command text NOT NULL,
    entity text,
    exit_code integer NOT NULL,
    message text NOT NULL
);
