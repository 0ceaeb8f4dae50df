"""Sends the verification link of a waiting sign-up once more; the earlier link stops working."""

from datetime import datetime, timedelta

from sqlalchemy import select

from infra.crypto import token_digest
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.onboarding.sign_up import LINK_HOURS, SignUpReceipt, new_token, send_link
from tenants.registry.models import SignUp


def resend(database: Database, email: str, *, now: datetime, site_url: str) -> SignUpReceipt | None:
    """None when nothing waits for this address; a page must say the same in both cases."""
    if "\x00" in email:
        return None
    with unscoped(database, reason="sign up: send the link again") as session:
        waiting = session.scalars(
            select(SignUp)
            .where(SignUp.email == email.strip().lower(), SignUp.verified_at.is_(None), SignUp.expires_at > now)
            .order_by(SignUp.id.desc())
            .limit(1)
            .with_for_update()
        ).first()
        if waiting is None:
            return None
        token = new_token()
        waiting.token_digest = token_digest(token)
        waiting.expires_at = now + timedelta(hours=LINK_HOURS)
        send_link(session, waiting, token, site_url)
        return SignUpReceipt(waiting.email, waiting.expires_at, token)
