"""A router's certificates, keys and secret, at the command line."""

import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra import clock
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, TenantCommand, open_tenant
from tenants.network.edit_nas import renew_secret
from tenants.network.errors import CredentialNotFound
from tenants.network.find import find_nas
from tenants.network.queries_radsec import Credential, credentials_of, radsec_endings
from tenants.network.radsec_credentials import issue_certificate, issue_psk, withdraw_credential
from tenants.network.rules_certificates import radsec_server_names
from tenants.network.snippets import Snippet
from tenants.network.snippets_radsec import AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE, RadsecFacts, radsec_snippet
from tenants.registry.settings import read


def show_credentials(tenant: str, nas: str) -> None:
    """Print a router's certificates and keys. Raises NasNotFound."""
    with open_tenant(tenant) as opened:
        scope, now = opened.scope, clock.now()
        found = find_nas(scope, nas)
        rows = credentials_of(scope, found.id, now=now)
        ending = radsec_endings(scope, {found.id: found.last_packet_at}, now=now).get(found.id)
        zone = scope.zone
    text = "\n".join(_line(row, zone) for row in rows) or f"{found.identifier} has no certificate and no key."
    if ending is not None:
        issued = "put the one that was issued since into it" if ending.next_at else "issue another one in time"
        text += f"\nWhat it comes in with ends on {ending.expires_at.astimezone(zone):%Y-%m-%d}: {issued}."
    emit([_document(row) for row in rows], text)


def give_certificate(tenant: str, nas: str, folder: Path | None) -> None:
    """Issue one and print it, or write its three files. Raises NasNotFound, TooManyCredentials."""
    with open_tenant(tenant) as opened:
        found = find_nas(opened.scope, nas)
        issued = issue_certificate(
            opened.scope, found.id, _server_names(opened), actor=AT_THE_COMMAND_LINE, now=clock.now()
        )
        files = {
            AUTHORITY_FILE: issued.authority_pem,
            CERTIFICATE_FILE: issued.certificate_pem,
            KEY_FILE: issued.key_pem,
        }
        if folder is not None:  # inside: what cannot be written is not issued
            folder.mkdir(parents=True, exist_ok=True)
            for name, pem in files.items():
                _write_secret(folder / name, pem)
    facts = {"id": issued.credential_id, "identifier": issued.identifier, "fingerprint": issued.fingerprint}
    facts |= {"expires_at": issued.expires_at}
    end = issued.expires_at.astimezone(opened.scope.zone)
    head = f"Issued certificate {issued.credential_id} for {issued.identifier}, until {end:%Y-%m-%d}."
    if folder is not None:
        written = [str(folder / name) for name in files]
        emit({**facts, "files": written}, "\n".join([head, *written]))
        return
    pems = {"certificate_pem": issued.certificate_pem, "key_pem": issued.key_pem, "authority_pem": issued.authority_pem}
    emit({**facts, **pems}, "\n".join([head, "The private key is stored nowhere.", *pems.values()]).rstrip())


def give_key(tenant: str, nas: str) -> None:
    """Make a pre-shared key and print it. Raises NasNotFound, TooManyCredentials."""
    with open_tenant(tenant) as opened:
        found = find_nas(opened.scope, nas)
        issued = issue_psk(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
    document = {"id": issued.credential_id, "identifier": found.identifier, "identity": issued.identity}
    text = (
        f"Made key {issued.credential_id} for {found.identifier}; it is shown this once.\nIdentity: {issued.identity}"
    )
    emit({**document, "key_hex": issued.key_hex}, f"{text}\nKey (hexadecimal): {issued.key_hex}")


def withdraw(tenant: str, nas: str, which: str) -> None:
    """By number, fingerprint or identity. Raises NasNotFound, CredentialNotFound."""
    with open_tenant(tenant) as opened:
        scope, now = opened.scope, clock.now()
        found = find_nas(scope, nas)
        wanted = which.replace(":", "").lower()
        rows = [row for row in credentials_of(scope, found.id, now=now) if row.state != "withdrawn"]
        row = next((row for row in rows if wanted in (str(row.id), row.identity.lower())), None)
        if row is None:
            raise CredentialNotFound(what="certificate", ref=which)
        withdraw_credential(scope, row.id, nas_id=found.id, actor=AT_THE_COMMAND_LINE, now=now)
    emit(
        {"id": row.id, "identifier": found.identifier, "identity": row.identity},
        f"Withdrawn from {found.identifier}: {row.kind} {row.id}. Connections that used it are ended.",
    )


def give_secret(tenant: str, nas: str, secret: str) -> None:
    """A new shared secret. Raises NasNotFound, BadSecret."""
    with open_tenant(tenant) as opened:
        found = find_nas(opened.scope, nas)
        made = renew_secret(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now(), secret=secret)
    emit(
        {"id": found.id, "identifier": found.identifier, "secret": made},
        f"{found.identifier} has a new secret: {made}\nUntil the router has it too, its packets are refused.",
    )


def radsec_script(opened: TenantCommand, nas: str) -> Snippet:
    """The configuration for RadSec to paste into a router."""
    settings, found = opened.installation.settings, find_nas(opened.scope, nas)
    interim = read(opened.scope).interim_seconds
    facts = RadsecFacts(found.identifier, settings.radius_address, settings.radsec_port, interim)
    return radsec_snippet(found.vendor, facts)


def _server_names(opened: TenantCommand) -> list[str]:
    settings = opened.installation.settings
    return radsec_server_names(settings.radius_address, settings.base_domain)


def _write_secret(path: Path, pem: str) -> None:
    """Readable by its owner alone, also while it is written."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that was there may have been everybody's
        file.write(pem)


def _line(row: Credential, zone: ZoneInfo) -> str:
    end = f" until {row.expires_at.astimezone(zone):%Y-%m-%d}" if row.expires_at else ""
    used = f"last used {row.last_used_at.astimezone(zone):%Y-%m-%d %H:%M} {row.last_source}" if row.last_used_at else ""
    return f"{row.id}  {row.kind} {row.identity}  {row.state}{end}  {used or 'never used'}"


def _document(row: Credential) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Credential.__dataclass_fields__}
