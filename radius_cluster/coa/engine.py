"""Carries outbox rows to routers and their answers back (RAD-5, RAD-6)."""

import asyncio
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any, Final

import asyncpg
import structlog

from infra.radius_text.profile import ReplyProfile
from radius_cluster.coa import outbox_rows as rows
from radius_cluster.coa.exchange import MOST_PER_SECOND, RADSEC, Exchange
from radius_cluster.coa.outbox_rows import CHANGE, DISCONNECT, END_MOVED, Outcome, Rate, Wish
from radius_cluster.coa.radsec_routes import RadsecRoutes
from radius_cluster.coa.session_end import encode_moved_end
from radius_cluster.coa.turns import Turns
from radius_cluster.counters import Counters
from radius_cluster.listen.database import LONGEST_IN_BACKGROUND_SECONDS, connect
from radius_cluster.listen.set_or_late import set_or_late
from radius_cluster.process.ready_replies import fetch_profiles
from radius_cluster.process.special_login import local_minute
from radius_cluster.radsec.directory import RADSEC_SECRET
from radius_cluster.routing.directory import Directory, NasEntry
from radius_cluster.watch.watches import Watches
from radius_cluster.wire.coa import (
    ERROR_CAUSES,
    LONGEST_ATTRIBUTES,
    DynamicReply,
    SessionNames,
    encode_session_names,
)
from radius_cluster.wire.codes import COA_REQUEST, DISCONNECT_REQUEST
from radius_cluster.wire.dialects import encode_coa_profile
from radius_cluster.wire.packet import first_that_fit
from tenants.access.rules import window_profile

LOG = structlog.get_logger(__name__)
_POLL_SECONDS: Final = 1.0
_RELEASE_SECONDS: Final = 15.0
_MOST_UNDER_WAY: Final = 8_000
_CLAIM_AT_ONCE: Final = 1_000
_SESSION_NOT_FOUND: Final = 503
# Of the database; else what is wrong is what is stored there
_DATABASE_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_BY_PORT: Final = frozenset(("NAS-Port-Id", "NAS-Port"))
_ADDRESS_TRIES: Final = 4  # a second apart: nodes write every two seconds whence they heard a router


class _NothingToSend(Exception):
    """The row ends without a packet: as which state, and with what result."""

    def __init__(self, state: str, result: str) -> None:
        super().__init__(result)
        self.state, self.result = state, result


class Engine:
    """One per process; :meth:`serve_cell` runs once for each cell."""

    def __init__(
        self,
        urls: dict[str, str],
        main_cell: str,
        directory: Directory,
        counters: Counters,
        watches: Watches | None = None,
    ) -> None:
        self._watches = watches or Watches()
        self._urls = urls
        self._main_cell = main_cell
        self._directory = directory
        self._counters = counters
        self._outcomes: dict[str, list[Outcome]] = defaultdict(list)
        self._taken: dict[tuple[str, int], Wish] = {}  # what routers are asked, by cell and row
        self._turns = Turns()
        self._claimed: dict[str, list[Wish]] = defaultdict(list)  # rows of which not all may have been sent
        self._wakes: dict[str, asyncio.Event] = {cell: asyncio.Event() for cell in urls}
        self.exchange: Exchange | None = None
        self.radsec = RadsecRoutes()
        self.stopping = False

    def stop(self) -> None:
        """Take no more rows."""
        self.stopping = True
        for wake in self._wakes.values():
            wake.set()

    async def serve_cell(self, cell: str) -> None:
        """Until :meth:`stop`; reconnects with back-off."""
        delay = 0.1
        while not self.stopping:
            connection = registry = None
            try:
                main, name, longest = (
                    self._urls[self._main_cell],
                    f"broadloom coa {cell}",
                    LONGEST_IN_BACKGROUND_SECONDS,
                )
                connection = await connect(self._urls[cell], name, longest)
                registry = await connect(main, f"{name} registry", longest)
                delay = 0.1
                await self._serve(cell, connection, registry)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                LOG.warning("coa_interrupted", cell=cell, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
            finally:
                for opened in (connection, registry):
                    if opened is not None:
                        opened.terminate()

    async def _serve(self, cell: str, connection: Any, registry: Any) -> None:
        wake = self._wakes[cell]
        await connection.add_listener("broadloom_outbox", lambda *_: wake.set())
        connection.add_termination_listener(lambda _connection: wake.set())
        await self._save(cell, connection)
        # What had been taken when the connection was lost, and was not asked yet: else it would wait for a minute.
        unsent = [wish for wish in self._claimed[cell] if wish.key not in self._taken]
        await rows.give_back(connection, unsent)
        self._claimed[cell] = []
        last_release = 0.0
        while not connection.is_closed() and not registry.is_closed():
            now = time.monotonic()
            if now - last_release > _RELEASE_SECONDS:
                last_release = now
                await self._save(cell, connection)
                await rows.release_stuck(connection, [wish.id for wish in self._taken.values() if wish.cell == cell])
            await self._save(cell, connection)
            if self.stopping:
                await self._leave(cell, connection)
                return
            room = _MOST_UNDER_WAY - len(self._taken)
            wishes = await rows.claim(connection, cell, min(room, _CLAIM_AT_ONCE)) if room > 0 else []
            if wishes:
                self._claimed[cell] = wishes
                await self._send(wishes, connection, registry)
                self._claimed[cell] = []
                continue
            await set_or_late(wake, 0.05 if self._taken else _POLL_SECONDS)
            wake.clear()

    async def _save(self, cell: str, connection: Any) -> None:
        outcomes, self._outcomes[cell] = self._outcomes[cell], []
        if not outcomes:
            return
        try:
            await rows.finish(connection, outcomes)
        except BaseException:
            self._outcomes[cell] = outcomes + self._outcomes[cell]
            raise

    async def _leave(self, cell: str, connection: Any) -> None:
        """Wait a moment for answers under way, then put the rest back for whoever comes next."""
        deadline = time.monotonic() + 3
        while any(wish.cell == cell for wish in self._taken.values()) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await self._save(cell, connection)
        await rows.give_back(connection, [wish for wish in self._taken.values() if wish.cell == cell])

    async def _send(self, wishes: list[Wish], connection: Any, registry: Any) -> None:
        sources = await rows.last_sources(registry, (wish.nas_id for wish in wishes))
        too_early: list[Wish] = []
        not_yet: list[tuple[Wish, float]] = []
        for wish in wishes:
            if wish.key in self._taken:  # another engine took it for a dead one's while our connection was lost
                continue
            nas = self._directory.nas.get(wish.nas_id)
            if nas is None or nas.tenant.id != wish.tenant_id:  # a row of one tenant never reaches another's router
                self._end(wish, None, "refused", "unknown_nas")
                continue
            through_radsec = self.radsec.has(nas.id)
            address = _address_of(nas, sources.get(wish.nas_id, ""))
            if not address and not through_radsec:
                if wish.attempts < _ADDRESS_TRIES:
                    too_early.append(wish)
                else:
                    self._end(wish, nas, "refused", "no_address")
                continue
            try:
                wait = self._turns.wait(nas.id, _rate_of(nas), time.monotonic())
                if wait:
                    not_yet.append((wish, wait))
                    continue
                to = (RADSEC, nas.id) if through_radsec else (address, nas.coa_port)
                await self._send_one(wish, nas, to, connection)
            except _DATABASE_ERRORS:
                raise
            except Exception:  # something that is stored: it must keep nobody else's Disconnect waiting
                LOG.exception("coa_not_sent", tenant=nas.tenant.slug, row=wish.id)
                self._end(wish, nas, "refused", "unusable_settings")
        if too_early:
            await rows.put_off(connection, too_early)
        if not_yet:
            await rows.send_away(connection, not_yet)

    async def _send_one(self, wish: Wish, nas: NasEntry, destination: tuple[str, int], connection: Any) -> None:
        asks_rate = wish.topic == CHANGE and wish.reason != END_MOVED
        rate = await rows.rate_of(connection, wish, nas.tenant, time.time()) if asks_rate else None
        if rate is not None and rate.ends:  # a pack ended, an order was taken back: nothing is left to go on with
            wish = replace(wish, topic=DISCONNECT)
        try:
            attributes = await self._attributes(wish, nas, rate, connection)
        except _NothingToSend as nothing:
            self._end(wish, nas, nothing.state, nothing.result)
        else:
            self._ask(wish, nas, destination, attributes)

    async def _attributes(self, wish: Wish, nas: NasEntry, rate: Rate | None, connection: Any) -> bytes:
        """What is sent. Raises _NothingToSend, and ValueError for a value that does not fit."""
        by_port = _BY_PORT.intersection(nas.dialect.identify)
        port_id, port = await rows.port_of(connection, wish) if by_port else ("", None)
        known = SessionNames(wish.username, wish.session_id, wish.framed_ip, wish.mac, port_id, port)
        try:
            names = encode_session_names(nas.dialect, known)
        except ValueError:
            raise _NothingToSend("refused", "session_not_nameable") from None
        if wish.topic != CHANGE:
            return names
        if wish.reason == END_MOVED:
            moved = await encode_moved_end(connection, wish, nas, time.time())
            if not moved:
                raise _NothingToSend("done", "no_live_end")
            return names + first_that_fit(moved, LONGEST_ATTRIBUTES - len(names))
        over = rate is not None and rate.over
        profile = None if rate is None else await self._profile(rate, nas, connection)
        if profile is None:
            raise _NothingToSend("done", "account_over") if over else _NothingToSend("refused", "no_live_change")
        had = await rows.service_of(connection, wish)
        change = encode_coa_profile(
            nas.dialect,
            profile,
            invert=nas.invert,
            rate_unit=nas.rate_unit,
            previous_service=profile.service if had is None else had,
        )
        if not change:  # the session keeps the speed that it has in its place
            keeps = over and nas.dialect.coa
            raise _NothingToSend(*(("done", "place_without_speed") if keeps else ("refused", "no_live_change")))
        return names + first_that_fit(change, LONGEST_ATTRIBUTES - len(names))

    async def _profile(self, rate: Rate, nas: NasEntry, connection: Any) -> ReplyProfile | None:
        """What a login of this account would get now: its group's profile, at the rate of a throttle or of a window.

        A session in a place for accounts that are over, or soon will be, has what that place has (NET-4).
        """
        tenant, profile_id, other = nas.tenant, rate.profile_id, rate.instead_id
        profile = (await fetch_profiles(connection, [(tenant, profile_id)])).get((tenant.id, profile_id))
        if profile is None:
            return None
        if rate.over:
            return profile.expired or nas.expired
        if rate.led:
            profile = profile.with_parts((profile.expiring or nas.expiring or (0, {}))[1])
        if other is None and profile.windows:
            other = window_profile(profile.windows, *local_minute(tenant, time.time()))
        slower = None
        if other is not None:
            slower = (await fetch_profiles(connection, [(tenant, other)])).get((tenant.id, other))
        return (profile if slower is None else profile.at_rate_of(slower)).profile

    def _ask(self, wish: Wish, nas: NasEntry, destination: tuple[str, int], attributes: bytes) -> None:
        def on_answer(reply: DynamicReply | None) -> None:
            if reply is None:
                self._end(wish, nas, "unanswered", f"{destination[0]}:{destination[1]}")
            elif reply.acknowledged:
                self._end(wish, nas, "done", reply.message)
            else:
                why = ERROR_CAUSES.get(reply.error_cause)
                text = why[0] if why else f"error_{reply.error_cause}"
                gone = reply.error_cause == _SESSION_NOT_FOUND
                self._end(wish, nas, "refused", text, session_is_gone=gone)

        assert self.exchange is not None
        self._taken[wish.key] = wish
        self._turns.take(nas.id)
        code = COA_REQUEST if wish.topic == CHANGE else DISCONNECT_REQUEST
        secret = RADSEC_SECRET if destination[0] == RADSEC else nas.secret
        watched = self._watches.asked(nas, wish.username, destination) if self._watches.by_tenant else None
        self.exchange.ask(destination, secret, code, attributes, on_answer, _rate_of(nas), watched)

    def _end(self, wish: Wish, nas: NasEntry | None, state: str, result: str, *, session_is_gone: bool = False) -> None:
        if self._taken.pop(wish.key, None) is not None:
            self._turns.ended(wish.nas_id)
        self._outcomes[wish.cell].append(Outcome(wish, state, result, session_is_gone))
        if nas is not None:
            self._counters.count(nas, ("coa", state))
        else:
            self._counters.count_nobody(wish.tenant_id, ("coa", state))


def _rate_of(nas: NasEntry) -> float:
    """Requests a second that a router is sent at most."""
    return float(nas.options.get("coa_rate") or MOST_PER_SECOND)


def _address_of(nas: NasEntry, heard_from: str) -> str:
    """Where to send: the fixed address; with a DNS name, where it points, unless it was last heard from there anyway;
    else where it was last heard from."""
    dynamic = nas.dynamic_addresses
    if nas.address or not dynamic or heard_from in dynamic:
        return nas.address or heard_from
    return dynamic[0]
