-- Creates the sequence with which a run that has nothing to do confirms an entity's proof. Migration 0002 explains it.
--
-- Reads:   nothing
-- Writes:  kalends.<sequence>
-- Params:  none
-- Repeat:  once, in the transaction that notes the entity

CREATE SEQUENCE kalends.{{ sequence }} MINVALUE -9223372036854775807
