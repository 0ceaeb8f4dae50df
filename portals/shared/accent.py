"""A tenant's accent colour, made readable: white on it and it on both surfaces keep 4.5:1 (WCAG 2.2 AA)."""

import re

DARK_SURFACE = "#171c1f"
LEAST_CONTRAST = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    """Whether ``text`` is a colour such as ``#0b6670``."""
    return _HEX.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    one, other = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (one + 0.05) / (other + 0.05)


def accent_css(colour: str) -> str:
    """The four custom properties everything else derives from; "" for what is no colour."""
    if not is_colour(colour):
        return ""
    light = _until(colour, "#ffffff", "#000000")
    on_dark = _until(colour, DARK_SURFACE, "#ffffff")
    solid_on_dark = _until(_mixed(colour, "#ffffff", 0.12), "#ffffff", "#000000")
    return (
        f":root{{--bl-accent:{light};--bl-accent-strong:{_mixed(light, '#000000', 0.2)};"
        f"--bl-accent-dark:{on_dark};--bl-accent-dark-solid:{solid_on_dark}}}"
    )


def _until(colour: str, against: str, towards: str) -> str:
    """Move ``colour`` towards black or white until it can be read against ``against``."""
    for step in range(21):
        mixed = _mixed(colour, towards, step / 20)
        if contrast(mixed, against) >= LEAST_CONTRAST:
            return mixed
    return towards


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
