"""A request of ours to a router goes through its RadSec connection (RAD-7)."""

from typing import Any, cast

from radius_cluster.listen.peers import ASK, LOST, REPLY
from radius_cluster.radsec.way_back import WayBack
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.coa import encode_dynamic_request, encode_dynamic_response
from tests.unit.radius_cluster.radsec.cloud import NAS, SECRET, Cloud, login, run


class Peers:
    """The coa processes of this host."""

    is_closed = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, bytes]] = []

    def names(self, _prefix: str = "") -> list[str]:
        return ["coa@1"]

    def send(self, peer: str, kind: int, body: bytes) -> bool:
        self.sent.append((peer, kind, body))
        return peer != "coa@dead"


def test_a_disconnect_goes_through_the_open_connection_that_was_heard_last() -> None:
    async def story() -> None:
        cloud, peers = Cloud(), Peers()
        back = WayBack(cloud.hub, cast(Any, peers))
        old, newest, ending = cloud.router(), cloud.router(), cloud.router()
        ending.connection.close()  # said goodbye, and its end is not yet seen
        request = encode_dynamic_request(codes.DISCONNECT_REQUEST, 5, SECRET, encode.text(codes.USER_NAME, "alice"), 1)
        back.on_message("coa@1", ASK, NAS.to_bytes(4, "big") + request)
        [asked] = await newest.received()
        assert asked.raw == request
        assert await old.received() == []
        answer = encode_dynamic_response(codes.DISCONNECT_ACK, asked, SECRET)
        newest.send(answer)
        assert peers.sent[-1] == ("coa@1", REPLY, NAS.to_bytes(4, "big") + answer)
        told = len(peers.sent)
        newest.send(answer[:1] + b"\x06" + answer[2:])  # of no request of ours
        assert len(peers.sent) == told
        old.send(login())  # which shows that it lives; the other's line may be cut
        old.connection.heard_at = newest.connection.heard_at + 1
        await old.received()
        back.on_message("coa@1", ASK, NAS.to_bytes(4, "big") + request)
        assert [packet.raw for packet in await old.received()] == [request]
        assert await newest.received() == []
        for router in (old, newest):
            router.connection.close()
        back.on_message("coa@1", ASK, NAS.to_bytes(4, "big") + request)
        assert peers.sent[-1] == ("coa@1", LOST, NAS.to_bytes(4, "big") + request[:20])
        assert newest.is_in is False

    run(story)
