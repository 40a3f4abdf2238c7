-- Marks a database as a test source: from now on, its rows may be replaced.
--
-- Reads:   nothing
-- Writes:  the database's settings; requires the database's owner
-- Params:  none
-- Repeat:  safe

ALTER DATABASE {{ database }} SET kalends.test_source = 'on'
