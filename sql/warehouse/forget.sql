-- Takes an entity's notes out of the warehouse. What was published of it is left to the next export, which is why it
-- stays known what was settled.
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
