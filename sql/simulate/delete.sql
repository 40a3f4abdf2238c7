-- Deletes a month's rows, before they are simulated again.
--
-- Reads:   <schema>.<table>, where the month's rows lie
-- Writes:  <schema>.<table>
-- Params:  $1 date first day of the month, $2 date first day of the next
-- Repeat:  safe

DELETE FROM {{ schema }}.{{ table }}
WHERE
    {{ time }} >= $1::date AND {{ time }} < $2::date
    AND ctid >= {{ first_ctid }}::tid AND ctid <= {{ last_ctid }}::tid
