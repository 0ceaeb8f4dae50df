"""The service tiers that an ISP can choose (TEN-2) and how their limits are told."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from infra.tenant_scope import TenantScope
from tenants.registry.errors import TierLimitReached, UnknownTier
from tenants.registry.models import Tenant, Tier

FREE_TIER = "free"

# Null means unlimited. An installation may change prices and limits in the table; seeding never overwrites a row.
_SEED: tuple[dict[str, Any], ...] = (
    {"code": "free", "name_en": "Free", "name_zh": "免费版", "sort": 1, "monthly_price": Decimal(0), "max_accounts": 100, "max_nas": 2, "max_sessions": 100},
    {"code": "standard", "name_en": "Standard", "name_zh": "标准版", "sort": 2, "monthly_price": Decimal(99), "max_accounts": 2000, "max_nas": 20, "max_sessions": 2000},
    {"code": "professional", "name_en": "Professional", "name_zh": "专业版", "sort": 3, "monthly_price": Decimal(399), "max_accounts": 20000, "max_nas": 200, "max_sessions": 20000},
    {"code": "unlimited", "name_en": "Unlimited", "name_zh": "旗舰版", "sort": 4, "monthly_price": Decimal(1999), "max_accounts": None, "max_nas": None, "max_sessions": None},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TierView:
    """One tier as pages show it; null limits are unlimited."""

    code: str
    name_en: str
    name_zh: str
    monthly_price: Decimal
    max_accounts: int | None
    max_nas: int | None
    max_sessions: int | None


def ensure_tiers(session: Session) -> None:
    """Add the tiers that are missing (platform session)."""
    session.execute(insert(Tier).values(list(_SEED)).on_conflict_do_nothing())


def list_tiers(session: Session) -> list[TierView]:
    """All tiers, cheapest first."""
    return [_view(tier) for tier in session.scalars(select(Tier).order_by(Tier.sort))]


def check_tier(session: Session, code: str) -> None:
    """Raises :class:`UnknownTier`."""
    if session.get(Tier, code) is None:
        raise UnknownTier(field="tier", tier=code)


def tier_of(scope: TenantScope) -> TierView:
    """The tenant's tier."""
    tier = scope.registry.scalars(select(Tier).join(Tenant, Tenant.tier_code == Tier.code).where(Tenant.id == scope.tenant_id)).one()
    return _view(tier)


def require_room(scope: TenantScope, what: str, present: int, *, adding: int = 1) -> None:
    """Refuse what the tier does not include; ``what`` is ``accounts``, ``nas`` or ``sessions``.

    Raises :class:`TierLimitReached`, which names the tier, the limit and what is there already.
    """
    tier = tier_of(scope)
    limit: int | None = getattr(tier, f"max_{what}")
    if limit is not None and present + adding > limit:
        raise TierLimitReached(what=what, limit=limit, present=present, tier=tier.name_en, tier_code=tier.code)


def _view(tier: Tier) -> TierView:
    return TierView(
        tier.code, tier.name_en, tier.name_zh, tier.monthly_price, tier.max_accounts, tier.max_nas, tier.max_sessions
    )
