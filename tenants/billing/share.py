"""Operations that arrive together in one process share a unit of work: one lock, one reading, one booking, one commit.

A lone operation waits for nobody. While a tenant's unit is under way others queue; when it ends, the first who waits
takes all of them along (natural batching, as in the packet path). Nobody does another's work for longer than his own
takes. Tenants never share, but their units take turns (``turns.py``), so that more come together. A unit that fails as
a whole is undone and each of its operations is tried by itself, so that everybody gets his own true answer; nobody is
answered before the commit.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import structlog

from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, open_scope
from tenants.billing.context import LockedElsewhere, NotShareable
from tenants.billing.operation import Asked, C, Operation, Outcome, perform_together
from tenants.billing.result import OperationResult
from tenants.billing.turns import Turns
from tenants.kernel.actor import Actor

LOG = structlog.get_logger(__name__)
MOST_TOGETHER = 32  # the order number is locked for as long as their booking takes
_MANY = 4  # operations in a unit
_NAPS, _NAP_SECONDS = 8, 0.0001
UNITS_AT_ONCE = 1  # of one tenant and process: a second one would mostly wait for the order number


class _Turn(Enum):
    """What a waiting caller is told besides an outcome."""

    LEAD = "lead"  # take those who wait and do the unit
    ALONE = "alone"  # do yours by yourself


@dataclass(slots=True, eq=False)
class _Call:
    """One caller who waits: ``told`` is set before ``bell`` rings."""

    asked: Asked
    again: bool = False  # its account was locked elsewhere when its first unit came
    told: Outcome | Exception | _Turn | None = None
    bell: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.bell.acquire()

    def tell(self, news: Outcome | Exception | _Turn) -> None:
        """Wake the caller."""
        self.told = news
        self.bell.release()


@dataclass(slots=True)
class _Line:
    """Who waits for one tenant, and how many units of it are under way."""

    waiting: deque[_Call] = field(default_factory=deque)
    units: int = 0
    latest: int = 0  # how many the latest unit had


def _nothing() -> None:
    """Nobody waits for it."""


class Sharing:
    """The operations of one process; edges keep one for as long as they run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: dict[int, _Line] = {}
        self._lock = threading.Lock()
        self._turns = Turns()

    def perform(
        self,
        tenant: TenantRef,
        operation: Operation[C],
        command: C,
        *,
        actor: Actor,
        now: datetime,
        key: str | None = None,
    ) -> OperationResult:
        """Do the operation and commit it, perhaps with others of this tenant. Raises what the operation raises.

        The caller has no unit of work open that holds locks: this one is not part of it.
        """
        call = _Call(operation.ask(command, actor=actor, now=now, key=key))
        outcome = self._join(tenant, call)
        if isinstance(outcome, LockedElsewhere):  # a unit of its own costs several times its place in the next one
            outcome = self._join(tenant, _Call(call.asked, again=True))
        if outcome is _Turn.ALONE or isinstance(outcome, NotShareable):
            outcome = self._alone(tenant, call.asked)
        if isinstance(outcome, OperationResult):
            return outcome
        assert isinstance(outcome, Exception)
        raise outcome

    def _join(self, tenant: TenantRef, call: _Call) -> Outcome | Exception | _Turn | None:
        outcome = self._line_up(tenant, call)
        return self._lead(tenant, call) if outcome is _Turn.LEAD else outcome

    def _line_up(self, tenant: TenantRef, call: _Call) -> Outcome | Exception | _Turn | None:
        """Lead at once where no unit is under way, else wait for outcome or lead; who comes again waits in front."""
        with self._lock:
            line = self._lines.setdefault(tenant.id, _Line())
            if line.units < UNITS_AT_ONCE:
                if call.again:
                    return _Turn.ALONE
                line.units += 1
                return _Turn.LEAD
            if call.again:
                line.waiting.appendleft(call)
            else:
                line.waiting.append(call)
        try:
            call.bell.acquire()
        except BaseException:  # interrupted while he waited: nobody must wait for him
            self._step_out(line, call)
            raise
        return call.told

    def _step_out(self, line: _Line, call: _Call) -> None:
        with self._lock:
            if call in line.waiting:
                line.waiting.remove(call)
            elif call.told is _Turn.LEAD:
                self._pass_on(line)

    def _pass_on(self, line: _Line) -> None:
        """The unit has ended: the first who waits leads the next one. The lock is held."""
        if line.waiting:
            line.waiting.popleft().tell(_Turn.LEAD)
        else:
            line.units -= 1

    def _lead(self, tenant: TenantRef, own: _Call) -> Outcome | Exception | _Turn | None:
        """Do one unit with all who wait and fit together; tells each his outcome, gives the leader's own."""
        line = self._lines[tenant.id]
        calls = [own]
        outcomes: list[Outcome | Exception | _Turn] = []
        try:
            with self._turns.turn() as decided:
                self._gather(line)
                with self._lock:
                    calls += _fitting(own, line.waiting)
                if own.again and len(calls) == 1:  # whoever keeps its account must not keep the next ones waiting
                    return _Turn.ALONE
                line.latest = len(calls)
                outcomes += self._together(tenant, [call.asked for call in calls], decided)
        finally:
            # However this thread ends: those whom it took along do not wait for it.
            outcomes += [_Turn.ALONE] * (len(calls) - len(outcomes))
            with self._lock:
                self._pass_on(line)
            for call, outcome in zip(calls[1:], outcomes[1:], strict=True):
                call.tell(outcome)
        return outcomes[0]

    def _gather(self, line: _Line) -> None:
        """Let those whom the last unit answered come along, if they ask again: else every second unit is a small one.

        A lone caller waits microseconds; after a unit of many as long as naps bring somebody, a millisecond at most.
        """
        time.sleep(0)
        waited_before = 0
        for _ in range(_NAPS if line.latest >= _MANY else 0):
            waiting = len(line.waiting)
            if waiting == waited_before or waiting + 1 >= line.latest:
                break
            waited_before = waiting
            time.sleep(_NAP_SECONDS)

    def _alone(self, tenant: TenantRef, asked: Asked, decided: Callable[[], None] = _nothing) -> Outcome | Exception:
        try:
            return _unit(self._database, tenant, [asked], shared=False, decided=decided)[0]
        except CommitUnknown as unknown:
            return unknown.cause
        except Exception as error:
            return error

    def _together(
        self, tenant: TenantRef, asked: list[Asked], decided: Callable[[], None]
    ) -> list[Outcome | Exception | _Turn]:
        if len(asked) == 1:
            return [self._alone(tenant, asked[0], decided)]
        try:
            return [*_unit(self._database, tenant, asked, shared=True, decided=decided)]
        except CommitUnknown as unknown:
            # It may have been committed: only a key makes sure that it is not done twice.
            return [unknown.cause if one.key is None else _Turn.ALONE for one in asked]
        except Exception as error:
            LOG.warning("shared_unit_undone", tenant=tenant.slug, operations=len(asked), error=str(error))
            return [_Turn.ALONE] * len(asked)


class CommitUnknown(Exception):
    """The commit failed: it is not known what became of the unit of work."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause
        super().__init__(str(cause))


def _fitting(own: _Call, waiting: deque[_Call]) -> list[_Call]:
    """Take those along whose account and key nobody else in the unit has; the others stay, in their order."""
    accounts = {own.asked.account_id}
    keys = {own.asked.key and own.asked.key.key}
    taken: list[_Call] = []
    left: list[_Call] = []
    while waiting and len(taken) + 1 < MOST_TOGETHER:
        call = waiting.popleft()
        key = call.asked.key and call.asked.key.key
        if call.asked.account_id in accounts or (key is not None and key in keys):
            left.append(call)
        else:
            taken.append(call)
        # What stays keeps its place before later ones for the same account.
        accounts.add(call.asked.account_id)
        keys.add(key)
    waiting.extendleft(reversed(left))
    return taken


def _unit(
    database: Database, tenant: TenantRef, asked: list[Asked], *, shared: bool, decided: Callable[[], None]
) -> list[Outcome]:
    """One unit of work with these operations, committed; a single one that is refused is undone.

    ``decided`` is called before the commit, which waits for the disk.
    """
    scope = open_scope(database, tenant)
    try:
        outcomes = perform_together(scope, asked, shared=shared)
        decided()
        if shared or isinstance(outcomes[0], OperationResult):
            _commit(scope)
        return outcomes
    finally:
        scope.rollback()
        scope.close()


def _commit(scope: TenantScope) -> None:
    try:
        scope.commit()
    except Exception as error:
        raise CommitUnknown(error) from error
