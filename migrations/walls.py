"""Row-level security and grants of the shared schemas, written down once (architecture.md, "Data": the second wall).

Pure: table names in, SQL out; frozen into the baselines. A table that is not listed here fails a test.
"""

from infra.db import APP_ROLE, PLATFORM_ROLE, RADIUS_ROLE

# Evaluated once per statement (a scalar sub-select), not per row; no tenant set → NULL → nothing is visible.
CURRENT_TENANT = "(SELECT NULLIF(current_setting('broadloom.tenant_id', true), '')::int)"

# Registry tables of one tenant: the column that says whose the row is.
REGISTRY_TENANT_COLUMNS = {
    "tenants": "id",
    "owners": "tenant_id",
    "hostnames": "tenant_id",
    "nas": "tenant_id",
    "tenant_migrations": "tenant_id",
    "support_logins": "tenant_id",
    "tenant_certificates": "tenant_id",
    "radsec_credentials": "tenant_id",
    "dialects": "tenant_id",
}

_EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
_TENANT_FACTS = (
    "id, slug, name, state, cell, nas_prefix, timezone, locale, interim_seconds, max_session_seconds, stale_intervals"
)

# What each role may do, per table; a list of column grants where a whole table would be too much.
REGISTRY_GRANTS: dict[str, dict[str, list[str]]] = {
    APP_ROLE: {
        "tenants": [
            "SELECT",
            "UPDATE (name, email, phone, timezone, locale, currency, interim_seconds, max_session_seconds)",
            "UPDATE (tier_code, stale_intervals, directory_version)",
        ],
        "owners": ["SELECT", "UPDATE (email, name)"],
        "hostnames": [_EVERYTHING],
        "nas": ["SELECT", "INSERT", "UPDATE"],  # routers are only ever marked as deleted
        "tenant_migrations": ["SELECT"],
        "support_logins": ["SELECT", "UPDATE (ended_at, ended_by)"],  # the tenant may end one, never begin one
        "tenant_certificates": ["SELECT", "INSERT", "UPDATE"],
        "radsec_credentials": ["SELECT", "INSERT", "UPDATE (revoked_at, revoked_by)"],
        "dialects": [_EVERYTHING],
        "tiers": ["SELECT"],
        "nodes": ["SELECT (node, kind, state, address, auth_port, acct_port, radsec_port, started_at, heartbeat_at)"],
    },
    RADIUS_ROLE: {
        "tenants": [f"SELECT ({_TENANT_FACTS}, data_key_wrapped, directory_version)"],
        "nas": [
            "SELECT",
            "UPDATE (first_packet_at, first_accept_at, first_online_at, last_packet_at, last_source)",
            "UPDATE (other_sources, returns, returned_at)",
        ],
        "nodes": [_EVERYTHING],
        "tenant_certificates": ["SELECT", "INSERT"],
        "radsec_credentials": ["SELECT", "UPDATE (last_used_at, last_source)"],
        "cluster_certificates": ["SELECT", "INSERT", "UPDATE"],
        "dialects": ["SELECT"],
    },
}
_APPEND_ONLY = {"platform_audit"}
_APP_READS_ONLY = {"packet_count"}  # of schema aaa

# Outbox topics the packet path may read and write.
_RADIUS_TOPICS = "(topic LIKE 'radius.%' OR topic LIKE 'account.%')"


def registry_walls(tables: list[str]) -> str:
    """Security and grants of schema ``registry``."""
    lines = [f"GRANT USAGE ON SCHEMA registry TO {APP_ROLE}, {PLATFORM_ROLE}, {RADIUS_ROLE};"]
    for table in tables:
        rights = "SELECT, INSERT" if table in _APPEND_ONLY else _EVERYTHING
        lines.append(f"GRANT {rights} ON registry.{table} TO {PLATFORM_ROLE};")
        for role, grants in REGISTRY_GRANTS.items():
            lines += [f"GRANT {right} ON registry.{table} TO {role};" for right in grants.get(table, [])]
        column = REGISTRY_TENANT_COLUMNS.get(table)
        if column:
            lines += _tenant_policies("registry", table, column, radius="true")
    return "\n".join(lines) + "\n"


def aaa_walls(tables: list[str]) -> str:
    """Security and grants of schema ``aaa``; a constant policy costs the packet path nothing per row."""
    lines = [f"GRANT USAGE ON SCHEMA aaa TO {APP_ROLE}, {PLATFORM_ROLE}, {RADIUS_ROLE};"]
    for table in tables:
        lines.append(f"GRANT {_EVERYTHING} ON aaa.{table} TO {PLATFORM_ROLE}, {RADIUS_ROLE};")
        lines.append(f"GRANT {'SELECT' if table in _APP_READS_ONLY else _EVERYTHING} ON aaa.{table} TO {APP_ROLE};")
        lines += _tenant_policies("aaa", table, "tenant_id", radius="true")
    return "\n".join(lines) + "\n"


def work_walls(tables: list[str]) -> str:
    """Security and grants of schema ``work``."""
    lines = [f"GRANT USAGE ON SCHEMA work TO {APP_ROLE}, {PLATFORM_ROLE}, {RADIUS_ROLE};"]
    for table in tables:
        lines.append(f"GRANT {_EVERYTHING} ON work.{table} TO {APP_ROLE}, {PLATFORM_ROLE};")
        if table == "outbox":
            lines.append(f"GRANT SELECT, INSERT, UPDATE ON work.outbox TO {RADIUS_ROLE};")
        elif table == "due":
            lines.append(f"GRANT SELECT, INSERT, UPDATE ON work.due TO {RADIUS_ROLE};")
        radius = {"outbox": _RADIUS_TOPICS, "due": "kind LIKE 'account.%'"}.get(table, "")
        lines += _tenant_policies("work", table, "tenant_id", radius=radius)
    return "\n".join(lines) + "\n"


def _tenant_policies(schema: str, table: str, column: str, *, radius: str) -> list[str]:
    name, own = f"{schema}.{table}", f"{column} = {CURRENT_TENANT}"
    lines = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY;",
        f"CREATE POLICY own_tenant ON {name} TO {APP_ROLE} USING ({own}) WITH CHECK ({own});",
        f"CREATE POLICY all_tenants ON {name} TO {PLATFORM_ROLE} USING (true) WITH CHECK (true);",
    ]
    if radius:
        lines.append(f"CREATE POLICY packet_path ON {name} TO {RADIUS_ROLE} USING ({radius}) WITH CHECK ({radius});")
    return lines


def tenant_grants(schema: str) -> str:
    """Grants of a tenant's own schema: the app role only, and the audit log may only grow."""
    return "\n".join(
        [
            f"GRANT USAGE ON SCHEMA {schema} TO {APP_ROLE};",
            f"GRANT {_EVERYTHING} ON ALL TABLES IN SCHEMA {schema} TO {APP_ROLE};",
            f"REVOKE UPDATE, DELETE ON {schema}.audit_entries FROM {APP_ROLE};",
            f"GRANT UPDATE (previous_hash, hash, position) ON {schema}.audit_entries TO {APP_ROLE};",
            "",
        ]
    )
