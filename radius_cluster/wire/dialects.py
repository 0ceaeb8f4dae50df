"""Profiles, limits and extra attributes as the octets of a packet, in the dialect of the router."""

from collections.abc import Mapping

from infra.radius_text.dialects import Dialect
from infra.radius_text.lines import Line, encode_lines
from infra.radius_text.placeholders import Value, octet_limits, placeholders, time_limits
from infra.radius_text.profile import ReplyProfile
from radius_cluster.wire import attributes as encode


def encode_profile(dialect: Dialect, profile: ReplyProfile, *, invert: bool = False, rate_unit: str = "") -> bytes:
    """The attributes of an Access-Accept. ``invert`` exchanges up and down; ``rate_unit`` overrides the dialect's.

    For one combination the bytes never change, so a caller may keep them. Raises ValueError when a value does not fit.
    """
    filled = profile.inverted() if invert else profile
    return _encode(dialect.accept, placeholders(filled, rate_unit or dialect.rate_unit))


def encode_coa_profile(
    dialect: Dialect, profile: ReplyProfile, *, invert: bool = False, rate_unit: str = "", previous_service: str = ""
) -> bytes:
    """The attributes of a CoA-Request that changes a running session; b"" when the dialect has no live change.

    ``previous_service``: the router's service that the session has, which the profile's takes the place of; "" where
    it is not known. One that stays is not named: routers refuse to activate it once more.
    """
    filled = profile.inverted() if invert else profile
    values = placeholders(filled, rate_unit or dialect.rate_unit)
    stays = previous_service == profile.service
    values["previous_service"] = None if stays else previous_service
    if stays:
        values["service"] = None
    return _encode(dialect.coa, values)


def encode_timeout(dialect: Dialect, *, total_seconds: int, left_seconds: int) -> bytes:
    """The attributes of a CoA-Request that moves a running session's end; b"" for routers that cannot be told.

    ``total_seconds`` from the session's beginning, ``left_seconds`` from now.
    """
    return _encode(dialect.timeout, time_limits(total_seconds, left_seconds))


def encode_octet_limits(
    dialect: Dialect,
    *,
    total_octets: int | None = None,
    up_octets: int | None = None,
    down_octets: int | None = None,
    invert: bool = False,
) -> bytes:
    """What a session may still transfer; b"" for routers that cannot count (the accounting cuts those)."""
    if invert:
        up_octets, down_octets = down_octets, up_octets
    return _encode(dialect.limits, octet_limits(total_octets, up_octets, down_octets))


def encode_extra(text: str) -> bytes:
    """Extra attributes of a NAS or a plan (``Attribute = value`` lines). Raises TextProblems with line numbers."""
    return b"".join([_wrap(vendor, number, value) for vendor, number, value in encode_lines(text)])


def _encode(lines: tuple[Line, ...], values: Mapping[str, Value]) -> bytes:
    encoded = b""
    for line in lines:
        value = line.encode(values)
        if value is not None:
            encoded += _wrap(line.definition.vendor, line.definition.number, value)
    return encoded


def _wrap(vendor: int, number: int, value: bytes) -> bytes:
    return encode.vendor(vendor, number, value) if vendor else encode.octets(number, value)
