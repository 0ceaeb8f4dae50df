"""An ISP signs up (TEN-1): everything is checked, the slug is kept for a day, a link goes out by e-mail."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from infra.crypto import token_digest
from infra.db import Database
from infra.outbox import emit
from infra.tenant_scope import unscoped
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.onboarding.create_tenant import NewTenant, check_order
from tenants.onboarding.mails import VERIFY_PATH, verification
from tenants.registry import rules
from tenants.registry.errors import EmailTaken, SlugTaken
from tenants.registry.models import Owner, SignUp, Tenant
from tenants.registry.provision import TenantOrder
from tenants.registry.tiers import FREE_TIER, check_tier

LINK_HOURS = 24
NO_TENANT = 0  # outbox rows of people who are not an ISP yet


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The form as typed."""

    slug: str
    name: str
    contact_name: str
    email: str
    phone: str
    password: str
    tier: str = FREE_TIER
    locale: str = "zh"
    timezone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class SignUpReceipt:
    """Where the link went and how long it holds; ``token`` is for tests and the console, never for a page."""

    email: str
    expires_at: datetime
    token: str = field(repr=False)


def sign_up(database: Database, form: SignUpForm, *, now: datetime, site_url: str) -> SignUpReceipt:
    """Raises :class:`InvalidInputs` with every field that is wrong, or the one error."""
    order, errors = _check(form)
    with unscoped(database, reason="sign up: there is no tenant yet") as session:
        if order is not None:
            _lock_slug(session, order.slug)
        errors += _taken(session, form, now)
        try:
            check_tier(session, form.tier)
        except BusinessError as error:
            errors.append(error)
        if errors:
            raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
        assert order is not None
        return _keep(session, order, now, site_url)


def slug_refusal(database: Database, slug: str, *, now: datetime) -> BusinessError | None:
    """Why a slug cannot be had, None when it can (the live check beside the field)."""
    try:
        slug = rules.check_slug(slug)
    except BusinessError as error:
        return error
    with unscoped(database, reason="sign up: is this address free?") as session:
        return SlugTaken(field="slug", slug=slug) if _slug_is_taken(session, slug, "", now) else None


def send_link(session: Session, waiting: SignUp, token: str, site_url: str) -> None:
    """Put the e-mail with the link into the outbox, in the transaction that stores the token's digest."""
    mail = verification(
        locale=waiting.locale,
        name=waiting.name,
        slug=waiting.slug,
        link=f"{site_url.rstrip('/')}{VERIFY_PATH}{token}",
        hours=LINK_HOURS,
    )
    emit(session, NO_TENANT, "mail.send", mail.payload(waiting.email), subject=f"sign_up:{waiting.id}")


def new_token() -> str:
    """256 random bits that survive mail programs."""
    return secrets.token_urlsafe(32)


def _check(form: SignUpForm) -> tuple[TenantOrder | None, list[BusinessError]]:
    errors: list[BusinessError] = []
    try:
        rules.check_phone(form.phone, required=True)
    except BusinessError as error:
        errors.append(error)
    new = NewTenant(
        slug=form.slug,
        name=form.name,
        email=form.email,
        password=form.password,
        contact_name=form.contact_name,
        phone="",
        tier=form.tier,
        locale=form.locale,
        timezone=form.timezone,
        currency="CNY" if form.locale == "zh" else "USD",
    )
    order: TenantOrder | None = None
    try:
        order = check_order(new)
    except InvalidInputs as several:
        errors = several.errors + errors
    except BusinessError as error:
        errors.insert(0, error)
    else:
        order = TenantOrder(**{**_fields(order), "phone": form.phone.strip()})
    return order, errors


def _fields(order: TenantOrder) -> dict[str, str]:
    return {name: getattr(order, name) for name in TenantOrder.__dataclass_fields__}


def _lock_slug(session: Session, slug: str) -> None:
    """Two who ask for the same slug at once: one after the other, until the transaction's end."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('broadloom.slug'), hashtext(:slug))"), {"slug": slug})


def _taken(session: Session, form: SignUpForm, now: datetime) -> list[BusinessError]:
    errors: list[BusinessError] = []
    slug, email = form.slug.strip().lower(), form.email.strip().lower()
    if "\x00" in slug + email:
        return errors  # refused by the rules already; the database cannot even be asked
    if _slug_is_taken(session, slug, email, now):
        errors.append(SlugTaken(field="slug", slug=slug))
    if session.scalar(select(func.count()).where(Owner.email == email)):
        errors.append(EmailTaken(field="email", email=email))
    return errors


def _slug_is_taken(session: Session, slug: str, email: str, now: datetime) -> bool:
    """By a tenant of whatever state, or by somebody else's sign-up that still waits."""
    tenants = select(func.count()).where(Tenant.slug == slug)
    waiting = select(func.count()).where(
        SignUp.slug == slug, SignUp.email != email, SignUp.verified_at.is_(None), SignUp.expires_at > now
    )
    return bool(session.scalar(tenants) or session.scalar(waiting))


def _keep(session: Session, order: TenantOrder, now: datetime, site_url: str) -> SignUpReceipt:
    # Who signs up again (the e-mail was lost, a typing error) replaces what he asked for before.
    session.execute(
        update(SignUp)
        .where(SignUp.email == order.email, SignUp.verified_at.is_(None), SignUp.tenant_id.is_(None))
        .values(expires_at=func.least(SignUp.expires_at, now))
    )
    token = new_token()
    waiting = SignUp(
        token_digest=token_digest(token),
        slug=order.slug,
        name=order.name,
        contact_name=order.contact_name,
        email=order.email,
        phone=order.phone,
        password_hash=order.password_hash,
        tier_code=order.tier,
        locale=order.locale,
        timezone=order.timezone,
        created_at=now,
        expires_at=now + timedelta(hours=LINK_HOURS),
    )
    session.add(waiting)
    session.flush()  # the id is the subject of the mail
    send_link(session, waiting, token, site_url)
    return SignUpReceipt(waiting.email, waiting.expires_at, token)
