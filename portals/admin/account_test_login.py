"""Test an account's login: exactly what a router would be answered, and nothing is counted or kept (SUB-10)."""

from typing import Any

from flask import render_template, request, url_for

from portals.admin.account import read_account
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login_trial import ask_cluster
from portals.shared.security import limiter
from portals.shared.tenancy import tenant_settings
from portals.shared.unit_of_work import installation
from portals.shared.words import ENDS_SOON, LOGIN_METHODS, TRIAL_EFFECTS, Refusal, refusal
from tenants.access.login_trial import METHODS, PAP, TrialAnswer
from tenants.access.rules import LEARN
from tenants.network.queries import list_nas
from tenants.subscribers import queries_online
from tenants.subscribers.queries_detail import AccountDetail
from tenants.subscribers.try_login import TryLogin, try_login

LONGEST_PASSWORD, LONGEST_PORT = 64, 128


@blueprint.route("/accounts/<int:account_id>/test-login", methods=["GET", "POST"])
@requires("accounts.view")
@limiter.limit("30 per minute", methods=["POST"])
def test_login_page(account_id: int) -> str | tuple[str, int]:
    """One panel: what to ask, and beneath it the answer."""
    account = read_account(account_id)
    actor().require("accounts.test_login")
    routers = [(str(row.id), row.name or row.identifier) for row in list_nas(scope())]
    form = Form(request.form if request.method == "POST" else None, _labels(), **_proposal(account, routers))
    answer = _ask(account_id, form, [number for number, _name in routers]) if form.sent else None
    page = render_template(
        "admin/account_test_login.html",
        form=form,
        account=account,
        routers=routers,
        methods=[(method, LOGIN_METHODS[method]) for method in METHODS],
        answer=answer,
        reason=_words(answer),
        effects=[] if answer is None else [(TRIAL_EFFECTS.get(code, code), detail) for code, detail in answer.effects],
        back=url_for("admin.show_account", account_id=account_id),
    )
    return page if form.ok else (page, 422)


def _labels() -> dict[str, str]:
    return {
        "router": _("Router"),
        "method": _("Login method"),
        "password": _("Password"),
        "mac": _("Device (MAC)"),
        "port": _("Port"),
    }


def _proposal(account: AccountDetail, routers: list[tuple[str, str]]) -> dict[str, Any]:
    """Where and with what he is online or bound, else the first router."""
    sessions = queries_online.sessions_of_account(
        scope(), account.id, present(), interim_seconds=tenant_settings().interim_seconds
    )
    first = sessions[0] if sessions else None
    ids = [number for number, _name in routers]
    wished = [str(account.bind_nas_id), str(first.nas_id) if first is not None else "", *ids]
    return {
        "router": next((number for number in wished if number in ids), ""),
        "method": PAP,
        "mac": _bound(account.bind_mac) or (first.mac if first is not None else ""),
        "port": _bound(account.bind_port) or (first.nas_port_id if first is not None else ""),
    }


def _bound(value: str) -> str:
    return "" if value == LEARN else value


def _ask(account_id: int, form: Form, routers: list[str]) -> TrialAnswer | None:
    command = TryLogin(
        account_id,
        as_number(form.choice("router", routers)) or 0,
        form.choice("method", METHODS),
        form.text("password", longest=LONGEST_PASSWORD, strip=False) or None,
        form.text("mac", longest=32),
        form.text("port", longest=LONGEST_PORT),
    )
    if form.ok:
        with form.refusals():
            attempt = ask_cluster(installation().settings)
            return try_login(scope(), command, attempt=attempt, actor=actor(), now=present())
    return None


def _words(answer: TrialAnswer | None) -> Refusal | None:
    if answer is None or not answer.reason:
        return None
    return ENDS_SOON if answer.reason == "expiring" else refusal(answer.reason)
