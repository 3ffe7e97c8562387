-- What makes the record append-only in the database itself. The tables' owner can drop these;
-- that is what the chain, the checkpoints and `dsi journal verify` are for.
-- Statements are separated by an empty line.

CREATE FUNCTION dsi_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0]; END $$

CREATE FUNCTION dsi_chained() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE last record;
BEGIN
  SELECT seq, hash INTO last FROM entries ORDER BY seq DESC LIMIT 1;
  IF NEW.seq IS DISTINCT FROM coalesce(last.seq, 0) + 1
     OR NEW.prev IS DISTINCT FROM coalesce(last.hash, repeat('0', 64))
     OR NEW.hash IS DISTINCT FROM encode(sha256(convert_to(NEW.line, 'UTF8')), 'hex')
  THEN RAISE EXCEPTION 'not the next entry of the chain'; END IF;
  RETURN NEW;
END
$$

CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
FOR EACH STATEMENT EXECUTE FUNCTION dsi_refuse('the journal is append-only')

CREATE TRIGGER entries_chained BEFORE INSERT ON entries
FOR EACH ROW EXECUTE FUNCTION dsi_chained()

CREATE TRIGGER leases_kept BEFORE DELETE OR TRUNCATE ON leases
FOR EACH STATEMENT EXECUTE FUNCTION dsi_refuse('fencing numbers are kept')

CREATE TRIGGER leases_grow BEFORE UPDATE ON leases
FOR EACH ROW WHEN (NEW.fence < OLD.fence OR NEW.target IS DISTINCT FROM OLD.target)
EXECUTE FUNCTION dsi_refuse('fencing numbers only grow')
