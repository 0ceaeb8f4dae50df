"""Logins (RAD-2, RAD-3): gathered while a round trip is under way, decided together, answered each by itself."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import structlog

from radius_cluster.counters import Counters, dropped
from radius_cluster.listen.database import Lane, drop_if_away
from radius_cluster.listen.receive import Request
from radius_cluster.process import login_sql as sql
from radius_cluster.process.credentials import verify_password
from radius_cluster.process.eap_request import EapLogins
from radius_cluster.process.find_by_spelling import Spelled, Spellings, find_by_spelling
from radius_cluster.process.last_known_good import LastKnownGood
from radius_cluster.process.led_to_place import LedMeanwhile, led_of, note_led
from radius_cluster.process.lock_out import LockOut
from radius_cluster.process.login_replies import accept, reject, with_own
from radius_cluster.process.ready_replies import KeptReplies, at_other_rate, encode_place, ends_soon, last_ready
from radius_cluster.process.redial import count_old_sessions, own_limits, probe_old_sessions, redials_of
from radius_cluster.process.special_login import Special, local_minute, read_special, until_closed
from radius_cluster.routing.directory import Ready
from radius_cluster.wire.codes import USER_NAME
from tenants.access.reasons import CODES
from tenants.access.rules import OK, decide, in_windows, is_over, may_connect_until, session_seconds, window_profile

LOG = structlog.get_logger(__name__)

LANES: Final = 4  # batches under way at once: measured +20 % against one
# Whoever comes while a batch is under way waits for its return, or until as many wait as the database is being asked
# about: the smaller a batch, the dearer its logins (one of five twice as dear as one of fifty).
_WORTH_A_LANE: Final = 32
_GOES_AHEAD: Final = 8  # so many that wait are sent to the database before those that came back from it are decided
_LARGEST_BATCH: Final = 512
_NEARLY: Final = 0.9  # two halves of what a router has on its way differ by a few, and shall stay two
_LONGEST_QUEUE: Final = 20_000
_TOO_OLD_SECONDS: Final = 6.0  # the router has asked again or given up

Batch = list[Request | None]  # a request becomes None when it is decided
Allowed = tuple[int, bytes, float]  # account, attributes, seconds: what login_replies.accept takes


class Logins:
    """The logins of one cell's tenants."""

    def __init__(
        self, url: str, cell: str, counters: Counters, eap: EapLogins, lock_out: LockOut | None = None
    ) -> None:
        self._queue: deque[Request] = deque()
        self._counters = counters
        self._eap = eap
        self._lock_out = lock_out or LockOut()
        self._memory, self.led = LastKnownGood(), LedMeanwhile()
        self._kept = KeptReplies()
        self._asked = 0  # logins that the database is being asked about
        self._degraded = False  # the database is away: decide from memory (RAD-10)
        self._unknown: deque[Request] = deque()  # meanwhile: those of accounts that we have never seen
        # Hands a request to processes that may know its account; gives whether there are any.
        self.ask_others: Callable[[Request], bool] = lambda _request: False
        self.lanes: list[Lane[Batch]] = [
            Lane(
                url,
                f"broadloom radius {cell} login {number}",
                prepare=self._prepare,
                take=self._take,
                work=self._work,
                give_back=self._give_back,
            )
            for number in range(1, LANES + 1)
        ]

    def submit(self, request: Request) -> None:
        """Take a verified Access-Request."""
        queue = self._queue
        if len(queue) >= _LONGEST_QUEUE:  # the newest goes: those before it are nearer to an answer
            self._drop(request, "overload")
            return
        if self._degraded:
            self._decide_from_memory(request)
            return
        queue.append(request)
        waiting = len(queue)
        if waiting == 1:
            if not self._asked:
                self._wake_one()
        elif not waiting % _WORTH_A_LANE and waiting >= self._enough():
            self._wake_one()

    def wants_more(self) -> bool:
        """Whether what else has arrived had better be read at once, because too few wait for a batch."""
        return len(self._queue) < _NEARLY * self._enough()

    def _enough(self) -> int:
        """So many that wait are worth asking about beside those that are asked about already."""
        return min(self._asked, _LARGEST_BATCH)

    def _wake_one(self) -> bool:
        return any(lane.wake() for lane in self.lanes)

    def tick(self, now: float) -> None:
        """Twice a second: notice that the database is away, and serve those that wait from memory."""
        self._lock_out.tick(time.time())
        if drop_if_away(self.lanes, now):  # what waits for an answer of the database gets it from memory
            if not self._degraded:
                LOG.warning("logins_from_memory", known=len(self._memory))
            self._degraded = True
        elif any(lane.up for lane in self.lanes):
            self._use_database()
            self._memory.tick()
        while self._degraded and self._queue:
            self._decide_from_memory(self._queue.popleft())
        if self._queue:
            self._wake_one()
        oldest = time.time() - _TOO_OLD_SECONDS
        while self._unknown and self._unknown[0].arrived < oldest:
            self._drop(self._unknown.popleft(), "database_away")

    def _use_database(self) -> None:
        if self._degraded:
            self._degraded = False
            LOG.warning("logins_from_the_database", known=len(self._memory))
            self._memory.close()
            self._queue.extendleft(reversed(self._unknown))
            self._unknown.clear()

    def busy(self) -> bool:
        """Whether anything still waits for its decision."""
        return bool(self._queue) or any(lane.busy_since for lane in self.lanes)

    def _drop(self, request: Request, reason: str) -> None:
        request.forget(reason)
        self._counters.count(request.nas, dropped("auth", reason))

    async def _prepare(self, connection: Any) -> tuple[Any, Any]:
        prepared = connection, await connection.prepare(sql.LOGIN)
        await self._kept.begin(connection)
        await self.led.note(connection)
        self._use_database()
        return prepared

    def _take(self) -> Batch | None:
        queue = self._queue
        if len(queue) < self._enough():
            return None  # the return of those that are asked about wakes a lane
        oldest = time.time() - _TOO_OLD_SECONDS
        while queue and queue[0].arrived < oldest:
            self._drop(queue.popleft(), "too_late")
        if len(queue) <= _LARGEST_BATCH:
            batch: Batch = list(queue)
            queue.clear()
        else:
            batch = [queue.popleft() for _ in range(_LARGEST_BATCH)]
        return batch or None

    def _give_back(self, batch: Batch) -> None:
        waiting = [request for request in batch if request is not None]
        if self._degraded:
            for request in waiting:
                self._decide_from_memory(request)
        else:
            self._queue.extendleft(reversed(waiting))
            self._wake_one()

    async def _work(self, prepared: tuple[Any, Any], batch: Batch) -> None:
        connection, statement = prepared
        now = time.time()
        requests = [request for request in batch if request is not None]
        tenants = [request.nas.tenant for request in requests]
        tenant_ids = [tenant.id for tenant in tenants]
        names = [r.packet.text(USER_NAME) if r.eap is None else r.user_name for r in requests]
        alive_after = [now - tenant.stale_seconds for tenant in tenants]
        self._asked += len(requests)
        try:
            rows = [*map(tuple, await statement.fetch(tenant_ids, names, alive_after, self._kept.snapshot))]
        finally:
            self._asked -= len(requests)
        if len(self._queue) >= max(_GOES_AHEAD, self._enough()) and self._wake_one():
            await asyncio.sleep(0)
        if rows and rows[0][sql.CHANGED] is not None:
            await self._kept.forget_changed(connection)
        now = time.time()
        batch[:] = requests
        if rows:
            self._memory.remember(tenant_ids, names, rows)
        special = self._decide_plain(requests, rows, batch, now)
        spelled: Spellings = {}
        if len(rows) < len(requests):
            known = {row[sql.ORDINAL] - 1 for row in rows}
            strangers = [at for at in range(len(requests)) if at not in known]
            kept = self._kept.snapshot, self._memory.remember
            spelled = await find_by_spelling(connection, statement, requests, names, strangers, now, *kept)
            for at, (row, who) in spelled.items():
                if requests[at].eap is None or self._eap_goes_on(requests[at], row, now, who):
                    special.append((at, row))
                else:
                    batch[at] = None
            for at in strangers:
                if at not in spelled:
                    batch[at] = None
                    if requests[at].eap is not None:
                        self._eap.unknown(requests[at])
                    reject(requests[at], self._counters, "unknown_user", None, now)
        if special:
            if self._queue:  # this may take a while
                self._wake_one()
            await self._decide_special(connection, requests, special, batch, now, spelled)
        self._counters.took("auth", time.time(), requests)

    def _decide_plain(
        self, requests: list[Request], rows: list[tuple[Any, ...]], batch: Batch, now: float
    ) -> list[tuple[int, Any]]:
        """Decide the logins that have nothing special, nearly all; gives the others."""
        special: list[tuple[int, Any]] = []
        counters, recognise = self._counters, self._recognise
        for row in rows:
            ordinal, account_id, _sealed, valid_until, profile_id, renews, _locale, _changed, rare = row
            at = ordinal - 1
            request = requests[at]
            if request.eap is not None and not self._eap_goes_on(request, row, now):
                batch[at] = None
                continue
            left = valid_until - now
            ready = request.nas.replies.get(profile_id)
            if ready is None or rare is not None or ready[1] or left < ready[4]:  # the last two are few plans'
                special.append((at, row))
                continue
            batch[at] = None
            added = recognise(request, row, now)
            if added is None:
                continue
            if left <= 0 and is_over(valid_until, renews, now):
                self._refuse_or_serve_expired(request, row, "expired", added, now, ready)
                continue
            seconds = session_seconds(valid_until, now, ready[3], renews)
            accept(request, counters, account_id, ready[0] + added if added else ready[0], seconds)
        return special

    def _eap_goes_on(self, request: Request, row: Any, now: float, who: Spelled | None = None) -> bool:
        """As ``EapLogins.knows``. Who is locked out hears no more of the conversation: the server's own proof, which
        may come before the decision, would tell him that he has found the password."""
        if self._lock_out.anybody and self._lock_out.is_locked(who or request, now):
            self._eap.unknown(request)
            return True
        return self._eap.knows(request, row[sql.SEALED], self.submit)

    def _recognise(self, request: Request, row: Any, now: float, spelled: Spelled | None = None) -> bytes | None:
        """The password, before all other rules; None when the login was refused."""
        who, lock_out = spelled or request, self._lock_out
        reason = ""
        added = None
        if lock_out.anybody and lock_out.is_locked(who, now):
            reason = "locked_out"
            lock_out.refused(who)
        else:
            added = verify_password(request, row[sql.SEALED])
            if added is None:
                reason = "wrong_password"
                lock_out.failed(who, now, row[sql.ACCOUNT])
            else:
                if lock_out.anybody:
                    lock_out.succeeded(who)
                if request.nas.tenant.suspended:
                    reason = "tenant_suspended"
        if reason:
            reject(request, self._counters, reason, row[sql.ACCOUNT], now, row[sql.LOCALE])
            return None
        return added

    def _refuse_or_serve_expired(
        self, request: Request, row: Any, reason: str, added: bytes, now: float, ready: Ready
    ) -> None:
        """An expired account may enter the place that its plan or the router has for such, instead of being refused
        (NET-4, CAP-3)."""
        nas = request.nas
        request.note(reason)
        if reason in ("expired", "arrears"):
            body = ready[2]
            if body is None and nas.expired is not None:
                body = encode_place(nas, nas.expired)
            if body is not None:
                accept(request, self._counters, row[sql.ACCOUNT], body + added, ready[3])
                return
        reject(request, self._counters, reason, row[sql.ACCOUNT], now, row[sql.LOCALE])

    def _decide_from_memory(self, request: Request) -> None:
        """What the database last said of this account; open sessions are not counted, nobody unknown gets an answer."""
        nas, now = request.nas, time.time()
        row = self._memory.recall(nas.tenant.id, request.user_name)
        special = None if row is None else read_special(row[sql.RARE], request.packet, nas, now)
        new = special is not None and not special.activated  # a first login must be written down
        if special is None or (new and not self._memory.has_begun(nas.tenant.id, row[sql.ACCOUNT])):
            if request.eap is None and self.ask_others(request):  # who may know; an EAP conversation is ours alone
                request.forget()
            elif len(self._unknown) < _LONGEST_QUEUE:  # it may have been a moment only
                self._unknown.append(request)
            else:
                self._drop(request, "overload")
            return
        if request.eap is not None and not self._eap_goes_on(request, row, now):
            return
        if (added := self._recognise(request, row, now)) is None:
            return
        ready = last_ready(nas, row)
        soon, windows, longest = ends_soon(ready, row, now), ready[1], ready[3]
        weekday, minute = local_minute(nas.tenant, now) if windows else (0, 0)
        verdict = decide(
            special.state, not new, may_connect_until(row[sql.VALID_UNTIL], row[sql.RENEWS]), special.in_arrears, now,
            special.place_allowed,
            special.bind_mac, special.mac, special.bind_port, special.port, special.quota_used_up and special.quota_cut,
            not windows or in_windows(windows, weekday, minute), 0, 0, False,
        )  # fmt: skip
        shown = {"tenant": nas.tenant.slug, "username": request.user_name, "verdict": CODES[verdict] or "ok"}
        LOG.info("login_from_memory", **shown)
        if verdict != OK:
            self._refuse_or_serve_expired(request, row, CODES[verdict], added, now, ready)
            return
        seconds = session_seconds(row[sql.VALID_UNTIL], now, longest, row[sql.RENEWS])
        seconds = until_closed(windows, nas.tenant, now, seconds)
        if soon:
            self.led.add(led_of(request, row, ready, now))
        body, seconds = with_own(special, nas, ready[5] if soon else ready[0], seconds)
        accept(request, self._counters, row[sql.ACCOUNT], body + added, seconds)

    async def _decide_special(
        self, connection: Any, requests: list[Request], special: list[tuple[int, Any]], batch: Batch, now: float,
        spelled: Spellings,
    ) -> None:  # fmt: skip
        found = await self._kept.find(connection, {at: (requests[at].nas, row) for at, row in special})
        read = {at: read_special(row[sql.RARE], requests[at].packet, requests[at].nas, now) for at, row in special}
        # The same device cannot be online and dial: its old session is dead, whatever we heard of it last.
        redials = redials_of(requests, special, read, now)
        dead = await count_old_sessions(connection, redials, now)
        allowed: dict[int, Allowed] = {}
        soon = {at: row for at, row in special if ends_soon(found[at], row, now)}
        for at, row in special:
            request, ready = requests[at], found[at]
            who, old = spelled.get(at, (row, None))[1], dead.get(at, 0)
            answer = await self._decide_one(connection, request, row, ready, read[at], now, who, dead=old)
            if answer is not None and (at in dead or at in soon):
                allowed[at] = answer
                continue
            if answer is not None:
                accept(request, self._counters, *answer)
            batch[at] = None
        await probe_old_sessions(connection, [redials[at] for at in allowed if at in dead])
        await note_led(connection, [led_of(requests[at], soon[at], found[at], now) for at in allowed if at in soon])
        for at, answer in allowed.items():
            accept(requests[at], self._counters, *answer)
            batch[at] = None

    async def _decide_one(
        self, connection: Any, request: Request, row: Any, ready: Ready, special: Special, now: float,
        who: Spelled | None, *, dead: int,
    ) -> Allowed | None:  # fmt: skip
        """Every rule, for accounts with something special (``dead`` of their sessions do not count); None: refused."""
        nas, tenant, account_id = request.nas, request.nas.tenant, row[sql.ACCOUNT]
        if (added := self._recognise(request, row, now, who)) is None:
            return None
        soon = ends_soon(ready, row, now)
        attributes, windows, longest = ready[5] if soon else ready[0], ready[1], ready[3]
        weekday, minute = local_minute(tenant, now) if windows else (0, 0)
        throttled = special.quota_used_up and not special.quota_cut
        verdict = decide(
            special.state, special.activated, may_connect_until(row[sql.VALID_UNTIL], row[sql.RENEWS]),
            special.in_arrears, now, special.place_allowed,
            special.bind_mac, special.mac, special.bind_port, special.port, special.quota_used_up and not throttled,
            not windows or in_windows(windows, weekday, minute), special.open_sessions - dead, special.max_sessions,
            special.drop_oldest,
        )  # fmt: skip
        if verdict != OK:
            self._refuse_or_serve_expired(request, row, CODES[verdict], added, now, ready)
            return None
        other = special.throttle_profile_id if throttled else window_profile(windows, weekday, minute)
        if other is not None:
            attributes = await at_other_rate(connection, nas, row[sql.PROFILE], other, soon=soon) or attributes
        seconds = session_seconds(row[sql.VALID_UNTIL], now, longest, row[sql.RENEWS])
        seconds = until_closed(windows, tenant, now, seconds)
        attributes, seconds = with_own(special, nas, attributes, seconds)
        subject = sql.subject_of(account_id)
        if special.drop_oldest and special.open_sessions >= special.max_sessions > 0:
            await connection.execute(
                sql.DROP_OLDEST_SESSIONS, tenant.id, account_id, special.max_sessions, special.mac,
                now - tenant.usual_stale_seconds, subject, *own_limits((tenant,), now),
            )  # fmt: skip
        if not special.activated:
            await connection.execute(sql.ACTIVATE, tenant.id, account_id, now, subject)
            self._memory.note_first_login(tenant.id, account_id)
        if special.learns:
            await connection.execute(sql.BIND, tenant.id, account_id, special.mac, special.port, nas.id, subject)
        return account_id, attributes + added, seconds
