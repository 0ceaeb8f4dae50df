-- The operation log only grows (STF-6): an entry may be sealed into the chain once, never altered or removed.
CREATE FUNCTION __schema__.audit_only_grows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.hash IS NULL AND NEW.hash IS NOT NULL
     AND (to_jsonb(NEW) - '{hash,previous_hash,position}'::text[]) = (to_jsonb(OLD) - '{hash,previous_hash,position}'::text[]) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the operation log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON __schema__.audit_entries
  FOR EACH ROW EXECUTE FUNCTION __schema__.audit_only_grows();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON __schema__.audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION __schema__.audit_only_grows();
