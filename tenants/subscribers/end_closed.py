"""End sessions under the names of accounts that were closed or deleted while they dialled.

A login is decided before its Start comes. By then the cluster no longer knows the account, so the session counts as
nobody's (account 0), as those of users kept on the router itself do: only the account's own name tells.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select

from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import DISCONNECT
from tenants.access.disconnect import emit_for_sessions
from tenants.subscribers.models import Account
from tenants.usage.models import Session as OnlineSession


def end_sessions_of_closed(scope: TenantScope, usernames: Sequence[str], *, closed_since: datetime) -> int:
    """Ask for the end of nobody's sessions under those of these names whose account ended since; gives how many."""
    ended = select(Account.username).where(
        Account.username.in_(usernames), or_(Account.closed_at >= closed_since, Account.deleted_at >= closed_since)
    )
    names = scope.session.scalars(ended).all()
    if not names:
        return 0
    theirs = [OnlineSession.account_id == 0, OnlineSession.username.in_(names)]
    return emit_for_sessions(scope, DISCONNECT, theirs, "closed")
