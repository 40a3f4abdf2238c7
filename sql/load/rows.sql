-- Writes the rows of a month from production, in binary, as they arrive.
--
-- Reads:   nothing
-- Writes:  kalends_raw.<partition>
-- Params:  none
-- Repeat:  no; after load/delete_days.sql, in the same transaction

COPY kalends_raw.{{ partition }} ({{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% endfor %}) FROM STDIN (FORMAT binary)
