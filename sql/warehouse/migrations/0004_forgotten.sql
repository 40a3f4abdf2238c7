-- Entities that were forgotten and whose rows are still to be dropped: a table of very many months takes more locks
-- than one transaction can have.
--
-- Reads:   nothing
-- Writes:  schema kalends
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

CREATE TABLE kalends.forgotten (
    -- The entity's number. Its table of rows is called kalends_raw."~forgotten_N" by now.
    number integer PRIMARY KEY,
    entity text NOT NULL
);
