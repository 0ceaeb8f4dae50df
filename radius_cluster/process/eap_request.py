"""EAP logins (RAD-2): from a verified Access-Request through the EAP server to the batch of logins, and back.

A conversation takes several requests; only those that carry a proof of the password reach the database.
``Request.eap`` says where one stands: an ``Ask`` waits for its row, an ``Accept`` for the access decision, a ``Reject``
for its refusal.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from infra.crypto import SUBSCRIBER_PASSWORD, DecryptionError
from radius_cluster.counters import AUTH_CHALLENGED, Counters, dropped
from radius_cluster.listen.receive import Request
from radius_cluster.process.eap.message import encode_failure
from radius_cluster.process.eap.server import EapServer
from radius_cluster.process.eap.steps import (
    CONVERSATION_LOST,
    UNKNOWN_USER,
    WRONG_PASSWORD,
    Accept,
    Ask,
    Challenge,
    Discard,
    Forward,
    Reject,
    Step,
)
from radius_cluster.process.eap_certificates import TenantTls
from radius_cluster.process.login_replies import reject
from radius_cluster.wire.codes import ACCESS_CHALLENGE, FRAMED_MTU, STATE
from radius_cluster.wire.packet import encode_access_response

LOG = structlog.get_logger(__name__)

Submit = Callable[[Request], None]
_ABOUT_THE_PASSWORD: Final = (UNKNOWN_USER, WRONG_PASSWORD)


class EapLogins:
    """One per process. ``forward`` hands a request to the process that owns its conversation; False: there is none."""

    def __init__(
        self, server: EapServer, tls: TenantTls, counters: Counters, forward: Callable[[str, Request], bool]
    ) -> None:
        self.tls = tls
        self._server = server
        self._counters = counters
        self._forward = forward

    def receive(self, request: Request, submit: Submit) -> None:
        """Take a verified Access-Request with EAP-Message; ``submit`` puts it into the batch of its cell's logins."""
        tenant = request.nas.tenant
        profile = self.tls.ready(tenant)
        if profile is None:
            self.tls.when_ready(tenant, lambda loaded: self._after_loading(request, submit, loaded))
            return
        packet = request.packet
        step = self._server.receive(
            packet.eap_message(),
            packet.attributes.get(STATE, b""),
            binding=b"%d/%d" % (tenant.id, request.nas.id),
            now_seconds=int(time.time()),
            tls=profile,
            framed_mtu=packet.number(FRAMED_MTU),
        )
        self._take(request, step, submit)

    def knows(self, request: Request, sealed: bytes, submit: Submit) -> bool:
        """The subscriber's row is here: go on with the conversation. True when the access decision is next."""
        ask = request.eap
        if not isinstance(ask, Ask):  # the batch is tried again after its connection broke
            return True
        try:
            password = request.nas.tenant.box.open(sealed, SUBSCRIBER_PASSWORD).decode("utf-8", "replace")
        except DecryptionError:
            password = None
        return self._decided(request, self._server.answer(ask, password, now_seconds=int(time.time())), submit)

    def unknown(self, request: Request) -> None:
        """There is no such subscriber; the caller rejects."""
        if isinstance(request.eap, Ask):
            request.eap = self._server.answer(request.eap, None, now_seconds=int(time.time()))

    def forget_old(self) -> None:
        """Drop conversations whose peers went silent; call every few seconds."""
        self._server.forget_old(int(time.time()))

    def _after_loading(self, request: Request, submit: Submit, loaded: bool) -> None:
        if not loaded:
            self._drop(request, "no_certificate")
            return
        try:
            self.receive(request, submit)
        except Exception:
            self._drop(request, "internal_error")  # a repeat is a new request
            raise

    def _drop(self, request: Request, reason: str) -> None:
        request.forget(reason)
        self._counters.count(request.nas, dropped("auth", reason))

    def _decided(self, request: Request, step: Step, submit: Submit) -> bool:
        if isinstance(step, Accept) or (isinstance(step, Reject) and step.reason in _ABOUT_THE_PASSWORD):
            request.eap = step
            return True
        self._take(request, step, submit)
        return False

    def _take(self, request: Request, step: Step, submit: Submit) -> None:
        """Everything but the decision."""
        match step:
            case Ask():
                request.eap = step
                submit(request)
            case Challenge():
                packet, secret = request.packet, request.nas.secret
                request.answer(encode_access_response(ACCESS_CHALLENGE, packet, secret, step.attributes()))
                self._counters.count(request.nas, AUTH_CHALLENGED)
            case Forward():
                if self._forward(step.owner, request):
                    request.forget()  # its owner answers, and keeps the answer for repeats
                else:  # that process is dead: told so, the supplicant begins again
                    self._refuse(request, Reject(CONVERSATION_LOST, _failure_for(request)))
            case Reject():
                self._refuse(request, step)
            case Discard():
                self._drop(request, step.reason)
            case Accept():  # directly follows an Ask, which only knows() answers
                raise AssertionError("an Accept without a look-up")

    def _refuse(self, request: Request, step: Reject) -> None:
        if step.detail:
            LOG.info("eap_refused", nas=request.nas.identifier.decode("utf-8", "replace"), why=step.detail)
        request.eap = step
        reject(request, self._counters, step.reason, None, time.time())


def _failure_for(request: Request) -> bytes:
    eap = request.packet.eap_message()
    return encode_failure(eap[1] if len(eap) > 1 else 0)
