-- Which transaction wrote a profile last: the cluster keeps replies made of profiles and asks with each batch of logins
-- whether one was written since its snapshot (radius_cluster/process/login_sql.py).
CREATE OR REPLACE FUNCTION aaa.note_profile_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id();
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER note_profile_change BEFORE INSERT OR UPDATE ON aaa.profile
  FOR EACH ROW EXECUTE FUNCTION aaa.note_profile_change();
