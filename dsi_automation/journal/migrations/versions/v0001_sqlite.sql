-- What makes the record append-only in the database itself. Whoever owns the file can drop these;
-- that is what the chain, the checkpoints and `dsi journal verify` are for.
-- Statements are separated by an empty line.

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END

CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END

CREATE TRIGGER entries_chained BEFORE INSERT ON entries
BEGIN
  SELECT RAISE(ABORT, 'not the next entry of the chain')
  WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)
     OR NEW.prev IS NOT coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1),
                                 '0000000000000000000000000000000000000000000000000000000000000000');
END

CREATE TRIGGER leases_no_delete BEFORE DELETE ON leases
BEGIN SELECT RAISE(ABORT, 'fencing numbers are kept'); END

CREATE TRIGGER leases_grow BEFORE UPDATE ON leases WHEN NEW.fence < OLD.fence OR NEW.target IS NOT OLD.target
BEGIN SELECT RAISE(ABORT, 'fencing numbers only grow'); END
