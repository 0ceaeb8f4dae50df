"""The installation's own authority, which signs the RadSec server's certificate and those of routers (RFC 6614).

One for all tenants, because the server must show its certificate before it knows who is calling. It lets nobody in by
itself: a router is recognised by the fingerprint of its certificate.
"""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from infra.certificates import Certificate
from infra.crypto import CLUSTER_CERTIFICATE_KEY
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.network.models import ClusterCertificate
from tenants.network.rules_certificates import RADSEC, make_pki
from tenants.registry.keys import cluster_box


def cluster_authority(database: Database, server_names: list[str], *, now: datetime) -> Certificate:
    """The authority with its key, made now if there is none; ``server_names`` are what routers connect to."""
    with unscoped(database, reason="sign routers' certificates with the installation's authority") as session:
        row = session.get(ClusterCertificate, RADSEC)
        if row is None:
            made, box = make_pki("Broadloom RadSec CA", server_names, now), cluster_box()
            statement = insert(ClusterCertificate).values(
                name=RADSEC,
                authority_pem=made.authority.certificate_pem.decode(),
                authority_key_sealed=box.seal(made.authority.key_pem, CLUSTER_CERTIFICATE_KEY),
                chain_pem=made.chain_pem.decode(),
                key_sealed=box.seal(made.key_pem, CLUSTER_CERTIFICATE_KEY),
                expires_at=made.expires_at,
                updated_at=now,
            )
            session.execute(statement.on_conflict_do_nothing())
            row = session.get_one(ClusterCertificate, RADSEC)
        key = cluster_box().open(row.authority_key_sealed, CLUSTER_CERTIFICATE_KEY)
        return Certificate(row.authority_pem.encode(), key)


def cluster_authority_pem(database: Database, server_names: list[str], *, now: datetime) -> str:
    """The public certificate that routers are to trust."""
    return cluster_authority(database, server_names, now=now).certificate_pem.decode()
