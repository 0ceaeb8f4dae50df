"""What is said of a packet that somebody watches: what became of it in words, and its text for a support ticket."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from portals.shared.i18n import _, lazy, ngettext
from portals.shared.words import Refusal, refusal

Packet = Mapping[str, Any]  # as radius_cluster/watch/tell.py writes it

_DROPPED: dict[str, Refusal] = {
    "overload": Refusal(
        lazy("Too many at once"), lazy("More packets came than could be served."), lazy("The router asks again.")
    ),
    "too_late": Refusal(
        lazy("Too late"), lazy("It waited so long that the router has asked again."), lazy("Look at the engines' load.")
    ),
    "database_away": Refusal(
        lazy("Database away"),
        lazy("The database was away, and no process had seen this account before."),
        lazy("The router asks another server, or again."),
    ),
    "no_certificate": Refusal(
        lazy("No certificate"),
        lazy("The certificate for EAP could not be loaded."),
        lazy("Look at the certificates' page."),
    ),
    "unknown_cell": Refusal(
        lazy("Served elsewhere"), lazy("This process does not serve your cell."), lazy("Tell the platform.")
    ),
    "incomplete": Refusal(
        lazy("Incomplete"),
        lazy("The report names no session or no user."),
        lazy("Look at what the router's accounting sends."),
    ),
    "bad_data": Refusal(
        lazy("Cannot be stored"),
        lazy("The report has values that cannot be stored."),
        lazy("Look at what the router's accounting sends."),
    ),
    "spool_full": Refusal(
        lazy("Disk full"),
        lazy("The database was away and the disk full, so the report could not be kept."),
        lazy("The router sends it again."),
    ),
}
_GOOD, _BAD, _WARN, _PLAIN = "normal", "expired", "expiring", "disabled"
_STATUS = "Acct-Status-Type"


@dataclass(frozen=True, slots=True)
class Fate:
    """``tone`` colours the dot beside the ``word``; ``sentence`` and ``remedy`` may be empty."""

    tone: str
    word: str
    sentence: str = ""
    remedy: str = ""


def attribute(packet: Packet, name: str, part: str = "request") -> str:
    """The text of the first attribute of this name; "" without one."""
    found = packet[part]["attributes"] if packet[part] else []
    return next((str(line[2]) for line in found if line[0] == name), "")


def kind(packet: Packet) -> str:
    """What was asked: the code, with what an accounting report says."""
    status = attribute(packet, _STATUS)
    return f"{packet['request']['code']} · {status}" if status else str(packet["request"]["code"])


def fate(packet: Packet) -> Fate:
    """What became of it."""
    reason, answer = str(packet["reason"]), packet["answer"]
    code = str(answer["code"]) if answer else ""
    if reason == "duplicate":
        again = _("It was answered as before.") if answer else _("The first one is still being worked on.")
        return Fate(_PLAIN, _("Repeat"), again)
    if reason == "unanswered":
        return Fate(_BAD, _("No answer"), _("The router did not answer, although it was asked several times."))
    if not answer:
        said = _DROPPED.get(reason) or refusal(reason)
        return Fate(_BAD, _("No answer: %(why)s", why=said.word), str(said.sentence), str(said.remedy))
    if code == "Access-Reject":
        return _refused(reason)
    if code == "Access-Accept" and reason:
        said = refusal(reason)
        place = _("There is a place for such accounts.")
        return Fate(_WARN, _("Let in, but not as usual"), f"{said.sentence} {place}", str(said.remedy))
    words = {
        "Access-Accept": (_GOOD, _("Let in")),
        "Access-Challenge": (_PLAIN, _("Asked on")),
        "Accounting-Response": (_GOOD, _("Stored")),
        "Disconnect-ACK": (_GOOD, _("The router has done it")),
        "CoA-ACK": (_GOOD, _("The router has done it")),
    }
    if packet["request"]["code"] == "Status-Server":
        return Fate(_GOOD, _("Answered"))
    if reason == "spooled":
        return Fate(_WARN, _("Kept on disk"), _("The database is away; it is stored when that is back."))
    if code in words:
        return Fate(*words[code])
    return Fate(_BAD, _("The router refused"), attribute(packet, "Error-Cause", "answer"))


def _refused(reason: str) -> Fate:
    if not reason:
        return Fate(_BAD, _("Refused"))
    said = refusal(reason)
    return Fate(_BAD, _("Refused: %(reason)s", reason=said.word), str(said.sentence), str(said.remedy))


def value_words(line: list[Any]) -> str:
    """The value of an attribute; of a secret one only how long it is."""
    _name, _tag, text, hidden, fits = line
    if not hidden:
        return str(text)
    said = ngettext("hidden (%(num)s octet)", "hidden (%(num)s octets)", hidden)
    if not fits:
        said = ngettext("hidden (%(num)s octet, a wrong length)", "hidden (%(num)s octets, a wrong length)", hidden)
    return f"{text} {said}" if text else said


def attribute_name(line: list[Any]) -> str:
    """The name, with its tag where there is one."""
    return f"{line[0]}:{line[1]}" if line[1] else str(line[0])


def instant(packet: Packet, zone: ZoneInfo) -> str:
    """When it came, to the millisecond."""
    at = datetime.fromtimestamp(packet["at"], UTC).astimezone(zone)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def text_of(packets: Sequence[Packet], routers: Mapping[int, str], zone: ZoneInfo) -> str:
    """Packets as text, the oldest first, as an engineer knows it from other servers."""
    return "\n".join("\n".join(_lines(packet, routers, zone)) for packet in packets)


def _lines(packet: Packet, routers: Mapping[int, str], zone: ZoneInfo) -> Iterator[str]:
    at = datetime.fromtimestamp(packet["at"], UTC).astimezone(zone)
    request, answer, said = packet["request"], packet["answer"], fate(packet)
    router = routers.get(packet["router"] or 0, _("unknown router"))
    direction = "→" if request["code"].startswith(("Disconnect", "CoA")) else "←"
    head = f"{request['code']} {request['id']} {direction} {packet['source']} · {router} · {packet['node']}"
    yield f"{at:%Y-%m-%d} {instant(packet, zone)}  {head}"
    yield from _attributes(request)
    ended = f"{answer['code']} {answer['id']}" if answer else _("no answer")
    yield f"  = {ended} · {packet['ms']:.1f} ms · {said.word}" + (f" — {said.sentence}" if said.sentence else "")
    if answer:
        yield from _attributes(answer)
    yield ""


def _attributes(packet: Mapping[str, Any]) -> Iterator[str]:
    for line in packet["attributes"]:
        yield f"    {attribute_name(line)} = {value_words(line)}"
