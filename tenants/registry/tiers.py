"""The service tiers that an ISP can choose (TEN-2) and how their limits are told."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from infra.tenant_scope import TenantScope
from tenants.registry.errors import TierLimitReached, UnknownTier
from tenants.registry.models import Tenant, Tier

FREE_TIER = "free"

# Null means unlimited. An installation may change prices and limits in the table; seeding never overwrites a row.
_SEED: tuple[tuple[str, str, str, int, int | None, int | None, int | None], ...] = (
    # code, English, Chinese, price a month, accounts, routers, sessions at once
    ("free", "Free", "免费版", 0, 100, 2, 100),
    ("standard", "Standard", "标准版", 99, 2_000, 20, 2_000),
    ("professional", "Professional", "专业版", 399, 20_000, 200, 20_000),
    ("unlimited", "Unlimited", "旗舰版", 1_999, None, None, None),
)


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
    rows = [
        {
            "code": code,
            "name_en": english,
            "name_zh": chinese,
            "sort": sort,
            "monthly_price": Decimal(price),
            "max_accounts": accounts,
            "max_nas": nas,
            "max_sessions": sessions,
        }
        for sort, (code, english, chinese, price, accounts, nas, sessions) in enumerate(_SEED, 1)
    ]
    session.execute(insert(Tier).values(rows).on_conflict_do_nothing())


def list_tiers(session: Session) -> list[TierView]:
    """All tiers, cheapest first."""
    return [_view(tier) for tier in session.scalars(select(Tier).order_by(Tier.sort))]


def check_tier(session: Session, code: str) -> None:
    """Raises :class:`UnknownTier`."""
    if session.get(Tier, code) is None:
        raise UnknownTier(field="tier", tier=code)


def tier_of(scope: TenantScope) -> TierView:
    """The tenant's tier."""
    tier = scope.registry.scalars(
        select(Tier).join(Tenant, Tenant.tier_code == Tier.code).where(Tenant.id == scope.tenant_id)
    ).one()
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
