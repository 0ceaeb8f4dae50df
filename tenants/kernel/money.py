"""Money as decimals: parsing what people type, rounding once, half-up (billing-rules.md, "Units").

One tenant has one currency, so amounts travel as plain :class:`~decimal.Decimal` with two decimals; :func:`amount`
is the gate that every amount from outside passes.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from tenants.kernel.errors import BusinessError

CENT = Decimal("0.01")
MICRO = Decimal("0.000001")
ZERO = Decimal("0.00")
LIMIT = Decimal("1000000000")  # numeric(14,2) holds 10^12; a single amount of 10^9 is a typing mistake in any currency


class BadAmount(BusinessError):
    """The text is not an amount of money. ``why``: not_a_number | decimals | too_large | negative | float."""

    code = "bad_amount"
    message = "{value} is not an amount: {reason}."


_REASONS = {
    "not_a_number": "write digits with at most two decimals, such as 50 or 50.00",
    "decimals": "money has at most two decimals",
    "too_large": "it must be below 1000000000",
    "negative": "it must not be negative",
    "zero": "it must not be 0",
}


def _bad(value: object, why: str, field: str) -> BadAmount:
    shown = str(value)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return BadAmount(field=field, value=shown, why=why, reason=_REASONS[why])


def amount(value: object, *, field: str = "amount", negative: bool = False, zero: bool = True) -> Decimal:
    """An amount with exactly two decimals from text, an integer or a decimal.

    Floats are a programming error (:class:`TypeError`). Raises :class:`BadAmount` for anything that is not a plain
    number, has a third decimal that is not 0, is 10^9 or more, is negative (unless allowed) or 0 (unless allowed).
    """
    if isinstance(value, bool | float):
        raise TypeError("money is never a float or a bool")
    if isinstance(value, str):
        text = value.strip()
        # Decimal() takes exponents, underscores, full-width digits and NaN; a till does not.
        if not text.isascii() or not text.lstrip("+-").replace(".", "", 1).isdigit() or len(text) > 40:
            raise _bad(value, "not_a_number", field)
        value = text
    try:
        number = Decimal(value)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        raise _bad(value, "not_a_number", field) from None
    if not number.is_finite():
        raise _bad(value, "not_a_number", field)
    if abs(number) >= LIMIT:
        raise _bad(value, "too_large", field)
    rounded = number.quantize(CENT)
    if rounded != number:
        raise _bad(value, "decimals", field)
    if rounded < 0 and not negative:
        raise _bad(value, "negative", field)
    if rounded == 0 and not zero:
        raise _bad(value, "zero", field)
    return abs(rounded) if rounded == 0 else rounded  # no -0.00


def cents(value: Decimal) -> Decimal:
    """Rounded half-up to two decimals (away from zero on a tie, as a shop-keeper does)."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP) + ZERO


def whole(value: Decimal) -> Decimal:
    """Rounded half-up to whole currency units, carried with two decimals."""
    return value.quantize(Decimal(1), rounding=ROUND_HALF_UP).quantize(CENT) + ZERO


def show(value: Decimal) -> str:
    """The contract's text form: two decimals, no thousands separators."""
    return f"{value:.2f}"
