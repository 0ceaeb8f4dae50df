"""Logins of names that no account has: routers and people write one name in many ways (wire/user_names.py).

First as the name stands, without what is around it, and in small letters. Where nobody has it so, an account that has
capitals is looked for; but letters are only changed where no second account differs in nothing else.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from radius_cluster.listen.receive import Request
from radius_cluster.process.login_sql import CAPITALS, ORDINAL
from radius_cluster.wire.user_names import changes_letters, in_small_letters, other_spellings


class Spelled(Request):
    """A login as if the account's own name stood in it: guesses are counted for that, or each spelling would have its
    own ten. It gets no answer itself."""

    __slots__ = ("_name",)

    def __init__(self, written: Request, name: str) -> None:
        way = written.receiver, written.source, written.key, written.arrived
        super().__init__(written.packet, written.nas, *way)
        self._name = name

    @property
    def user_name(self) -> str:
        """The account's."""
        return self._name


Spellings = dict[int, tuple[Any, Spelled]]  # by places among a batch's requests: the account's row, and the login


Ways = Sequence[tuple[int, str]]  # places among a batch's requests, and names to look for
Remember = Callable[[list[int], list[str], list[Any]], None]


async def find_by_spelling(
    connection: Any,
    statement: Any,
    requests: Sequence[Request],
    names: Sequence[str],
    strangers: Sequence[int],
    now: float,
    snapshot: str,
    remember: Remember,
) -> Spellings:
    """The accounts of those strangers whose names are theirs in another spelling, by their places among the requests.

    ``remember`` is told them under the names that the routers write, as they will again while the database is away.
    """

    async def look_for(asked: Ways) -> Spellings:
        if not asked:
            return {}
        tenants = [requests[at].nas.tenant for at, _ in asked]
        tenant_ids = [tenant.id for tenant in tenants]
        alive_after = [now - tenant.stale_seconds for tenant in tenants]
        fetched = await statement.fetch(tenant_ids, [way for _, way in asked], alive_after, snapshot)
        found: Spellings = {}
        for row in sorted(map(tuple, fetched), key=itemgetter(ORDINAL)):
            at, way = asked[row[ORDINAL] - 1]
            if at not in found:  # the likeliest comes first
                found[at] = row, Spelled(requests[at], way)
        if found:
            remember(tenant_ids, [names[at] for at, _ in asked], [row for row, _ in found.values()])
        return found

    found = await look_for([(at, way) for at in strangers for way in other_spellings(names[at])])
    small = [(at, way) for at in strangers if at not in found for way in in_small_letters(names[at])]
    small += [(at, one.user_name) for at, (_, one) in found.items() if changes_letters(names[at], one.user_name)]
    if not small:
        return found
    tenant_ids = [requests[at].nas.tenant.id for at, _ in small]
    capitals: dict[int, tuple[str, int]] = {}
    for ordinal, name, accounts in sorted(await connection.fetch(CAPITALS, tenant_ids, [way for _, way in small])):
        capitals.setdefault(small[ordinal - 1][0], (name, accounts))
    for at in found.keys() & capitals.keys():  # which of them is meant?
        del found[at]
        del capitals[at]
    return found | await look_for([(at, name) for at, (name, accounts) in capitals.items() if accounts == 1])
