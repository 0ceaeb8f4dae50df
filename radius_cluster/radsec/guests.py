"""Requests that came through a RadSec connection of another process: a router, or the proxy before it, may spread one
EAP conversation over several connections, and those over several processes and hosts (RFC 6614 does not forbid it)."""

import time
from collections.abc import Callable
from typing import Any

from radius_cluster.counters import AUTH_DUPLICATE, Counters, dropped
from radius_cluster.listen.duplicates import Duplicates, mark_of
from radius_cluster.listen.peers import REPLY
from radius_cluster.listen.receive import Request
from radius_cluster.process.eap_elsewhere import Send
from radius_cluster.routing.directory import Directory
from radius_cluster.wire.codes import ACCESS_REQUEST
from radius_cluster.wire.packet import parse, verify_request


class RadsecGuests:
    """One per process. The router is named by the process that saw its certificate or key."""

    def __init__(self, send: Send, directory: Directory, counters: Counters, log_in: Callable[[Request], None]) -> None:
        self.duplicates = Duplicates()
        self._send_back = send
        self._directory = directory
        self._counters = counters
        self._log_in = log_in

    def describe(self, request: Request) -> bytes:
        """The router's number."""
        return b"%d" % request.nas.id

    def receive(self, kind: int, described: bytes, data: bytes, mark: bytes, sender: str) -> None:
        """As if the router had asked through a connection of this process."""
        source = (sender, mark)
        key = mark_of(source) + data[:20]
        nas = self._directory.nas.get(int(described))
        packet = parse(data)
        if nas is None or isinstance(packet, str) or packet.code != ACCESS_REQUEST:
            return
        problem = verify_request(packet, nas.secret, True)  # EAP always has a Message-Authenticator
        if problem:
            self._counters.count(nas, dropped("auth", problem))
            return
        answers = self.duplicates.answers
        if key in answers:
            reply = answers[key]
            if reply is not None:
                self.send(reply, source)
            self._counters.count(nas, AUTH_DUPLICATE)
            return
        self.duplicates.begin(key)
        self._log_in(Request(packet, nas, self, source, key, time.time()))

    def send(self, reply: bytes, destination: tuple[Any, ...]) -> None:
        """Back to the process that has the connection."""
        sender, mark = destination
        self._send_back(sender, REPLY, mark + reply)
