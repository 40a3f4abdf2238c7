-- Removes an entity's notes from the warehouse. Its published files are left to the next export, so the notes of its
-- settlements stay.
--
-- Reads:   nothing
-- Writes:  kalends.restatement, kalends.source, kalends.held, kalends.adoption, kalends.state
-- Params:  none
-- Repeat:  no; in one transaction, which another run notices by the generation

DELETE FROM kalends.restatement WHERE entity = {{ name }};
DELETE FROM kalends.source WHERE entity = {{ name }};
DELETE FROM kalends.held WHERE entity = {{ name }};
DELETE FROM kalends.adoption WHERE entity = {{ name }};
UPDATE kalends.state SET generation = generation + 1;
