-- Marks a database as a test source: from now on rows may be deleted and written there.
--
-- Reads:   nothing
-- Writes:  the database's settings; takes the database's owner
-- Params:  none
-- Repeat:  safe

ALTER DATABASE {{ database }} SET kalends.test_source = 'on'
