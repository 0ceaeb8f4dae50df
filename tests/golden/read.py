"""Read the golden packets: a line ``# what it is``, then lines of hexadecimal digits."""

from pathlib import Path

FOLDER = Path(__file__).parent / "radius"


def read_golden(name: str) -> dict[str, bytes]:
    """Title → octets."""
    packets: dict[str, bytes] = {}
    title = ""
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            title = line[1:].strip()
            packets[title] = b""
        else:
            packets[title] += bytes.fromhex(line)
    return packets
