"""A tenant may choose any colour; what is written in it or on it stays readable."""

import re

import pytest

from portals.shared.accent import DARK_SURFACE, accent_css, contrast, is_colour


def test_contrast_of_black_and_white():
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0


@pytest.mark.parametrize("colour", ["#0b6670", "#ffff00", "#ff0000", "#ffffff", "#000000", "#7f7f7f", "#00ff88"])
def test_every_colour_becomes_readable(colour):
    light, _strong, on_dark, solid = re.findall(r"#[0-9a-f]{6}", accent_css(colour))
    assert contrast(light, "#ffffff") >= 4.5
    assert contrast(on_dark, DARK_SURFACE) >= 4.5
    assert contrast(solid, "#ffffff") >= 4.5


@pytest.mark.parametrize("text", ["", "red", "#fff", "#0b6670;}body{display:none", "#0b667g"])
def test_what_is_no_colour_reaches_no_stylesheet(text):
    assert not is_colour(text)
    assert accent_css(text) == ""
