"""A plan with its promotions and regions as frozen values, for decisions: read with the account in one statement.

The text that the database sends is the key of a cache: what has not changed is not parsed again, and what has changed
counts at once, in every process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from infra.db import ask, schema_name
from infra.tenant_scope import TenantScope


@dataclass(frozen=True, slots=True)
class PromotionFacts:
    """One promotion of a plan."""

    id: int
    name: str
    gift_kind: str
    gift_value: Decimal
    minimum_quantity: int
    first_purchase_only: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """One plan as it stands in the catalogue now."""

    id: int
    group_id: int
    name: str
    kind: str
    price: Decimal
    usage: str
    visible: bool
    deleted: bool
    quota_octets: int | None
    quota_seconds: int | None
    validity_days: int | None
    region_ids: frozenset[int] | None  # None: sold in all regions
    promotions: tuple[PromotionFacts, ...]  # the oldest first, those of other times too

    def is_sold_in(self, region_id: int) -> bool:
        """Whether the plan is sold in this region (PLN-4)."""
        return self.region_ids is None or region_id in self.region_ids


_FACTS = """json_agg(json_build_object(
      'id', p.id, 'group_id', p.group_id, 'name', p.name, 'kind', p.kind, 'price', p.price::text, 'usage', p.usage,
      'visible', p.visible, 'deleted', p.deleted_at IS NOT NULL, 'quota_octets', p.quota_octets,
      'quota_seconds', p.quota_seconds, 'validity_days', p.validity_days,
      'region_ids', CASE WHEN NOT p.all_regions THEN (
        SELECT coalesce(json_agg(region_id), '[]') FROM {schema}.plan_regions WHERE plan_id = p.id) END,
      'promotions', (
        SELECT json_agg(json_build_array(id, name, gift_kind, gift_value::text, minimum_quantity, first_purchase_only,
                                         starts_at, ends_at) ORDER BY id)
          FROM {schema}.promotions WHERE plan_id = p.id AND deleted_at IS NULL)))::text"""
_SELECT = "SELECT {facts} FROM {schema}.plans p WHERE p.id = ANY($1::bigint[])"


def facts_sql(schema: str) -> str:
    """The expression over ``plans p`` that :func:`parse_plans` reads: one JSON text for all rows."""
    return _FACTS.format(schema=schema)


@lru_cache(maxsize=4096)
def parse_plans(text: str | bytes | None) -> dict[int, PlanFacts]:
    """The plans of one such text by id; the caller must not change the mapping."""
    return {} if text is None else {row["id"]: _plan(row) for row in orjson.loads(text)}


def _plan(row: dict[str, Any]) -> PlanFacts:
    regions = row.pop("region_ids")
    promotions = row.pop("promotions") or ()
    return PlanFacts(
        **{**row, "price": Decimal(row["price"])},
        region_ids=None if regions is None else frozenset(regions),
        promotions=tuple(_promotion(*promotion) for promotion in promotions),
    )


def _promotion(
    id: int, name: str, kind: str, value: str, minimum: int, first: bool, starts: str, ends: str
) -> PromotionFacts:
    at = datetime.fromisoformat
    return PromotionFacts(id, name, kind, Decimal(value), minimum, first, at(starts), at(ends))


def plan_facts(scope: TenantScope, plan_ids: Iterable[int]) -> dict[int, PlanFacts]:
    """These plans by id, deleted ones too; unknown ones are left out."""
    schema = schema_name(scope.tenant_id)
    scope.session.flush()  # read by SQL
    sql = _SELECT.format(facts=facts_sql(schema), schema=schema)
    ids = "{" + ",".join(map(str, sorted(plan_ids))) + "}"
    return parse_plans(ask(scope.session, sql, [ids])[0][0])
