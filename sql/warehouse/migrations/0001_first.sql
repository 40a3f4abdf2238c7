-- The three schemas: rows as in production, accounts with the business's views, and Kalends' own notes.
--
-- Reads:   nothing
-- Writes:  schemas kalends_raw, kalends_stats, kalends
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

CREATE SCHEMA kalends;
CREATE SCHEMA kalends_raw;
CREATE SCHEMA kalends_stats;

COMMENT ON SCHEMA kalends IS 'Kalends'' own notes: state, runs, restatements, published files';
COMMENT ON SCHEMA kalends_raw IS 'Rows exactly as in production, partitioned by month';
COMMENT ON SCHEMA kalends_stats IS 'Accounts of days, months and years, and the views for the business';

-- No column but production's, so that the same statement makes the accounts on both servers.
CREATE TABLE kalends_raw.entity (
    created_at timestamp NOT NULL,
    value integer
) PARTITION BY RANGE (created_at);

-- The accounts. The primary key keeps two runs from ever counting a period twice.
CREATE TABLE kalends_stats.entity_day (
    day date PRIMARY KEY,
    rows bigint NOT NULL CHECK (rows > 0),
    values bigint NOT NULL,
    sum_values bigint,
    min_values integer,
    max_values integer,
    hash_a numeric NOT NULL,
    hash_b numeric NOT NULL
);

CREATE TABLE kalends_stats.entity_month (
    month date PRIMARY KEY,
    rows bigint NOT NULL CHECK (rows > 0),
    values bigint NOT NULL,
    sum_values numeric,
    min_values integer,
    max_values integer
);

CREATE TABLE kalends_stats.entity_year (
    year date PRIMARY KEY,
    rows bigint NOT NULL CHECK (rows > 0),
    values bigint NOT NULL,
    sum_values numeric,
    min_values integer,
    max_values integer
);

-- sum / count, rounded once, half away from zero, to 6 decimals. By whole division, because numeric division rounds to
-- a scale of its own first, and rounding twice can give another last digit.
CREATE FUNCTION kalends.mean(sum_values numeric, value_count bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN value_count > 0 THEN
        sign(sum_values) * div(2 * 1000000 * abs(sum_values) + value_count, 2 * value_count) * 0.000001
    END
$$;

-- What the files are made of: the columns of a file behind its period and the number of rows accounted for.
CREATE VIEW kalends.daily AS
SELECT
    day AS period,
    rows,
    extract(year FROM day)::integer AS year,
    extract(month FROM day)::integer AS month,
    extract(day FROM day)::integer AS day,
    sum_values,
    min_values,
    max_values,
    kalends.mean(sum_values, values) AS mean_values
FROM kalends_stats.entity_day;

CREATE VIEW kalends.monthly AS
SELECT
    month AS period,
    rows,
    extract(year FROM month)::integer AS year,
    extract(month FROM month)::integer AS month,
    sum_values,
    min_values,
    max_values,
    kalends.mean(sum_values, values) AS mean_values
FROM kalends_stats.entity_month;

CREATE VIEW kalends.yearly AS
SELECT
    year AS period,
    rows,
    extract(year FROM year)::integer AS year,
    sum_values,
    min_values,
    max_values,
    kalends.mean(sum_values, values) AS mean_values
FROM kalends_stats.entity_year;

-- For the business: exactly the columns of the files.
CREATE VIEW kalends_stats.entity_stats_daily AS
SELECT year, month, day, sum_values, min_values, max_values, mean_values FROM kalends.daily;

CREATE VIEW kalends_stats.entity_stats_monthly AS
SELECT year, month, sum_values, min_values, max_values, mean_values FROM kalends.monthly;

CREATE VIEW kalends_stats.entity_stats_yearly AS
SELECT year, sum_values, min_values, max_values, mean_values FROM kalends.yearly;

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

-- Settled periods that changed, before and after.
CREATE TABLE kalends.restatement (
    run bigint NOT NULL REFERENCES kalends.run,
    level text NOT NULL CHECK (level IN ('day', 'month', 'year')),
    period date NOT NULL,
    cause text,
    rows_before bigint NOT NULL,
    values_before bigint NOT NULL,
    sum_before numeric,
    min_before integer,
    max_before integer,
    -- NULL where the period vanished.
    rows_after bigint,
    values_after bigint,
    sum_after numeric,
    min_after integer,
    max_after integer,
    PRIMARY KEY (run, level, period)
);

-- What was published, file by file, for those who see the warehouse and not the folder.
CREATE TABLE kalends.file (
    path text PRIMARY KEY,
    level text NOT NULL,
    period date NOT NULL,
    entity_rows bigint NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);
