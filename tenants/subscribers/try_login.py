"""Try a login of an account as a router would send it (SUB-10): decided as all are, and nothing is counted or kept."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.access.login_trial import METHODS, LoginTrial, TrialAnswer, Try
from tenants.kernel.actor import Actor
from tenants.network.find import find_nas
from tenants.subscribers.errors import BadValue
from tenants.subscribers.find import find_account
from tenants.subscribers.record_account import record_account
from tenants.subscribers.rules import normalise_mac


@dataclass(frozen=True, slots=True)
class TryLogin:
    """``nas``: id or identifier of the router that asks; ``password`` None is the stored one."""

    account_id: int
    nas: int | str
    method: str
    password: str | None = None
    mac: str = ""
    port: str = ""


def try_login(scope: TenantScope, command: TryLogin, *, attempt: Try, actor: Actor, now: datetime) -> TrialAnswer:
    """What the router would be answered; that it was asked is written down, as it tells whether a password is right.

    ``attempt`` asks the cluster. Raises AccountNotFound, NasNotFound, BadMac, BadValue, Forbidden, and what ``attempt``
    raises.
    """
    actor.require("accounts.test_login")
    account = find_account(scope, command.account_id, actor=actor)
    nas = find_nas(scope, command.nas)
    if command.method not in METHODS:
        raise BadValue(field="method", value=command.method, choices=", ".join(METHODS))
    trial = LoginTrial(
        tenant_id=scope.tenant_id,
        nas_id=nas.id,
        username=account.username,
        method=command.method,
        password=command.password,
        mac=normalise_mac(command.mac, field="mac"),
        port=command.port,
    )
    answer = attempt(trial)
    record_account(
        scope,
        account,
        "account.test_login",
        actor=actor,
        now=now,
        after={
            "router": nas.identifier,
            "login_method": trial.method,
            "password_kind": "stored" if trial.password is None else "typed",
            "accepted": answer.accepted,
            "reason_code": answer.reason,
        },
    )
    return answer
