"""Numbers as people read them: rounded to what their uncertainty supports.

Only text comes from here; intervals are computed in `lumipipe.metrics` and
`lumipipe.uncertainty`.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal

from lumipipe.language import localised, message, say

NOT_AVAILABLE = message("n/a")
_GROUP = "\u202f"  # narrow no-break space, ISO 80000-1, 7.3.1
_MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_PLAIN, _SMALLEST_PLAIN = 7, -4
_MOST_DECIMALS = 15
_TWO_DIGITS_BELOW = 5  # first digit of a half-width
_CONDITION = re.compile(r"^\s*(?:<=|>=|<|>|≤|≥)\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*(%?)")


def rounded(
    value: float | None,
    lower: float | None = None,
    upper: float | None = None,
    *,
    digits: int = 3,
    against: float | None = None,
) -> str:
    """`value` as text, printed to the digit of the half-width of its interval.

    Parameters
    ----------
    value : float or None
        The number; None gives ``n/a``.
    lower, upper : float or None
        Ends of its interval; with one end, the half-width is the distance to it.
    digits : int, default 3
        Most significant digits where there is no interval. Digits before the point are never
        rounded away, and no digit is printed that the number does not have.
    against : float or None
        A limit that `value` is compared with: a number gets further digits until it is printed
        on the side of the limit where it lies, so that 0.7996 is never printed as 0.80 beside
        a condition of 0.8 that it fails.

    Returns
    -------
    str
        The text with the decimal sign of the current language, a true minus sign, thin spaces
        between thousands, and a power of ten for very large and very small numbers.

    Notes
    -----
    Method: the half-width keeps two significant digits where its first digit is below 5, else one:
    so that rounding changes it by a tenth at most, and an interval of 2 % to 98 % is not printed as
    0 % to 100 %. Rounding is half up.

    Examples
    --------
    >>> rounded(0.8998877, 0.83, 0.95)
    '0.90'
    >>> rounded(0.8998877, 0.868, 0.932)
    '0.900'
    >>> rounded(0.8998877, 0.8877, 0.9123)
    '0.900'
    """
    return rounded_interval(value, lower, upper, digits=digits, against=against)[0]


def rounded_interval(
    value: float | None,
    lower: float | None,
    upper: float | None,
    *,
    digits: int = 3,
    against: float | None = None,
    is_decided: bool = True,
) -> tuple[str, str, str]:
    """Value and both ends as text to the same digit; see `rounded`.

    Parameters
    ----------
    value, lower, upper : float or None
        The number and the ends of its interval.
    digits : int, default 3
        As for `rounded`.
    against : float or None
        A limit; all three get the digits that tell on which side of it each lies.
    is_decided : bool, default True
        Whether the side of the value tells anything; if not, only the ends count.

    Returns
    -------
    tuple of str
        Value and ends.
    """
    decimals = _decimals(value, lower, upper, digits)
    if against is not None:
        numbers = [value, lower, upper] if is_decided else [lower, upper]
        told = [number for number in numbers if number is not None]
        decimals = max([decimals, *(_on_its_side(number, decimals, against) for number in told)])
    return (
        _number_text(value, decimals),
        _number_text(lower, decimals),
        _number_text(upper, decimals),
    )


def percentage(
    value: float | None,
    lower: float | None = None,
    upper: float | None = None,
    *,
    against: float | None = None,
    is_decided: bool = True,
) -> tuple[str, str, str]:
    """A share and its interval as per cent, without the sign; see `rounded_interval`."""
    return rounded_interval(
        _hundredfold(value),
        _hundredfold(lower),
        _hundredfold(upper),
        against=_hundredfold(against),
        is_decided=is_decided,
    )


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 12)


def limit_of(condition: str | None) -> float | None:
    """The number in a condition such as ``>= 0.8``; None where there is no such number."""
    found = _CONDITION.match(condition or "")
    if found is None or found[2]:
        return None
    return float(found[1])


def _decimals(value: float | None, lower: float | None, upper: float | None, digits: int) -> int:
    half_width = _half_width(value, lower, upper)
    if half_width > 0:
        exponent = math.floor(math.log10(half_width))
        two = half_width / 10.0**exponent < _TWO_DIGITS_BELOW
        return min((1 if two else 0) - exponent, _MOST_DECIMALS)
    if not value:
        return 0
    # beyond twelve digits stands what binary arithmetic left: 100 times 0.0175 is 1.75
    written = Decimal(f"{value:.12g}").normalize().as_tuple().exponent
    assert isinstance(written, int)  # a string for NaN and infinity, which a result never holds
    return max(0, min(digits - 1 - math.floor(math.log10(abs(value))), -written))


def _half_width(value: float | None, lower: float | None, upper: float | None) -> float:
    if lower is not None and upper is not None:
        return (upper - lower) / 2
    end = upper if lower is None else lower
    return abs(value - end) if value is not None and end is not None else 0.0


def _on_its_side(number: float, decimals: int, against: float) -> int:
    """Decimals with which `number` is printed on the side of `against` where it lies."""
    exact, limit = Decimal(repr(number)), Decimal(repr(against))
    while decimals < _MOST_DECIMALS and _round(exact, decimals).compare(limit) != exact.compare(
        limit
    ):
        decimals += 1
    return decimals


def _number_text(number: float | None, decimals: int) -> str:
    if number is None:
        return say(NOT_AVAILABLE)
    return _text(_round(Decimal(repr(number)), decimals), decimals)


def _round(exact: Decimal, decimals: int) -> Decimal:
    # scaleb and to_integral_value: quantize refuses numbers of more than 28 digits
    return exact.scaleb(decimals).to_integral_value(ROUND_HALF_UP).scaleb(-decimals)


def _text(number: Decimal, decimals: int) -> str:
    if not number:
        return localised(f"{0:.{max(decimals, 0)}f}")
    exponent = number.adjusted()
    sign = _MINUS if number < 0 else ""
    if _SMALLEST_PLAIN <= exponent < _LARGEST_PLAIN or (decimals == 0 and exponent < 12):  # noqa: PLR2004
        return sign + _grouped(f"{abs(number):.{max(decimals, 0)}f}")
    mantissa = localised(f"{abs(number).scaleb(-exponent):.{max(min(decimals + exponent, 6), 0)}f}")
    return f"{sign}{mantissa}×10{str(exponent).translate(_SUPERSCRIPT)}"


def _grouped(plain: str) -> str:
    whole, point, fraction = plain.partition(".")
    if len(whole) > 4:  # noqa: PLR2004 - four digits stay together, ISO 80000-1
        whole = f"{int(whole):,}".replace(",", _GROUP)
    return whole + localised(point + fraction)
