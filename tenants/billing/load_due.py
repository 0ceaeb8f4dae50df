"""What an account could pay at the instant it fell due, however late that is asked (billing-rules.md, "Prepaid")."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from infra.db import ask, schema_name
from infra.tenant_scope import TenantScope
from tenants.billing.load import LockedAccount
from tenants.ledger.chart import CUSTOMER, RECEIVABLE


@dataclass(frozen=True, slots=True)
class AtDue:
    """The account as it was at its expiry: who could not be renewed then stays expired, whatever was paid since."""

    balance: Decimal
    may_renew: bool  # active and owing nothing; for renewals by wish: the wish was there


# The entries after the expiry are taken off again. Operations keep the old value of what they change in the log.
_SINCE = """coalesce((
         SELECT sum(line.credit - line.debit)
           FROM {schema}.journal_lines line JOIN {schema}.journal_entries entry ON entry.id = line.entry_id
          WHERE line.kind = '{kind}' AND line.subject_id = a.id AND entry.at > a.expires_at), 0)"""
_WAS = """coalesce((
         SELECT before ->> '{field}' FROM {schema}.audit_entries
          WHERE object_kind = 'account' AND object_id = a.id::text AND at > a.expires_at AND before ? '{field}'
          ORDER BY id LIMIT 1), a.{field}::text)"""
# A plan or an expiry that was set afterwards fell due never: a purchase that was taken back, a day typed by hand.
_SET_LATER = """EXISTS (
         SELECT FROM {schema}.audit_entries
          WHERE object_kind = 'account' AND object_id = a.id::text AND at >= a.expires_at
            AND before ?| ARRAY['plan_id', 'expires_at'])"""
_READ = """
SELECT a.id, a.balance - {came}, a.receivable + {owed} <= 0 AND {state} = 'active' AND ({auto_renew}
       = 'true' OR p.kind = 'prepaid-month') AND NOT {set_later}
  FROM {schema}.accounts a JOIN {schema}.plans p ON p.id = a.plan_id WHERE a.id = ANY($1::bigint[])"""


@lru_cache(maxsize=2048)
def _read_sql(schema: str) -> str:
    return _READ.format(  # the schema's name is made of a number
        schema=schema,
        came=_SINCE.format(schema=schema, kind=CUSTOMER),
        owed=_SINCE.format(schema=schema, kind=RECEIVABLE),
        state=_WAS.format(schema=schema, field="state"),
        set_later=_SET_LATER.format(schema=schema),
        auto_renew=_WAS.format(schema=schema, field="auto_renew"),
    )


def load_due(scope: TenantScope, accounts: Sequence[LockedAccount]) -> dict[int, AtDue]:
    """Each account with a plan as of its expiry. One statement; the caller holds the locks of the accounts' rows."""
    scope.session.flush()  # read by SQL
    ids = "{" + ",".join(str(account.id) for account in accounts) + "}"
    rows = ask(scope.session, _read_sql(schema_name(scope.tenant_id)), [ids])
    return {int(i or 0): AtDue(Decimal((balance or b"0").decode()), may == b"t") for i, balance, may in rows}
