-- Orders and fee records are frozen once written: only their later fate may be noted on them, settled ones not even that.
CREATE FUNCTION __schema__.orders_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE fate text[] := ARRAY['state', 'undone_by_id'];
BEGIN
  IF TG_OP <> 'UPDATE' OR (to_jsonb(NEW) - fate) <> (to_jsonb(OLD) - fate) THEN
    RAISE EXCEPTION 'an order is never altered or removed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER orders_frozen BEFORE UPDATE OR DELETE ON __schema__.orders
  FOR EACH ROW EXECUTE FUNCTION __schema__.orders_frozen();

CREATE FUNCTION __schema__.order_lines_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'the lines of an order are never altered or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER order_lines_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON __schema__.order_lines
  FOR EACH STATEMENT EXECUTE FUNCTION __schema__.order_lines_frozen();

CREATE FUNCTION __schema__.fee_records_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE fate text[] := ARRAY['settlement_id', 'reviewed_at', 'reviewed_by', 'review_note'];
BEGIN
  IF TG_OP <> 'UPDATE' OR (to_jsonb(NEW) - fate) <> (to_jsonb(OLD) - fate)
     OR (OLD.settlement_id IS NOT NULL AND NEW.settlement_id IS DISTINCT FROM OLD.settlement_id)
     OR (OLD.reviewed_at IS NOT NULL AND NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at) THEN
    RAISE EXCEPTION 'a fee record is frozen: it is settled or reviewed once and never altered'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fee_records_frozen BEFORE UPDATE OR DELETE ON __schema__.fee_records
  FOR EACH ROW EXECUTE FUNCTION __schema__.fee_records_frozen();
