"""Read what is written down beside the tests: packets in hexadecimal digits, tables of billing figures."""

from pathlib import Path

FOLDER = Path(__file__).parent / "radius"
BILLING = Path(__file__).parent / "billing"

Row = dict[str, str]


def read_golden(name: str) -> dict[str, bytes]:
    """Title → octets: a line ``# what it is``, then lines of hexadecimal digits."""
    packets: dict[str, bytes] = {}
    title = ""
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            title = line[1:].strip()
            packets[title] = b""
        else:
            packets[title] += bytes.fromhex(line)
    return packets


def golden_rows(name: str) -> list[Row]:
    """The rows of ``billing/<name>.txt`` as column → text: names in the first row, ``|`` between, ``#`` comments."""
    text = (BILLING / f"{name}.txt").read_text("utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    names, *rows = [[cell.strip() for cell in line.split("|")] for line in lines if line]
    return [dict(zip(names, row, strict=True)) for row in rows]
