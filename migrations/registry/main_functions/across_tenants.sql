-- Questions whose answer concerns all tenants and reveals no more than yes or no. Definer rights, pinned search path.
CREATE OR REPLACE FUNCTION registry.identifier_taken(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT EXISTS (SELECT FROM registry.nas WHERE identifier = wanted AND deleted_at IS NULL) $$;

CREATE OR REPLACE FUNCTION registry.nas_address_taken(wanted inet) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT EXISTS (SELECT FROM registry.nas WHERE address = wanted AND auth_mode = 'address' AND deleted_at IS NULL) $$;

CREATE OR REPLACE FUNCTION registry.hostname_taken(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT EXISTS (SELECT FROM registry.hostnames WHERE hostname = wanted) $$;

REVOKE ALL ON FUNCTION registry.identifier_taken(text), registry.nas_address_taken(inet), registry.hostname_taken(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registry.identifier_taken(text), registry.nas_address_taken(inet), registry.hostname_taken(text)
  TO broadloom_app, broadloom_platform;
