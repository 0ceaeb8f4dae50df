-- The ledger (FIN-7). All checks are set-based: a batch of ten thousand due renewals costs one pass, not ten thousand.

-- The lines of an entry come in one statement, whole and balanced; the caches on accounts follow in the same statement.
CREATE FUNCTION __schema__.journal_lines_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Each entry is looked up by its key: a join may walk through the whole journal where statistics are old.
  IF EXISTS (SELECT FROM posted p GROUP BY p.entry_id
             HAVING sum(p.debit) <> sum(p.credit) OR count(*) <> max(p.position)
                 OR count(*) <> (SELECT e.lines FROM __schema__.journal_entries e WHERE e.id = p.entry_id)) THEN
    RAISE EXCEPTION 'a journal entry is not balanced or not whole' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  UPDATE __schema__.accounts a
     SET balance = a.balance + d.customer, receivable = a.receivable + d.receivable
    FROM (SELECT subject_id,
                 coalesce(sum(credit - debit) FILTER (WHERE kind = 'customer'), 0) AS customer,
                 coalesce(sum(debit - credit) FILTER (WHERE kind = 'receivable'), 0) AS receivable
            FROM posted WHERE kind IN ('customer', 'receivable') GROUP BY subject_id) d
   WHERE a.id = d.subject_id AND (d.customer <> 0 OR d.receivable <> 0);
  RETURN NULL;
END $$;
CREATE TRIGGER journal_lines_posted AFTER INSERT ON __schema__.journal_lines REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION __schema__.journal_lines_posted();

-- An entry without lines never commits.
CREATE FUNCTION __schema__.journal_entry_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM __schema__.journal_lines WHERE entry_id = NEW.id) THEN
    RAISE EXCEPTION 'journal entry % has no lines', NEW.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entry_has_lines AFTER INSERT ON __schema__.journal_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION __schema__.journal_entry_has_lines();

-- What was posted stays as it was.
CREATE FUNCTION __schema__.ledger_never_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: book a counter-entry' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER journal_entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON __schema__.journal_entries
  FOR EACH STATEMENT EXECUTE FUNCTION __schema__.ledger_never_changes();
CREATE TRIGGER journal_lines_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON __schema__.journal_lines
  FOR EACH STATEMENT EXECUTE FUNCTION __schema__.ledger_never_changes();

-- The caches move with journal lines only. The schema's owner (migrations, repair) is not the product and may.
CREATE FUNCTION __schema__.balances_follow_ledger() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF pg_trigger_depth() < 2 AND current_user IN ('broadloom_app', 'broadloom_platform', 'broadloom_radius') THEN
    RAISE EXCEPTION 'balances change by journal entries only' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER balances_follow_ledger BEFORE UPDATE OF balance, receivable ON __schema__.accounts
  FOR EACH ROW WHEN (OLD.balance <> NEW.balance OR OLD.receivable <> NEW.receivable)
  EXECUTE FUNCTION __schema__.balances_follow_ledger();
