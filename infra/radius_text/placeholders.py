"""What the placeholders of a dialect stand for: the values of a profile in the forms that vendors read."""

from typing import Any, Final

from infra.radius_text.profile import ReplyProfile, profile_fields

Value = str | int | None

# A dialect says in which unit it writes {up}; a NAS may say otherwise, since firmwares differ (radius.md, [?]).
RATE_UNITS: Final[dict[str, int]] = {"bit/s": 1, "kbit/s": 1_000, "kB/s": 8_000}


def mikrotik_rate(bps: int) -> str:
    """A rate as RouterOS writes it: 2M, 1500k, 64500; k = 1000, M = 1000 k."""
    if bps and bps % 1_000_000 == 0:
        return f"{bps // 1_000_000}M"
    return f"{bps // 1_000}k" if bps and bps % 1_000 == 0 else str(bps)


def mikrotik_rate_limit(profile: ReplyProfile) -> str:
    """``rx/tx [burst [threshold [time [priority [min]]]]]``; rx is what the router receives: the upload comes first.

    A part is only read after all parts before it, so a missing part before a set one is filled with what RouterOS takes
    for it: threshold = rate, time = 1 s, or 0/0 without a burst. "" without rates.
    """
    up, down = profile.up_bps, profile.down_bps
    if not up or not down:
        return ""
    burst = bool(profile.burst_up_bps or profile.burst_down_bps)
    threshold = burst and bool(profile.threshold_up_bps or profile.threshold_down_bps)
    minimum = bool(profile.minimum_up_bps or profile.minimum_down_bps)
    seconds = (profile.burst_seconds or 1) if burst else 0
    # 8 is RouterOS' own default: it is only written where all before it is set, as the documentation's example has it.
    complete = threshold and profile.burst_seconds is not None
    priority = profile.priority is not None and (profile.priority != 8 or complete)
    parts = [  # (was set, text)
        (True, _pair(up, down)),
        (burst, _pair(profile.burst_up_bps or up, profile.burst_down_bps or down) if burst else "0/0"),
        (threshold, _pair(profile.threshold_up_bps or up, profile.threshold_down_bps or down) if burst else "0/0"),
        (burst and profile.burst_seconds is not None, f"{seconds}/{seconds}"),
        (priority, str(profile.priority or 8)),
        (minimum, _pair(profile.minimum_up_bps or 0, profile.minimum_down_bps or 0)),
    ]
    last = max(at for at, (was_set, _) in enumerate(parts) if was_set)
    return " ".join(text for _, text in parts[: last + 1])


def placeholders(profile: ReplyProfile, rate_unit: str) -> dict[str, Value]:
    """Every placeholder's value for a profile; rates in ``rate_unit`` rounded to the nearest, but never to 0."""
    unit = RATE_UNITS[rate_unit]
    values: dict[str, Value] = {name: getattr(profile, name) for name in profile_fields()}
    for direction in ("up", "down"):
        rate: int | None = getattr(profile, f"{direction}_bps")
        burst: int | None = getattr(profile, f"burst_{direction}_bps")
        values[direction] = _in_unit(rate, unit)
        values[f"burst_{direction}"] = _in_unit(burst, unit)
        values[f"minimum_{direction}"] = _in_unit(getattr(profile, f"minimum_{direction}_bps"), unit)
        values[f"peak_{direction}"] = _in_unit(burst or rate, unit)
        values[f"peak_{direction}_bps"] = burst or rate
        values[f"burst_size_{direction}_bits"] = (burst or 0) * (profile.burst_seconds or 0) or None
        values[f"{direction}_kbps"] = _in_unit(rate, 1_000)
        values[f"{direction}_text"] = mikrotik_rate(rate).lower() if rate else None
        # Cisco's rule for rate-limit: a burst of 1.5 s of traffic in octets, an excess burst of twice that.
        values[f"{direction}_normal_burst_octets"] = rate * 3 // 16 if rate else None
        values[f"{direction}_excess_burst_octets"] = rate * 3 // 8 if rate else None
        values[f"qos_{direction}"] = getattr(profile, f"qos_profile_{direction}") or profile.qos_profile
    values["dns"] = f"{profile.dns1} {profile.dns2}".strip()
    values["mikrotik_rate_limit"] = mikrotik_rate_limit(profile)
    return values


def octet_limits(total: int | None, up: int | None, down: int | None) -> dict[str, Value]:
    """Placeholders of a session's octet limits; each in 32 low bits and its gigawords."""
    values: dict[str, Value] = {}
    for name, octets in (("total", total), ("up", up), ("down", down)):
        values[f"{name}_limit_octets"] = octets
        # Rounded up: never less than is left
        values[f"{name}_limit_kilobytes"] = -(-octets // 1024) if octets is not None else None
        values[f"{name}_limit_low"] = octets & 0xFFFFFFFF if octets is not None else None
        # Older firmwares know no gigawords, so they are sent only where they say something.
        values[f"{name}_limit_gigawords"] = (octets >> 32 or None) if octets is not None else None
    return values


def time_limits(total_seconds: int, left_seconds: int) -> dict[str, Value]:
    """Placeholders of a running session's end: counted from its beginning, and from now."""
    return {"session_seconds": total_seconds, "seconds_left": left_seconds}


_TEXT_SAMPLES: Final = {"dns1": "192.0.2.1", "dns2": "192.0.2.2", "redirect_url": "http://192.0.2.1/"}


def _samples() -> dict[str, str | int]:
    """Every placeholder with a value to try it with: a dialect is checked when it is written, not at a login."""
    empty = ReplyProfile()
    full: dict[str, Any] = {
        name: _TEXT_SAMPLES.get(name, "name") if getattr(empty, name) == "" else 1 for name in profile_fields()
    }
    values = placeholders(ReplyProfile(**full), "bit/s") | octet_limits(1 << 33, 1 << 33, 1 << 33) | time_limits(1, 1)
    values["previous_service"] = "name"
    return {name: value for name, value in values.items() if value is not None}


def _pair(up: int, down: int) -> str:
    return f"{mikrotik_rate(up)}/{mikrotik_rate(down)}" if up or down else "0/0"


def _in_unit(bps: int | None, unit: int) -> int | None:
    return max(1, (bps + unit // 2) // unit) if bps else None


SAMPLES: Final = _samples()
