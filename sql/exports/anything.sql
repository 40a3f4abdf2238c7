-- Whether a level has a file, of any period or of a closed one.
--
-- Reads:   kalends.<view>
-- Writes:  nothing
-- Params:  $1 date first day of the periods, $2 date day after the last one; NULL for all periods
--          $3 boolean whether open periods count
-- Repeat:  safe

SELECT
    EXISTS (
        SELECT FROM kalends.{{ view }}
        WHERE
            ($1::date IS NULL OR period >= $1::date) AND ($2::date IS NULL OR period < $2::date)
            AND ($3::boolean OR closed)
    ) AS found
