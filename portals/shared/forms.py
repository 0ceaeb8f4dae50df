"""What somebody typed into a form, what of it is wrong, and the values it stands for.

A view reads its fields, calls one function of the business, and shows the form again with the same text when something
was wrong::

    form = Form(request.form, {"price": _("Price")})
    price = form.amount("price")
    if form.ok:
        with form.refusals():
            add_plan(...)
            return redirect(...)
    return render_template("admin/plan_form.html", form=form), 422
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, TypeVar

from portals.shared.i18n import _, ngettext
from tenants.kernel.errors import BusinessError, InvalidInputs

T = TypeVar("T")
_NEVER_SHOWN_AGAIN = ("password", "password_again", "current_password", "private_key")
# A comma parts thousands only: 49,90 is no 4,990. Exponents, underscores and NaN are not what a till knows.
_AMOUNT = re.compile(r"[+-]?(([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]*)?|\.[0-9]+)")
_MINUS = {ord("−"): "-", ord("－"): "-"}
_TOO_MUCH = Decimal(10) ** 12  # more than the ledger's columns hold


class Form:
    """The fields of one form; ``errors`` keeps the order in which they were found, key "" is the form as a whole."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, labels: Mapping[str, str] | None = None, **initial: Any
    ) -> None:
        self._data = data
        self._initial = initial
        self.labels = dict(labels or {})
        self.errors: dict[str, str] = {}

    @property
    def ok(self) -> bool:
        """Nothing wrong was found so far."""
        return not self.errors

    @property
    def sent(self) -> bool:
        """Whether somebody sent it (rather than opened it)."""
        return self._data is not None

    @property
    def key(self) -> str:
        """Idempotency key: new for each form opened, kept while it is corrected, so that sending twice books once."""
        kept = self._raw("key")
        return kept if 16 <= len(kept) <= 64 else secrets.token_urlsafe(18)

    def value(self, name: str) -> str:
        """The text to show in the field; passwords are never sent back."""
        return "" if name in _NEVER_SHOWN_AGAIN else self._raw(name)

    def values(self, name: str) -> list[str]:
        """All values of a field that may come several times."""
        if self._data is None:
            return [str(value) for value in self._initial.get(name, [])]
        many = getattr(self._data, "getlist", None)
        return [str(value) for value in many(name)] if many else [self._raw(name)]

    def error(self, name: str) -> str:
        """What is wrong with the field, or ""."""
        return self.errors.get(name, "")

    def fail(self, name: str, sentence: str) -> None:
        """Note what is wrong; the first error of a field stays."""
        self.errors.setdefault(name, sentence)

    def reject(self, error: BusinessError) -> None:
        """Put a refusal of the business beside the field it names, in the reader's language."""
        from portals.shared.errors import error_text

        for single in error.errors if isinstance(error, InvalidInputs) else [error]:
            self.fail(single.field or "", error_text(single))

    def refusals(self, field: str | None = None) -> "_Refusals":
        """``with form.refusals():`` do what the form asks; a refusal of the business ends the block and is noted.

        ``field``: where it is shown, when the form calls it differently from the business.
        """
        return _Refusals(self, field)

    def summary(self) -> list[tuple[str, str]]:
        """(field, sentence) of every error, the sentence led by the field's label."""
        colon = _(": ")
        led = {name: f"{label}{colon}" for name, label in self.labels.items()}
        return [(name, led.get(name, "") + sentence) for name, sentence in self.errors.items()]

    # ---- reading ----

    def text(self, name: str, *, required: bool = False, longest: int = 255, strip: bool = True) -> str:
        """The text; notes an error when it is missing or longer than ``longest`` characters."""
        value = self._raw(name)
        value = value.strip() if strip else value
        if required and not value:
            self.fail(name, _("Fill this in."))
        elif len(value) > longest:
            self.fail(
                name,
                ngettext(
                    "At most %(most)s characters; this is %(num)s.",
                    "At most %(most)s characters; these are %(num)s.",
                    len(value),
                    most=longest,
                ),
            )
        elif any(ord(character) < 32 and character not in "\r\n\t" for character in value):
            self.fail(name, _("There is a character in it that cannot be seen. Type it again."))
        return value

    def integer(
        self, name: str, *, lowest: int | None = None, highest: int | None = None, required: bool = True
    ) -> int | None:
        """A whole number between two limits, or None with an error noted (or nothing given where that is allowed)."""
        raw = self._raw(name).strip()
        if not raw:
            if required:
                self.fail(name, _("Fill this in."))
            return None
        if not raw.removeprefix("-").isascii() or not raw.removeprefix("-").isdigit() or len(raw) > 18:
            self.fail(name, _("Enter a whole number."))
            return None
        number = int(raw)
        if lowest is not None and number < lowest:
            self.fail(name, _("At least %(lowest)s.", lowest=lowest))
        elif highest is not None and number > highest:
            self.fail(name, _("At most %(highest)s.", highest=highest))
        else:
            return number
        return None

    def amount(self, name: str, *, required: bool = True, negative: bool = False) -> Decimal | None:
        """An amount of money with at most two decimals, or None with an error noted."""
        raw = self._raw(name).strip().lstrip("¥￥").strip().translate(_MINUS)  # our own pages print the long minus
        if not raw:
            if required:
                self.fail(name, _("Fill this in."))
            return None
        if not _AMOUNT.fullmatch(raw):
            self.fail(name, _("Enter an amount such as 50 or 49.90."))
            return None
        value = Decimal(raw.replace(",", ""))
        if abs(value) >= _TOO_MUCH:
            self.fail(name, _("The amount is too large."))
        elif int(value.as_tuple().exponent) < -2:  # 1.000 too: somebody means a thousand by it
            self.fail(name, _("At most two decimals."))
        elif value < 0 and not negative:
            self.fail(name, _("An amount cannot be negative."))
        else:
            return value
        return None

    def converted(
        self, name: str, convert: Callable[[str], T], *, required: bool = False, longest: int = 20
    ) -> T | None:
        """What ``convert`` makes of the text, or None with an error noted (or nothing given where that is allowed)."""
        raw = self.text(name, required=required, longest=longest)
        if raw:
            with self.refusals():
                return convert(raw)
        return None

    def choice(self, name: str, options: Collection[str], *, required: bool = True) -> str:
        """One of the options, or "" with an error noted."""
        value = self._raw(name)
        if value in options:
            return value
        if value or required:
            self.fail(name, _("Choose one of these."))
        return ""

    def checked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self._raw(name) not in ("", "0", "false", "None", "False")

    def _raw(self, name: str) -> str:
        source: Mapping[str, Any] = self._initial if self._data is None else self._data
        value = source.get(name)
        if value is True:
            return "1"
        return "" if value is None or value is False else str(value)


class _Refusals:
    def __init__(self, form: Form, field: str | None) -> None:
        self._form = form
        self._field = field

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, BusinessError):
            if self._field is not None:
                error.field = self._field
            self._form.reject(error)
            return True
        return False


def options(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[str, str]]:
    """(value, label) pairs as a ``select`` wants them."""
    return [(str(value), str(label)) for value, label in pairs]
