"""Numbers of orders, receipts and settlements: per tenant and series, no gaps after commit."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from infra.tenant_scope import TenantScope
from tenants.kernel.ids import order_number
from tenants.ledger.models import NumberSeries

ORDER, RECEIPT, SETTLEMENT = "order", "receipt", "settlement"
PREFIXES = {ORDER: "D", RECEIPT: "R", SETTLEMENT: "S"}


def take_number(scope: TenantScope, series: str, now: datetime) -> str:
    """The next number of the series. Its row stays locked until the end of the transaction: take it late."""
    statement = insert(NumberSeries).values(series=series, last=1)
    last = scope.session.execute(
        statement.on_conflict_do_update(index_elements=["series"], set_={"last": NumberSeries.last + 1}).returning(
            NumberSeries.last
        )
    ).scalar_one()
    return order_number(PREFIXES[series], now.astimezone(scope.zone).date(), last)
