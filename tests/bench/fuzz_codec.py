"""Millions of mutated packets through the codec: ``python -m tests.bench.fuzz_codec [count] [seed]``.

Nothing may raise, no changed packet may verify, memory may not grow. Ends with exit code 1 otherwise.
"""

import random
import resource
import sys
import time
from collections import Counter

from radius_cluster.wire.coa import encode_dynamic_request, read_dynamic_reply
from radius_cluster.wire.mschap import verify_mschap
from radius_cluster.wire.packet import Packet, parse, verify_request, verify_response
from radius_cluster.wire.passwords import decode_pap, verify_chap
from tests.golden.read import read_golden

SECRET = b"radius-secret"


def mutate(raw: bytes, rnd: random.Random) -> bytes:
    """One to four changes: octets, cuts, insertions, lengths, whole attributes."""
    data = bytearray(raw)
    for _ in range(rnd.randint(1, 4)):
        at = rnd.randrange(len(data)) if data else 0
        match rnd.randrange(7):
            case 0 if data:
                data[at] ^= 1 << rnd.randrange(8)
            case 1 if data:
                data[at] = rnd.choice((0, 1, 2, 255, rnd.randrange(256)))
            case 2:
                del data[at:]
            case 3:
                data[at:at] = rnd.randbytes(rnd.randrange(40))
            case 4 if len(data) >= 4:
                data[2:4] = rnd.choice((0, 19, 20, len(data), 4096, 65535, rnd.randrange(65536))).to_bytes(2, "big")
            case 5 if len(data) > 22:
                data[21 + rnd.randrange(len(data) - 21)] = rnd.choice((0, 1, 2, 253, 255))
            case _:
                data += bytes((rnd.randrange(256), rnd.randrange(256))) + rnd.randbytes(rnd.randrange(20))
                if rnd.random() < 0.7 and len(data) <= 65_535 and len(data) >= 4:
                    data[2:4] = len(data).to_bytes(2, "big")
    return bytes(data)


def try_one(raw: bytes, data: bytes, request: bytes) -> str:
    """What became of a mutated packet; "VERIFIED" is a failure."""
    packet = parse(data)
    reply = read_dynamic_reply(data, request, SECRET)
    if not isinstance(reply, str) or isinstance(verify_response(data, bytes(16), SECRET), Packet):
        return "VERIFIED"
    if isinstance(packet, str):
        return packet
    reason = verify_request(packet, SECRET)
    if not reason and packet.raw != raw:
        return "VERIFIED"
    packet.vendor_attributes()
    packet.eap_message()
    packet.text(1)
    verify_chap(packet, b"x")
    if packet.vendor(311, 1) or packet.vendor(311, 25):
        verify_mschap(packet, bytes(16))
    decode_pap(packet.attributes.get(2, b""), packet.authenticator, SECRET)
    return reason or "unchanged"


def main(count: int, seed: int) -> int:
    rnd = random.Random(seed)
    golden = [*read_golden("requests.txt").values(), encode_dynamic_request(40, 5, SECRET, b"\x01\x07alice", 1)]
    outcomes: Counter[str] = Counter()
    started, memory_kib = time.perf_counter(), 0
    for number in range(count):
        raw = golden[number % len(golden)]
        outcomes[try_one(raw, mutate(raw, rnd), golden[-1])] += 1
        if number == count // 10:
            memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kib
    print(
        f"{count} packets in {time.perf_counter() - started:.0f} s, memory grown by {grown_kib} KiB: {dict(outcomes)}"
    )
    return 1 if outcomes["VERIFIED"] or grown_kib > 2_048 else 0


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    sys.exit(main(arguments[0] if arguments else 5_000_000, arguments[1] if len(arguments) > 1 else 1))
