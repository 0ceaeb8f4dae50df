"""Sessions reported under an outer EAP name (``anonymous``, ``@isp``): whose they are our own Class says (RAD-2).

Access-Accepts of such logins name the account in User-Name, but some makes go on with the outer name unless they are
told otherwise (H3C's ``username-authorization apply``). They all send Class back (RFC 2865, 5.25).
"""

import re
import time
from typing import Any, Final

from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_record import KEY, TENANT, USER, Row
from radius_cluster.wire.codes import CLASS

OUTER: Final = ("anonymous", "@")
_CLASS: Final = re.compile(rb"([0-9]{5,})\.([0-9]{8,18})")  # what login_replies.accept sends
_KEEP_SECONDS: Final = 60.0
_MOST_NAMES: Final = 10_000
_ADOPT: Final = """
UPDATE aaa.session s SET account_id = q.account
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::bigint[]) AS q(tenant, nas, session, username, account)
WHERE s.tenant_id = q.tenant AND s.nas_id = q.nas AND s.session_id = q.session COLLATE "C"
  AND s.username = q.username COLLATE "C" AND s.account_id IN (0, q.account)
  AND EXISTS (SELECT FROM aaa.subscriber u WHERE u.tenant_id = q.tenant AND u.account_id = q.account)
RETURNING s.tenant_id, s.nas_id, s.session_id, s.username
"""


class OuterNames:
    """Sessions that have begun under an outer name, until they are stored."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Row, tuple[int, float]] = {}  # session → account, when it is given up

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def note(self, row: Row, request: Request) -> None:
        """A Start: remember whose it is, if its name is an outer one and its Class is ours and this tenant's."""
        if not row[USER].startswith(OUTER) or len(self._waiting) >= _MOST_NAMES:
            return
        for value in request.packet.all(CLASS):
            found = _CLASS.fullmatch(value)
            if found and int(found[1]) == row[TENANT]:
                self._waiting[row[KEY]] = int(found[2]), time.monotonic() + _KEEP_SECONDS

    async def adopt(self, connection: Any) -> None:
        """Give the stored ones to their accounts."""
        waiting = self._waiting
        keys = sorted(waiting)
        rows = await connection.fetch(_ADOPT, *zip(*keys, strict=True), [waiting[key][0] for key in keys])
        now = time.monotonic()
        for key in [tuple(row) for row in rows] + [key for key in keys if waiting[key][1] < now]:
            waiting.pop(key, None)
