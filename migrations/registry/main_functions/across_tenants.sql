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

-- Whether the longest tenant prefix that an identifier begins with is another tenant's ("abc-d-x" is abc-d's, not abc's).
CREATE OR REPLACE FUNCTION registry.prefix_of_another(wanted text, asking int) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT COALESCE((SELECT id <> asking FROM registry.tenants
    WHERE nas_prefix = ANY (ARRAY(SELECT array_to_string((string_to_array(wanted, '-'))[1:n], '-')
                                  FROM generate_series(1, cardinality(string_to_array(wanted, '-')) - 1) n))
      AND state <> 'deleted'
    ORDER BY length(nas_prefix) DESC LIMIT 1), false) $$;

REVOKE ALL ON FUNCTION registry.identifier_taken(text), registry.nas_address_taken(inet), registry.hostname_taken(text),
  registry.prefix_of_another(text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registry.identifier_taken(text), registry.nas_address_taken(inet), registry.hostname_taken(text),
  registry.prefix_of_another(text, int) TO broadloom_app, broadloom_platform;
