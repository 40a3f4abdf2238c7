-- Pins on the nodes of a Citus cluster whatever a node computes with: in their own sessions, which inherit the settings
-- of the node, texts of times or numbers could be others than on the coordinator.
--
-- Citus hands SET LOCAL on with the text of its message, so each must be alone in one; in a block it is.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

DO $$
BEGIN
    SET LOCAL citus.propagate_set_commands = 'local';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL IntervalStyle = 'postgres';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex';
    SET LOCAL row_security = off;
END
$$;
