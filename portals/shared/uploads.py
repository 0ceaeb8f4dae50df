"""Text fields that a file may fill: what was uploaded stands in the field afterwards, as if it had been pasted."""

from collections.abc import Collection, Mapping
from typing import Final

from flask import request

from portals.shared.forms import Form
from portals.shared.i18n import _

SUFFIX: Final = "_file"  # of the file's own field beside the text's
_LARGEST_OCTETS: Final = 1024 * 1024
_WORKBOOK: Final = b"PK\x03\x04"  # xlsx and ods are zip archives


def form_with_files(labels: Mapping[str, str], names: Collection[str]) -> Form:
    """The form that was sent; a file chosen beside one of the fields ``names`` takes the place of its text.

    Files of Chinese spreadsheets (GB 18030) are read as well as UTF-8. What is no text is noted beside the field.
    """
    values: dict[str, str] = dict(request.form.items())
    wrong: dict[str, str] = {}
    for name in names:
        chosen = request.files.get(name + SUFFIX)
        if chosen is None:
            continue
        with chosen.stream:  # large ones are temporary files
            data = chosen.read(_LARGEST_OCTETS + 1)
        if not data:
            continue
        text = _text(data)
        if text is None:
            wrong[name] = (
                _("Save the spreadsheet as CSV first.") if data[:4] == _WORKBOOK else _("This is no text file.")
            )
        elif len(data) > _LARGEST_OCTETS:
            wrong[name] = _("The file is larger than 1 MB.")
        else:
            values[name] = text
    form = Form(values, labels)
    for name, sentence in wrong.items():
        form.fail(name, sentence)
    return form


def _text(data: bytes) -> str | None:
    if data[:4] == _WORKBOOK or b"\0" in data:
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
