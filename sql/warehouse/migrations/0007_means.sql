-- Means that are computed in the statement which asks for them.
--
-- Reads:   nothing
-- Writes:  schema kalends
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

-- The same means as before, of the largest numbers as well. The function was called for each row, because PostgreSQL
-- puts no function with a subquery in the place of its call; now it does.
CREATE OR REPLACE FUNCTION kalends.mean(sum_values numeric, value_count bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN value_count <= 0 THEN NULL
        WHEN sum_values IN ('Infinity', '-Infinity') THEN sum_values
        ELSE
            div(sum_values, value_count)
            + div(2000000 * mod(sum_values, value_count) + sign(sum_values) * value_count, 2 * value_count) * 0.000001
    END
$$;
