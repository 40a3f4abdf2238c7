-- Takes the next generation, unless another run has settled something since this one compared.
--
-- Reads:   kalends.state
-- Writes:  kalends.state
-- Params:  $1 bigint generation that was compared with
-- Repeat:  no; the second time the generation has changed, which is the point

UPDATE kalends.state SET generation = generation + 1 WHERE generation = $1
