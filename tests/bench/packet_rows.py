"""Fills an installation with only what the packet path reads: tenants, routers, profiles, subscribers.

For the growth curves: a thousand tenants with all their tables would take ten minutes to make, and no packet looks at
them. User names, passwords, routers and secrets are those of ``demo fill``.
"""

from typing import Any

import psycopg

from infra.crypto import DATA_KEY, NAS_SECRET, SUBSCRIBER_PASSWORD, SecretBox, master_box, new_data_key
from migrations import environment
from tests.bench.tools import Load

_TENANT = (
    "INSERT INTO registry.tenants (id, slug, name, email, tier_code, cell, state, nas_prefix, data_key_wrapped,"
    " schema_version) SELECT %s, %s, %s, %s, (SELECT code FROM registry.tiers LIMIT 1), 'main', 'active', %s, %s, %s"
)
_MIGRATED = "INSERT INTO registry.tenant_migrations (tenant_id, version, migrated_at) VALUES (%s, %s, now())"
_NAS = (
    "INSERT INTO registry.nas (tenant_id, identifier, name, vendor, secret_sealed) VALUES (%s, %s, %s, 'mikrotik', %s)"
)
_PROFILE = "INSERT INTO aaa.profile (tenant_id, profile_id, version, up_bps, down_bps) VALUES (%s, 1, 1, 10e6, 50e6)"
_SUBSCRIBERS = (
    "COPY aaa.subscriber (tenant_id, username, account_id, password_sealed, state, activated, valid_until,"
    " max_sessions, profile_id) FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["int4", "text", "int8", "bytea", "int2", "bool", "timestamptz", "int2", "int8"]


def write_packet_rows(admin_url: str, secret_key: str, load: Load) -> None:
    """Do nothing when they are there."""
    master = master_box(secret_key)
    with psycopg.connect(admin_url) as connection:
        if connection.execute("SELECT 1 FROM aaa.subscriber LIMIT 1").fetchone():
            return
        [(until,)] = connection.execute("SELECT now() + interval '30 days'").fetchall()
        version = environment.head("tenant")
        boxes = {number: _add_tenant(connection, master, number, version) for number in range(1, load.tenants + 1)}
        with connection.cursor().copy(_SUBSCRIBERS) as copy:
            copy.set_types(_TYPES)
            for n in range(1, load.accounts + 1):
                tenant = (n - 1) % load.tenants + 1
                sealed = boxes[tenant].seal(b"p%06d" % n, SUBSCRIBER_PASSWORD)
                copy.write_row((tenant, f"u{n:06d}", n, sealed, 1, True, until, 1, 1))


def _add_tenant(connection: psycopg.Connection[Any], master: SecretBox, number: int, version: str) -> SecretBox:
    key, slug = new_data_key(), f"t{number:04d}"
    wrapped = master.seal(key, DATA_KEY + str(number).encode())
    connection.execute(_TENANT, [number, slug, slug, f"owner@{slug}.example", slug, wrapped, version])
    connection.execute(_MIGRATED, [number, version])  # there is no schema that could be migrated
    box = SecretBox(key)
    connection.execute(_NAS, [number, f"{slug}-nas1", "Router", box.seal(b"radius-secret", NAS_SECRET)])
    connection.execute(_PROFILE, [number])
    return box
