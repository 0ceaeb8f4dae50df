"""Requests to routers of either kind of address."""

import asyncio
import socket

import pytest

from radius_cluster.coa.exchange import Exchange
from radius_cluster.wire.coa import DynamicReply, encode_dynamic_response
from radius_cluster.wire.codes import DISCONNECT_ACK, DISCONNECT_REQUEST
from radius_cluster.wire.packet import Packet, parse

SECRET = b"radius-secret"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_one_socket_asks_both_kinds_of_routers(address: str) -> None:
    async def ask() -> DynamicReply | None:
        loop = asyncio.get_running_loop()
        router = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        router.bind((address, 0))
        router.setblocking(False)
        exchange = Exchange("::")
        answered: asyncio.Future[DynamicReply | None] = loop.create_future()
        port = router.getsockname()[1]
        exchange.ask((address, port), SECRET, DISCONNECT_REQUEST, b"\x01\x07alice", answered.set_result, 500.0)
        async with asyncio.timeout(3):
            data, source = await loop.sock_recvfrom(router, 4096)
        request = parse(data)
        assert isinstance(request, Packet)
        await loop.sock_sendto(router, encode_dynamic_response(DISCONNECT_ACK, request, SECRET, b""), source)
        try:
            async with asyncio.timeout(3):
                return await answered
        finally:
            exchange.close()
            router.close()

    reply = asyncio.run(ask())
    assert reply is not None
    assert reply.acknowledged
