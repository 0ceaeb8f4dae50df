"""What is wrong in a line of a dialect or of extra attributes, in the reader's language."""

from typing import Any

from infra.radius_text.lines import Problem
from portals.shared.i18n import _, current_language, lazy
from portals.shared.words import word

PROBLEMS: dict[str, Any] = {
    "form": lazy("must read “Attribute = value”"),
    "unknown_attribute": lazy("no dictionary knows this attribute"),
    "reserved": lazy("the server itself sets this attribute"),
    "encrypted": lazy("this attribute is encrypted and cannot be written as text"),
    "tag": lazy("this attribute takes no tag, or the tag is not 0 to 31"),
    "placeholder": lazy("there is no such placeholder"),
    "empty": lazy("the value is empty"),
    "control": lazy("the value has characters that cannot be seen"),
    "type": lazy("this attribute cannot be written as text"),
    "length": lazy("the value is too long"),
    "octets": lazy("takes 0x and pairs of hexadecimal digits"),
    "number": lazy("takes a whole number"),
    "range": lazy("the number is too large"),
    "date": lazy("takes seconds since 1970, or an instant with its zone"),
    "address": lazy("takes an IP address"),
    "prefix": lazy("takes an IPv6 prefix"),
    "interface_id": lazy("takes four groups like 0:0:0:1"),
    "mac": lazy("takes a MAC address"),
    "setting": lazy("no such setting, or not with this value"),
    "section": lazy("no such section; there are [accept], [limits] and [coa]"),
    "no_accept": lazy("the section [accept] is missing or empty"),
    "too_many": lazy("too many attributes"),
    "too_long": lazy("the text is too long"),
}


def problem_text(problem: Problem) -> str:
    """The checker's own words name the attribute; other languages get what kind of mistake it is."""
    if current_language() == "en":
        return problem.message
    said = word(PROBLEMS, problem.code)
    return _("%(problem)s; is %(names)s meant?", problem=said, names=problem.meant) if problem.meant else said
