"""The EAP server of one process (RAD-2): a request's EAP packet and State in, the next step out.

No sockets, no database, no clock: the caller looks users up when it gets an ``Ask`` and passes the time in.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final

from infra.crypto import SecretBox
from radius_cluster.process.eap import mschapv2, state
from radius_cluster.process.eap.checks import Check, CheckChap, CheckMschap2, CheckVerified
from radius_cluster.process.eap.conversation import Conversation
from radius_cluster.process.eap.inner import Failed, Finished, InnerStep, Send, Verify
from radius_cluster.process.eap.message import (
    IDENTITY,
    MD5_CHALLENGE,
    METHOD_NAMES,
    MSCHAPV2,
    NAK,
    PEAP,
    RESPONSE,
    TTLS,
    EapMessage,
    encode_failure,
    encode_request,
    encode_success,
    parse_eap,
    read_name,
)
from radius_cluster.process.eap.state import Owned, Portable
from radius_cluster.process.eap.steps import (
    CONVERSATION_LOST,
    NO_COMMON_METHOD,
    PROTOCOL_ERROR,
    TIMED_OUT,
    TLS_FAILED,
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
from radius_cluster.process.eap.tls_profile import TlsProfile
from radius_cluster.process.eap.tunnel import START, TunnelError

ALL_METHODS: Final = (PEAP, TTLS, MSCHAPV2, MD5_CHALLENGE)  # in the order in which they are offered
CONVERSATION_SECONDS: Final = 60
_MOST_CONVERSATIONS: Final = 4_000  # about 50 kB each; one lasts well under a second
_DEFAULT_MTU: Final = 1_024
_LARGEST_EAP: Final = 1_400
_SMALLEST_EAP: Final = 100
_LINK_OVERHEAD: Final = 4  # Framed-MTU counts the 802.1X header too


class EapServer:
    """Keeps the TLS conversations that this process owns; everything else travels in State."""

    __slots__ = ("_box", "_conversations", "_owner", "_random")

    def __init__(self, key: bytes, owner: str, random: Callable[[int], bytes] = os.urandom) -> None:
        """``key``: 32 octets that all processes of the cluster share. ``owner``: this process's name (≤ 64 octets)."""
        self._box = SecretBox(key)
        self._owner = owner
        self._random = random
        self._conversations: dict[bytes, Conversation] = {}

    @property
    def conversations(self) -> int:
        """How many TLS conversations are under way."""
        return len(self._conversations)

    def receive(
        self,
        eap: bytes,
        state_attribute: bytes,
        *,
        binding: bytes,
        now_seconds: int,
        tls: TlsProfile | None,
        methods: Sequence[int] = ALL_METHODS,
        framed_mtu: int = 0,
    ) -> Step:
        """The next step. ``eap`` is the request's EAP-Message (verified!), ``state_attribute`` its State or b"".

        ``binding`` names tenant and NAS; without ``tls`` only methods without a tunnel are offered; ``framed_mtu`` is
        the request's Framed-MTU, 0 without one. Never raises on foreign bytes.
        """
        offered = [method for method in methods if tls is not None or method not in (PEAP, TTLS)]
        if not eap and not state_attribute:  # EAP-Start (RFC 3579, 2.1)
            return self._challenge(Portable(now_seconds + CONVERSATION_SECONDS, IDENTITY, 0, 0), b"", binding)
        message = parse_eap(eap)
        if message is None or message.code != RESPONSE:
            return Discard("eap_malformed")
        if not state_attribute:
            if message.kind != IDENTITY:
                return Discard("eap_without_state")
            return self._begin(message, offered, binding, now_seconds)
        owner = state.owner_of(state_attribute)
        if owner and owner != self._owner:
            return Forward(owner)
        found = state.open_state(self._box, state_attribute, binding)
        if found is None:
            return Discard("eap_foreign_state")
        if found.expires_at_seconds < now_seconds:
            return Reject(TIMED_OUT, encode_failure(message.identifier))
        if isinstance(found, Owned):
            return self._continue(found, eap, message, binding, now_seconds)
        if message.identifier != found.identifier:
            return Discard("eap_wrong_identifier")
        if found.method == IDENTITY and message.kind == IDENTITY:
            return self._begin(message, offered, binding, now_seconds)
        if message.kind == NAK and found.stage == state.STARTED:
            return self._negotiate(found, message, offered, binding, now_seconds)
        if message.kind != found.method:
            return Reject(PROTOCOL_ERROR, encode_failure(message.identifier), found.user_name)
        if message.kind == MD5_CHALLENGE:
            return self._md5(found, message, binding)
        if message.kind == MSCHAPV2:
            return self._mschapv2(found, message, binding)
        if tls is None:
            return Reject(PROTOCOL_ERROR, encode_failure(message.identifier), found.user_name)
        conversation = self._open_conversation(found, tls, framed_mtu, now_seconds)
        return self._advance(conversation, eap, message, binding, now_seconds)

    def answer(self, ask: Ask, password: str | None, *, now_seconds: int) -> Step:
        """Go on after a look-up; ``password`` None when there is no such subscriber."""
        conversation = self._conversations.get(ask.conversation) if ask.conversation else None
        if ask.conversation and conversation is None:
            return Reject(CONVERSATION_LOST, encode_failure(ask.identifier), ask.user_name)
        if password is None or not ask.check.verify(password):
            if conversation is not None:
                self._drop(conversation)
            reason = UNKNOWN_USER if password is None else WRONG_PASSWORD
            return Reject(reason, encode_failure(ask.identifier), ask.user_name)
        if conversation is not None:
            return self._answer_tunnel(conversation, ask, password, now_seconds)
        success = encode_success(ask.identifier)
        if isinstance(ask.check, CheckMschap2):
            send_key, receive_key = ask.check.keys(password)
            value = Portable(
                now_seconds + CONVERSATION_SECONDS,
                MSCHAPV2,
                ask.identifier + 1 & 255,
                state.VERIFIED,
                send_key=send_key,
                receive_key=receive_key,
                user_name=ask.user_name,
            )
            proof = mschapv2.encode_success(ask.check.identifier, ask.check.proof(password))
            return self._challenge(value, proof, ask.binding)
        if isinstance(ask.check, CheckVerified):
            return Accept(ask.user_name, success, "EAP-MSCHAPv2", ask.check.send_key, ask.check.receive_key)
        return Accept(ask.user_name, success, METHOD_NAMES[MD5_CHALLENGE])

    def forget_old(self, now_seconds: int) -> int:
        """Drop conversations whose peers went silent; how many. Call it every few seconds."""
        old = [one for one in self._conversations.values() if one.expires_at_seconds < now_seconds]
        for conversation in old:
            self._drop(conversation)
        return len(old)

    def _begin(self, message: EapMessage, offered: Sequence[int], binding: bytes, now_seconds: int) -> Step:
        name = read_name(message.data)
        if not offered:
            return Reject(NO_COMMON_METHOD, encode_failure(message.identifier), name)
        if not name:
            return Reject(UNKNOWN_USER, encode_failure(message.identifier), name)
        return self._offer(offered[0], message.identifier, name, state.STARTED, binding, now_seconds)

    def _negotiate(
        self, found: Portable, message: EapMessage, offered: Sequence[int], binding: bytes, now_seconds: int
    ) -> Step:
        """The peer does not want the method; take its first wish that is served (RFC 3748, 5.3.1)."""
        for method in message.data:
            if method in offered:
                stage = state.STARTED_AFTER_NAK
                return self._offer(method, message.identifier, found.user_name, stage, binding, now_seconds)
        return Reject(NO_COMMON_METHOD, encode_failure(message.identifier), found.user_name)

    def _offer(
        self, method: int, identifier: int, user_name: str, stage: int, binding: bytes, now_seconds: int
    ) -> Challenge:
        identifier = identifier + 1 & 255
        challenge = self._random(16)
        if method == MD5_CHALLENGE:
            data = bytes((16,)) + challenge + mschapv2.SERVER_NAME
        elif method == MSCHAPV2:
            data = mschapv2.encode_challenge(identifier, challenge)
        else:
            data = bytes((START,))
        value = Portable(
            now_seconds + CONVERSATION_SECONDS, method, identifier, stage, challenge=challenge, user_name=user_name
        )
        return self._challenge(value, data, binding)

    def _challenge(self, value: Portable, data: bytes, binding: bytes) -> Challenge:
        eap = encode_request(value.identifier, value.method, data)
        return Challenge(eap, state.seal_portable(self._box, value, binding))

    def _md5(self, found: Portable, message: EapMessage, binding: bytes) -> Step:
        if len(message.data) < 17 or message.data[0] != 16:
            return Reject(PROTOCOL_ERROR, encode_failure(message.identifier), found.user_name)
        check = CheckChap(message.identifier, found.challenge, message.data[1:17])
        return Ask(found.user_name, message.identifier, check, binding)

    def _mschapv2(self, found: Portable, message: EapMessage, binding: bytes) -> Step:
        check: Check | None
        if found.stage == state.VERIFIED:
            confirmed = mschapv2.is_success_confirmation(message.data)
            check = CheckVerified(found.send_key, found.receive_key) if confirmed else None
        else:
            check = mschapv2.parse_response(message.data, found.challenge)
        if check is None:
            return Reject(PROTOCOL_ERROR, encode_failure(message.identifier), found.user_name)
        return Ask(found.user_name, message.identifier, check, binding)

    def _open_conversation(self, found: Portable, tls: TlsProfile, framed_mtu: int, now_seconds: int) -> Conversation:
        if len(self._conversations) >= _MOST_CONVERSATIONS:
            self.forget_old(now_seconds)
            if len(self._conversations) >= _MOST_CONVERSATIONS:
                self._drop(next(iter(self._conversations.values())))
        mtu = framed_mtu - _LINK_OVERHEAD if framed_mtu else _DEFAULT_MTU
        most_octets = max(_SMALLEST_EAP, min(mtu, _LARGEST_EAP))
        conversation = Conversation(self._random(8), found.method, found.identifier, tls, found.challenge, most_octets)
        self._conversations[conversation.key] = conversation
        return conversation

    def _continue(self, found: Owned, eap: bytes, message: EapMessage, binding: bytes, now_seconds: int) -> Step:
        conversation = self._conversations.get(found.conversation)
        if conversation is None:
            return Reject(CONVERSATION_LOST, encode_failure(message.identifier))
        if conversation.waiting:
            return Discard("eap_busy")
        if eap == conversation.last_request:  # the NAS repeats itself under another authenticator
            return self._owned_challenge(conversation, conversation.last_answer, binding)
        if message.identifier != conversation.identifier or message.kind != conversation.kind:
            return Discard("eap_wrong_identifier")
        return self._advance(conversation, eap, message, binding, now_seconds)

    def _advance(
        self, conversation: Conversation, eap: bytes, message: EapMessage, binding: bytes, now_seconds: int
    ) -> Step:
        conversation.last_request = eap
        conversation.expires_at_seconds = now_seconds + CONVERSATION_SECONDS
        try:
            step = conversation.receive(message.data, now_seconds)
        except TunnelError as error:
            return self._failed(conversation, TLS_FAILED, message.identifier, str(error))
        return self._step(conversation, step, message.identifier, binding)

    def _step(self, conversation: Conversation, step: InnerStep, identifier: int, binding: bytes) -> Step:
        if isinstance(step, Failed):
            return self._failed(conversation, PROTOCOL_ERROR, identifier, step.detail)
        if isinstance(step, Send):
            conversation.identifier = identifier + 1 & 255
            answer = encode_request(conversation.identifier, conversation.kind, conversation.next_piece())
            conversation.last_answer = answer
            return self._owned_challenge(conversation, answer, binding)
        check = step.check if isinstance(step, Verify) else conversation.closing_check()
        conversation.waiting = True
        return Ask(step.user_name, identifier, check, binding, conversation.key)

    def _answer_tunnel(self, conversation: Conversation, ask: Ask, password: str, now_seconds: int) -> Step:
        conversation.waiting = False
        step: InnerStep = Finished(ask.user_name)
        try:
            if ask.check != conversation.closing_check():
                step = conversation.verified(password)
            if not isinstance(step, Finished):
                return self._step(conversation, step, ask.identifier, ask.binding)
            send_key, receive_key = conversation.succeed(ask.user_name, now_seconds)
        except TunnelError as error:
            return self._failed(conversation, TLS_FAILED, ask.identifier, str(error))
        del self._conversations[conversation.key]
        success = encode_success(ask.identifier)
        return Accept(ask.user_name, success, conversation.method, send_key, receive_key)

    def _failed(self, conversation: Conversation, reason: str, identifier: int, detail: str) -> Reject:
        self._drop(conversation)
        return Reject(reason, encode_failure(identifier), detail=detail)

    def _owned_challenge(self, conversation: Conversation, eap: bytes, binding: bytes) -> Challenge:
        value = Owned(conversation.expires_at_seconds, conversation.key)
        return Challenge(eap, state.seal_owned(self._box, value, self._owner, binding))

    def _drop(self, conversation: Conversation) -> None:
        conversation.fail()
        self._conversations.pop(conversation.key, None)
