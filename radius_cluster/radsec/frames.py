"""Cuts a stream of octets into RADIUS packets (RFC 6613, 2.6.4): the length stands in the header. Pure."""

from typing import Final

SMALLEST: Final = 20
LARGEST: Final = 4096


class FrameError(Exception):
    """The length is none that a packet may have: the stream cannot be followed any further."""


class Frames:
    """What has come of a stream and is not yet a whole packet: at most one packet's octets."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def is_empty(self) -> bool:
        """Whether the stream stands between two packets."""
        return not self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole now. Raises :class:`FrameError`; packets before the fault are lost with it."""
        if self._rest:
            data = self._rest + data
        packets = []
        at, end = 0, len(data)
        while end - at >= 4:
            length = data[at + 2] << 8 | data[at + 3]
            if not SMALLEST <= length <= LARGEST:
                raise FrameError(f"a packet of {length} octets")
            if end - at < length:
                break
            packets.append(data[at : at + length])
            at += length
        self._rest = data[at:]
        return packets
