"""Decides one login by the code that decides all of them, in a transaction that is undone.

Nothing in the packet path knows of trials: what counts and remembers there are objects of this program, which are
thrown away, and what a login writes (the end of an older session, a binding, the begin of the period) is read from the
transaction and undone with it.
"""

import asyncio
import json
import time
from typing import Any, Final

from infra.crypto import SUBSCRIBER_PASSWORD, DecryptionError, derive_key, master_box
from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.counters import Counters
from radius_cluster.listen.database import connect
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.listen.receive import Request
from radius_cluster.process.access_request import Logins
from radius_cluster.process.eap.server import EapServer
from radius_cluster.process.eap_certificates import TenantTls
from radius_cluster.process.eap_request import EapLogins
from radius_cluster.report import MAIN_CELL
from radius_cluster.routing.directory import Directory, NasEntry, Ready
from radius_cluster.routing.load import DirectoryLoader
from radius_cluster.trial.request import build_request, readable
from radius_cluster.wire.codes import ACCESS_ACCEPT
from radius_cluster.wire.packet import Packet, verify_request, verify_response
from tenants.access.login_trial import LoginTrial, TrialAnswer

_NAME: Final = "broadloom radius trial"
_ANSWER_SECONDS: Final = 4.0
_SEALED: Final = "SELECT password_sealed FROM aaa.subscriber WHERE tenant_id = $1 AND username = $2"
_TOLD: Final = """
SELECT topic, payload::text FROM work.outbox
WHERE tenant_id = $1 AND state = 'waiting' AND xmin = pg_current_xact_id()::xid ORDER BY id
"""
_LED: Final = "SELECT FROM aaa.place_login WHERE tenant_id = $1 AND xmin = pg_current_xact_id()::xid"
_EFFECTS: Final = {"account.bind": "bind", "account.activate": "activate"}


class NotTried(Exception):
    """There was no answer; the text is one English sentence that says why."""


class _Logins(Logins):
    """The logins of one trial."""

    reason = ""  # why an expired account was led to the place for such

    async def decide(self, connection: Any, request: Request) -> None:
        """As a batch of one."""
        await self._work(await self._prepare(connection), [request])

    def _refuse_or_serve_expired(
        self, request: Request, row: Any, reason: str, added: bytes, now: float, ready: Ready
    ) -> None:
        self.reason = reason
        super()._refuse_or_serve_expired(request, row, reason, added, now, ready)


class _Way:
    """Takes the answer where a socket would send it."""

    def __init__(self) -> None:
        self.duplicates = Duplicates()
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """To nobody."""
        self.reply.set_result(reply)


async def try_login(settings: Settings, servers: Servers, trial: LoginTrial) -> TrialAnswer:
    """What the router would be answered. Raises NotTried; OSError, TimeoutError or an asyncpg error without a
    database."""
    urls = {MAIN_CELL: servers.database_socket_url or servers.database_url, **settings.cells()}
    registry = await connect(urls[MAIN_CELL], _NAME)
    try:
        nas = await _find_router(settings, urls[MAIN_CELL], registry, trial)
        if nas.tenant.cell not in urls:
            raise NotTried(f"The settings of this host do not name the provider's cell {nas.tenant.cell}.")
    finally:
        await registry.close()
    connection = await connect(urls[nas.tenant.cell], _NAME)
    undone = connection.transaction()
    await undone.start()
    try:
        counters = Counters()
        logins = _logins(settings, urls[MAIN_CELL], nas, counters)
        reply = await _decide(connection, logins, nas, trial)
        refused = [refusal.reason for refusal in counters.refusals.values()]
        effects = [_effect(*row) for row in await connection.fetch(_TOLD, trial.tenant_id)]
        soon = "expiring" if await connection.fetch(_LED, trial.tenant_id) else ""
        reason = refused[0] if refused else logins.reason or soon
        return TrialAnswer(reply.code == ACCESS_ACCEPT, reason, readable(reply), tuple(effects))
    finally:
        await undone.rollback()
        await connection.close()


async def _find_router(settings: Settings, url: str, registry: Any, trial: LoginTrial) -> NasEntry:
    directory = Directory()
    loader = DirectoryLoader(url, master_box(settings.require_secret_key()), directory)
    await loader.load_router(registry, trial.nas_id)
    nas = directory.nas.get(trial.nas_id)
    if nas is None or nas.tenant.id != trial.tenant_id:
        raise NotTried("The cluster does not serve this router.")
    return nas


def _logins(settings: Settings, url: str, nas: NasEntry, counters: Counters) -> _Logins:
    server = EapServer(derive_key(settings.require_secret_key(), "eap-state"), _NAME)
    tls = TenantTls(url, settings.base_domain)
    eap = EapLogins(server, tls, counters, lambda _owner, _request: False)  # never asked: no method of ours is EAP
    return _Logins(url, nas.tenant.cell, counters, eap)


async def _decide(connection: Any, logins: _Logins, nas: NasEntry, trial: LoginTrial) -> Packet:
    password = await _password(connection, nas, trial)
    try:
        packet = build_request(trial, password, nas.identifier, nas.secret)
    except ValueError as error:
        raise NotTried(f"A router could not send this: {error}.") from None
    problem = verify_request(packet, nas.secret, nas.required)
    if problem:
        raise NotTried(f"Our own request was dropped: {problem}.")
    way = _Way()
    request = Request(packet, nas, way, ("", 0), b"", time.time())
    await logins.decide(connection, request)
    async with asyncio.timeout(_ANSWER_SECONDS):
        reply = await way.reply  # a Reject waits a second, here as there
    answer = verify_response(reply, packet.authenticator, nas.secret)
    if isinstance(answer, str):
        raise NotTried(f"The answer is not in order: {answer}.")
    return answer


async def _password(connection: Any, nas: NasEntry, trial: LoginTrial) -> bytes:
    if trial.password is not None:
        return trial.password.encode()
    sealed = await connection.fetchval(_SEALED, trial.tenant_id, trial.username)
    try:
        return b"" if sealed is None else nas.tenant.box.open(sealed, SUBSCRIBER_PASSWORD)
    except DecryptionError:
        raise NotTried("The stored password cannot be read.") from None


def _effect(topic: str, payload: str) -> tuple[str, str]:
    told = json.loads(payload)
    if topic == "radius.disconnect":
        code = "disconnect_redialled" if told["reason"] == "redialled" else "disconnect_oldest"
        return code, str(told["framed_ip"] or told["session_id"])
    return _EFFECTS.get(topic, topic), " ".join(str(told[name]) for name in ("mac", "port") if told.get(name))
