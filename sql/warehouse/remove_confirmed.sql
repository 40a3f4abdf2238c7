-- Drops the sequence that confirms an entity's proof.
--
-- Reads:   nothing
-- Writes:  kalends.<sequence>
-- Params:  none
-- Repeat:  no; in the transaction that forgets the entity

DROP SEQUENCE kalends.{{ sequence }}
