-- RADIUS nodes keep the NAS directory in memory; each change of what they keep wakes them, so that a router added in the
-- portal works at once. Columns that the nodes themselves write (last packet …) are not in the lists.
CREATE OR REPLACE FUNCTION registry.notify_directory() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM pg_notify('broadloom_directory', TG_ARGV[0] || ':' || OLD.id);
  ELSE
    PERFORM pg_notify('broadloom_directory', TG_ARGV[0] || ':' || NEW.id);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER notify_directory_nas AFTER INSERT OR DELETE OR UPDATE OF identifier, vendor, secret_sealed, auth_mode, address,
  ddns_name, ddns_addresses, coa_port, message_authenticator, invert_directions, region_id, timezone, stale_seconds, options, deleted_at, tenant_id
  ON registry.nas FOR EACH ROW EXECUTE FUNCTION registry.notify_directory('nas');
CREATE OR REPLACE TRIGGER notify_directory_tenant AFTER INSERT OR DELETE OR UPDATE OF slug, cell, state, nas_prefix, timezone, locale,
  interim_seconds, max_session_seconds, stale_intervals, data_key_wrapped
  ON registry.tenants FOR EACH ROW EXECUTE FUNCTION registry.notify_directory('tenant');

-- Certificates: the name of the column that says which tenant or router changed is the second argument.
CREATE OR REPLACE FUNCTION registry.notify_certificate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE changed jsonb;
BEGIN
  changed := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
  PERFORM pg_notify('broadloom_directory', TG_ARGV[0] || ':' || (changed ->> TG_ARGV[1]));
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER notify_directory_certificate AFTER INSERT OR DELETE OR UPDATE
  ON registry.tenant_certificates FOR EACH ROW EXECUTE FUNCTION registry.notify_certificate('certificate', 'tenant_id');
CREATE OR REPLACE TRIGGER notify_directory_radsec AFTER INSERT OR DELETE OR UPDATE OF nas_id, identity, psk_sealed, expires_at, revoked_at
  ON registry.radsec_credentials FOR EACH ROW EXECUTE FUNCTION registry.notify_certificate('radsec', 'nas_id');
-- A dialect is part of its tenant: replies of all its routers depend on it.
CREATE OR REPLACE TRIGGER notify_directory_dialect AFTER INSERT OR DELETE OR UPDATE
  ON registry.dialects FOR EACH ROW EXECUTE FUNCTION registry.notify_certificate('tenant', 'tenant_id');
