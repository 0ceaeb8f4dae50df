"""Internet accounts: open, show, list."""

from datetime import datetime

import click

from infra import clock
from portals.commands._output import emit
from portals.commands._tenant import AT_THE_COMMAND_LINE, given, instant_in, now_option, open_tenant, tenant_option
from portals.shared.login_trial import ask_cluster
from tenants.access.login_trial import METHODS, PAP
from tenants.billing.open_account import OpenAccount, open_account
from tenants.catalog.find import find_plan, find_regions
from tenants.kernel.money import amount
from tenants.subscribers.create_account import CreateAccount
from tenants.subscribers.find import find_account
from tenants.subscribers.list_plain import list_plain
from tenants.subscribers.show_account import show_account
from tenants.subscribers.try_login import TryLogin, try_login


@click.group()
def command() -> None:
    """Open, show and list internet accounts."""


@command.command("open")
@tenant_option
@click.option("--username", required=True)
@click.option("--password", required=True)
@click.option("--plan", help="Name or id of the plan; without one only where the settings allow it.")
@click.option("--start", type=click.Choice(["now", "first-login"]), default="now", show_default=True)
@click.option("--quantity", type=int, default=1, show_default=True, help="How many periods to buy.")
@click.option("--method", type=click.Choice(["cash", "arrears"]), default="cash", show_default=True)
@click.option("--install-fee", help="Instead of the tenant's setting.")
@click.option("--region", help="Name or id; the first region when left out.")
@click.option("--name", "real_name", help="The customer's name.")
@click.option("--phone")
@click.option("--address")
@now_option
def open_one(
    tenant: str,
    username: str,
    password: str,
    plan: str | None,
    start: str,
    quantity: int,
    method: str,
    install_fee: str | None,
    region: str | None,
    real_name: str | None,
    phone: str | None,
    address: str | None,
    now: datetime | None,
) -> None:
    """Open an account with its first purchase."""
    fee = None if install_fee is None else amount(install_fee, field="install_fee")
    with open_tenant(tenant) as opened:
        scope, at = opened.scope, instant_in(opened.scope.zone, now)
        plan_id = None if plan is None else find_plan(scope, plan).id
        account = CreateAccount(
            username,
            password,
            plan_id=plan_id,
            region_id=None if region is None else find_regions(scope, [region])[0].id,
            fields=given(name=real_name, phone=phone, address=address),
        )
        asked = OpenAccount(
            account=account, plan_id=plan_id, quantity=quantity, method=method, start=start, install_fee=fee
        )
        result = open_account(scope, asked, actor=AT_THE_COMMAND_LINE, now=at)
        document = show_account(scope, result.account_id, at)
    emit(document, f"Opened account {username}, valid until {document['expires_at']}.")


@command.command("show")
@tenant_option
@now_option
@click.argument("username")
def show(tenant: str, username: str, now: datetime | None) -> None:
    """Show an account with its sessions."""
    with open_tenant(tenant) as opened:
        account = find_account(opened.scope, username)
        emit(show_account(opened.scope, account.id, instant_in(opened.scope.zone, now)))


@command.command("test-login")
@tenant_option
@click.option("--nas", required=True, help="Identifier or id of the router that asks.")
@click.option("--method", type=click.Choice(METHODS), default=PAP, show_default=True)
@click.option("--password", help="Instead of the stored one.")
@click.option("--mac", default="", help="The device, as Calling-Station-Id.")
@click.option("--port", default="", help="NAS-Port-Id.")
@click.argument("username")
def test_login(tenant: str, nas: str, method: str, password: str | None, mac: str, port: str, username: str) -> None:
    """Print what a router would be answered; nothing is counted or kept."""
    with open_tenant(tenant) as opened:
        command = TryLogin(find_account(opened.scope, username).id, nas, method, password, mac, port)
        attempt = ask_cluster(opened.installation.settings)
        answer = try_login(opened.scope, command, attempt=attempt, actor=AT_THE_COMMAND_LINE, now=clock.now())
    document = {
        "answer": "Access-Accept" if answer.accepted else "Access-Reject",
        "reason": answer.reason,
        "attributes": [{"attribute": name, "tag": tag, "value": value} for name, tag, value in answer.attributes],
        "effects": [{"effect": code, "detail": detail} for code, detail in answer.effects],
    }
    emit(document)


@command.command("list")
@tenant_option
@click.option("--online", is_flag=True, help="Only those who are online.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
def show_list(tenant: str, online: bool, limit: int) -> None:
    """List accounts by user name."""
    with open_tenant(tenant) as opened:
        emit(list_plain(opened.scope, clock.now(), online=online, limit=limit))
