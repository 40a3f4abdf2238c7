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

-- One row. Every settlement takes the next generation; a run that compared with an older one gives way.
CREATE TABLE kalends.state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    schema_version integer NOT NULL,
    generation bigint NOT NULL,
    -- Published with the files: another warehouse must not take this one's for its own. A restored copy keeps it.
    warehouse uuid NOT NULL DEFAULT gen_random_uuid()
);

INSERT INTO kalends.state (schema_version, generation) VALUES (0, 0);

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
    period date NOT NULL,
    entity_rows bigint NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);
