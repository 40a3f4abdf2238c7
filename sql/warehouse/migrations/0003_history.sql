-- A period that vanished and came back is restated from nothing; of a day's combinations of dimensions those that moved
-- are noted.
--
-- Reads:   nothing
-- Writes:  kalends.restatement
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

-- NULL where the period had vanished.
ALTER TABLE kalends.restatement ALTER COLUMN before DROP NOT NULL;

-- Of a day: the dimensions' names, those combinations that moved most, each before and after, and how many more did.
ALTER TABLE kalends.restatement ADD COLUMN combinations jsonb;

-- Whether a period has vanished is asked for each that is new.
CREATE INDEX restatement_of_period ON kalends.restatement (entity, level, period, run);
