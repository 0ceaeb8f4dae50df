"""Routers (NAS): add, list, and the configuration to paste into one."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from infra import clock
from portals.commands._nas_radsec import (
    give_certificate,
    give_key,
    give_secret,
    radsec_script,
    show_credentials,
    withdraw,
)
from portals.commands._output import emit
from portals.commands._places import place_pairs
from portals.commands._tenant import AT_THE_COMMAND_LINE, TenantCommand, given, open_tenant, tenant_option
from tenants.kernel.errors import Phrase
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.edit_nas import delete_nas, edit_form, edit_nas, reveal_secret
from tenants.network.errors import BadImport
from tenants.network.find import find_nas, find_region
from tenants.network.import_nas import import_nas, summary
from tenants.network.queries import list_nas, list_regions, nas_row
from tenants.network.set_replies import SetReplies, set_replies
from tenants.network.snippets import Snippet, SnippetFacts, snippet
from tenants.registry.settings import read


@click.group()
def command() -> None:
    """Add and list routers."""


@command.command("add")
@tenant_option
@click.option(
    "--identifier", default="", help="NAS-Identifier, beginning with the tenant's prefix; made when left out."
)
@click.option("--name", default="")
@click.option("--secret", default="", help="Shared secret of 8 to 60 characters; made when left out.")
@click.option("--vendor", required=True, help="mikrotik, huawei, cisco, h3c, zte, juniper, ikuai, standard, …")
@click.option("--address", default="", help="The router's IP address, where Disconnect and CoA are sent.")
@click.option("--auth-mode", default="identifier", show_default=True, help="identifier, address or ddns.")
@click.option("--ddns-name", default="", help="Dynamic DNS name of the router.")
@click.option("--coa-port", type=int, help="Port for Disconnect and CoA; the make's usual one when left out.")
@click.option("--message-authenticator", default="required", show_default=True, help="required or optional.")
@click.option("--region", help="Name or id.")
@click.option("--stale-minutes", type=int, help="How long its sessions may be silent; the provider's when left out.")
@click.option("--remark", default="")
def add(
    tenant: str,
    identifier: str,
    name: str,
    secret: str,
    vendor: str,
    address: str,
    auth_mode: str,
    ddns_name: str,
    coa_port: int | None,
    message_authenticator: str,
    region: str | None,
    stale_minutes: int | None,
    remark: str,
) -> None:
    """Add a router."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        wanted = AddNas(
            vendor=vendor,
            name=name,
            identifier=identifier,
            secret=secret,
            auth_mode=auth_mode,
            address=address,
            ddns_name=ddns_name,
            coa_port=coa_port,
            message_authenticator=message_authenticator,
            region_id=None if region is None else find_region(scope, region).id,
            stale_minutes=stale_minutes,
            remark=remark,
        )
        added = add_nas(scope, wanted, actor=AT_THE_COMMAND_LINE, now=clock.now())
        regions = {row.id: row.name for row in list_regions(scope)}
        row = nas_row(find_nas(scope, added.nas_id), regions)
        document = {field: getattr(row, field) for field in row.__dataclass_fields__}
    emit(
        {**document, "secret": added.secret},
        f"Added the router {added.identifier} (id {added.nas_id}).\nShared secret: {added.secret}\n"
        f"`broadloom nas script --tenant {tenant} {added.identifier}` prints its configuration.",
    )


@command.command("edit")
@tenant_option
@click.argument("nas")
@click.option("--name")
@click.option("--identifier", help="Must be changed in the router, too.")
@click.option("--vendor", help="A make, or own-NAME for a dialect of your own.")
@click.option("--auth-mode", help="identifier, address or ddns.")
@click.option("--address", help='The router\'s IP address; "" takes it away.')
@click.option("--ddns-name", help='Dynamic DNS name of the router; "" takes it away.')
@click.option("--coa-port", type=int, help="Port for Disconnect and CoA.")
@click.option("--message-authenticator", help="required or optional.")
@click.option("--region", help='Name or id; "" for none.')
@click.option("--timezone", help="Of the router's clock; \"\" for the provider's.")
@click.option("--stale-minutes", type=int, help="How long its sessions may be silent; 0 for the provider's.")
@click.option("--invert/--no-invert", default=None, help="Whether it reports up and down the other way round.")
@click.option("--remark")
def edit(
    tenant: str, nas: str, region: str | None, stale_minutes: int | None, invert: bool | None, **values: Any
) -> None:
    """Change a router (by identifier or id); what is left out stays. Its secret is not touched."""
    with open_tenant(tenant) as opened:
        scope = opened.scope
        found = find_nas(scope, nas)
        form = replace(edit_form(found), **given(**values, invert_directions=invert))
        if stale_minutes is not None:
            form = replace(form, stale_minutes=stale_minutes or None)
        if region is not None:
            form = replace(form, region_id=find_region(scope, region).id if region else None)
        edit_nas(scope, form, actor=AT_THE_COMMAND_LINE, now=clock.now())
        row = nas_row(found, {known.id: known.name for known in list_regions(scope)})
        more = {name: getattr(found, name) for name in ("timezone", "stale_seconds", "invert_directions", "remark")}
    emit({**asdict(row), **more}, f"Changed the router {row.identifier}.")


@command.command("list")
@tenant_option
def show_list(tenant: str) -> None:
    """List all routers."""
    with open_tenant(tenant) as opened:
        rows = list_nas(opened.scope)
    emit(rows)


@command.command("script")
@tenant_option
@click.argument("nas")
@click.option("--radsec", is_flag=True, help="For RADIUS over TLS, with the files of `nas radsec-certificate`.")
def script(tenant: str, nas: str, radsec: bool) -> None:
    """Print the configuration to paste into a router (by identifier or id)."""
    with open_tenant(tenant) as opened:
        made = radsec_script(opened, nas) if radsec else _script(opened, nas)
    emit({"title": made.title, "hint": made.hint, "script": made.text}, made.text)


def _script(opened: TenantCommand, nas: str) -> Snippet:
    settings, found = opened.installation.settings, find_nas(opened.scope, nas)
    facts = SnippetFacts(
        identifier=found.identifier,
        secret=reveal_secret(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now()),
        server=settings.radius_address,
        auth_port=settings.radius_auth_port,
        acct_port=settings.radius_acct_port,
        coa_port=found.coa_port,
        interim_seconds=read(opened.scope).interim_seconds,
        coa_sources=(settings.radius_address,),
        message_authenticator=found.message_authenticator,
    )
    return snippet(found.vendor, facts)


@command.command("radsec")
@tenant_option
@click.argument("nas")
def radsec(tenant: str, nas: str) -> None:
    """List a router's certificates and keys for RadSec (by identifier or id)."""
    show_credentials(tenant, nas)


@command.command("radsec-certificate")
@tenant_option
@click.argument("nas")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write ca.pem, router.pem and router.key there instead of printing them.",
)
def radsec_certificate(tenant: str, nas: str, folder: Path | None) -> None:
    """Issue a certificate for a router; those it has stay valid, so that it can change over."""
    give_certificate(tenant, nas, folder)


@command.command("radsec-key")
@tenant_option
@click.argument("nas")
def radsec_key(tenant: str, nas: str) -> None:
    """Make a pre-shared key for a router that cannot keep certificates."""
    give_key(tenant, nas)


@command.command("radsec-withdraw")
@tenant_option
@click.argument("nas")
@click.argument("credential")
def radsec_withdraw(tenant: str, nas: str, credential: str) -> None:
    """Withdraw a certificate or key (by number, fingerprint or identity); its connections are ended."""
    withdraw(tenant, nas, credential)


@command.command("renew-secret")
@tenant_option
@click.argument("nas")
@click.option("--secret", default="", help="Shared secret of 8 to 60 characters; made when left out.")
def new_secret(tenant: str, nas: str, secret: str) -> None:
    """Give a router another shared secret; until it has it too, its packets are refused."""
    give_secret(tenant, nas, secret)


@command.command("delete")
@tenant_option
@click.argument("nas")
def delete(tenant: str, nas: str) -> None:
    """Delete a router (by identifier or id); its packets are refused from now on."""
    with open_tenant(tenant) as opened:
        found = find_nas(opened.scope, nas)
        delete_nas(opened.scope, found.id, actor=AT_THE_COMMAND_LINE, now=clock.now())
    emit({"id": found.id, "identifier": found.identifier}, f"Deleted the router {found.identifier}.")


@command.command("replies")
@tenant_option
@click.argument("nas")
@click.option("--extra", help='Extra attributes, lines of "Attribute = value"; "" takes them away.')
@click.option("--rate-unit", help="bit/s, kbit/s or kB/s where its firmware differs from its make's dialect.")
@click.option("--expired", multiple=True, metavar="NAME=VALUE", help="Place for expired accounts: pool=…, up_bps=…, …")
@click.option("--expiring", multiple=True, metavar="NAME=VALUE", help="The same for accounts that end soon.")
@click.option("--expiring-days", type=int, help="How many days before the end that begins.")
@click.option("--region-only/--any-region", default=None, help="Whether accounts of other regions are refused.")
@click.option("--mac-auth/--no-mac-auth", default=None, help="Whether the calling device's MAC is its password.")
@click.option("--coa-rate", type=int, help="Disconnects and changes a second that it is sent at most.")
def replies(
    tenant: str,
    nas: str,
    extra: str | None,
    rate_unit: str | None,
    expired: tuple[str, ...],
    expiring: tuple[str, ...],
    expiring_days: int | None,
    region_only: bool | None,
    mac_auth: bool | None,
    coa_rate: int | None,
) -> None:
    """Show or change what a router (by identifier or id) is sent beyond its make's dialect."""
    given = {
        "extra": extra,
        "rate_unit": rate_unit,
        "expiring_days": expiring_days,
        "region_only": region_only,
        "mac_auth": mac_auth,
        "coa_rate": coa_rate,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changes |= {name: place_pairs(values) for name, values in (("expired", expired), ("expiring", expiring)) if values}
    with open_tenant(tenant) as opened:
        found = find_nas(opened.scope, nas)
        if changes:
            known = {name: value for name, value in found.options.items() if name in SetReplies.__dataclass_fields__}
            wanted = SetReplies(found.id, **{**known, **changes})
            set_replies(opened.scope, wanted, actor=AT_THE_COMMAND_LINE, now=clock.now())
        options = dict(found.options)
    emit({"identifier": found.identifier, "options": options})


@command.command("import")
@tenant_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check the rows.")
def import_table(tenant: str, file: Path, dry_run: bool) -> None:
    """Add the routers of a CSV table, or of a FreeRADIUS clients.conf: all, or none when a row is wrong."""
    with open_tenant(tenant) as opened:
        try:
            text = file.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise BadImport(field="table", why="it is not written in UTF-8") from None
        rows = import_nas(opened.scope, text, actor=AT_THE_COMMAND_LINE, now=clock.now(), dry_run=dry_run)
    _, bad = summary(rows)
    emit(
        [
            {
                "line": row.line,
                "name": row.name,
                "identifier": row.added.identifier if row.added else "",
                "secret": row.added.secret if row.added and not bad and not dry_run else "",
                "error": row.error.sentence() if row.error else "",
            }
            for row in rows
        ]
    )
    if bad:
        raise BadImport(field="table", why=Phrase("{count} rows are wrong, nothing was added", count=bad))
