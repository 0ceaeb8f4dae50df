-- Months of aaa.session_history. Attached rather than created in place: attaching does not lock out readers.
CREATE TABLE IF NOT EXISTS aaa.session_history_default PARTITION OF aaa.session_history DEFAULT;

CREATE OR REPLACE FUNCTION aaa.ensure_history_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  starts timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  ends timestamptz := (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC';
  part text := 'session_history_' || to_char(first_day, 'YYYY_MM');
BEGIN
  IF to_regclass('aaa.' || part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE aaa.%I (LIKE aaa.session_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
  -- Rows that came before their month existed move over from the default partition, which must not hold them at attach.
  EXECUTE format('WITH moved AS (DELETE FROM aaa.session_history_default WHERE ended_at >= %L AND ended_at < %L RETURNING *) '
                 'INSERT INTO aaa.%I SELECT * FROM moved', starts, ends, part);
  EXECUTE format('ALTER TABLE aaa.session_history ATTACH PARTITION aaa.%I FOR VALUES FROM (%L) TO (%L)', part, starts, ends);
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION aaa.keep_history_months(months_behind int, months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE made int := 0;
BEGIN
  FOR i IN -months_behind .. months_ahead LOOP
    IF aaa.ensure_history_month(((now() AT TIME ZONE 'UTC') + make_interval(months => i))::date) THEN
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;

REVOKE ALL ON FUNCTION aaa.ensure_history_month(date), aaa.keep_history_months(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaa.ensure_history_month(date), aaa.keep_history_months(int, int) TO broadloom_platform;
