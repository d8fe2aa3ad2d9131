"""D-SI: results as digital calibration certificates write them, with unit and uncertainty.

What else stands in a certificate is `lumipipe.readers.dcc`'s.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.readers.units import short_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

_SI = "{https://ptb.de/si}"
_LIST = "XMLList"  # what the names of lists of numbers end with
_EXPANDED = ("uncertainty", "valueExpandedMU")
_STANDARD = ("standardUnc", "valueStandardMU", "standardMU")  # the ways of older and newer D-SI
_TOKEN = re.compile(r"\\([A-Za-z]+)(?:\{([^}]*)\})?")
_PREFIX = re.compile(
    "deca|hecto|kilo|mega|giga|tera|peta|exa|deci|centi|milli|micro|nano|pico|femto|atto|[kmg]ibi"
)
_PINT = {
    "degreecelsius": "degC",
    "one": "dimensionless",
    "electronvolt": "electron_volt",
    "nauticalmile": "nautical_mile",
    "astronomicalunit": "astronomical_unit",
}


class Result(NamedTuple):
    """One quantity of a certificate, at one or more points."""

    name: str
    """What it is called, in English where that is there."""
    kinds: tuple[str, ...]
    """Its refTypes, such as basic_measuredValue, its id and its label."""
    table: int
    """Number of the list that it is a column of."""
    unit: str
    """Unit in instrument notation; as it stands in the file where it is none."""
    values: tuple[float, ...]
    """One for each point; NaN where there is none."""
    expanded: tuple[float, ...]
    """Expanded uncertainty of each value, in `unit`; empty where none is stated."""
    k: tuple[float, ...]
    """Coverage factor of each; 1 of a standard uncertainty."""
    probability: float | None
    """Coverage probability, where it is stated."""

    def is_called(self, name: str) -> bool:
        """Whether a request may call it so."""
        return name == self.name or name in self.kinds


def read_result(quantity: Any, name: str, kinds: tuple[str, ...], table: int) -> Result | None:
    """What a quantity of a certificate states; None where it holds no numbers.

    Parameters
    ----------
    quantity : lxml.etree.Element
        Its parts are `real`, `realListXMLList`, `list` or `constant`, or several of them under
        `hybrid`, which are the same in other units: the first that states an uncertainty counts.
    name : str
        What the certificate calls it.
    kinds : tuple of str
        Its refTypes and id.
    table : int
        The list that it is a column of.

    Returns
    -------
    Result or None
        With as many uncertainties as values, or none.

    Raises
    ------
    ValueError
        If numbers are none, or too few, or an uncertainty or factor is not positive.
    """
    forms = [form for form in _forms(quantity) if _numbers(form, "value")]
    if not forms:
        return None
    form = next((one for one in forms if _numbers(one, *_EXPANDED, *_STANDARD)), forms[0])
    values = _numbers(form, "value")
    expanded = _spread(_numbers(form, *_EXPANDED), len(values), "uncertainties")
    k = _spread(_numbers(form, "coverageFactor"), len(values), "coverage factors")
    if not expanded:
        expanded = _spread(_numbers(form, *_STANDARD), len(values), "uncertainties")
        k = (1.0,) * len(expanded)
    if len(k) != len(expanded) or any(not 0.0 < one < math.inf for one in (*expanded, *k)):
        raise ValueError("states an uncertainty or a coverage factor that is not positive")
    units = {text for part in _texts(form, "unit") for text in part.split()}
    if len(units) != 1:
        raise ValueError(f"states {len(units)} units of one list")
    label = " ".join(_texts(form, "label"))
    return Result(
        name or label or "result",
        (*kinds, label) if label else kinds,
        table,
        unit_of(units.pop()),
        values,
        expanded,
        k,
        next(iter(_numbers(form, "coverageProbability")), None),
    )


def unit_of(text: str) -> str:
    r"""A unit of D-SI in instrument notation; as it stands where it is none.

    >>> unit_of(r"\kilogram\metre\tothe{2}\second\tothe{-3}\ampere\tothe{-2}")
    'kg*m2/A2/s3'
    >>> unit_of(r"\milli\metre\per\second"), unit_of(r"\degreecelsius"), unit_of(r"\one")
    ('mm/s', '°C', '1')
    """
    factors: list[str] = []
    prefix, sign = "", ""
    for word, power in _TOKEN.findall(text):
        if word == "tothe" and factors:
            factors[-1] += f"**({power})"
        elif word == "per":
            sign = "1/"
        elif _PREFIX.fullmatch(word):
            prefix += word
        else:
            factors.append(f"{sign}{prefix}{_PINT.get(word, word)}")
            prefix, sign = "", ""
    if _TOKEN.sub("", text).strip() or not factors:
        return text
    return short_unit(" * ".join(factors)) or text


def _forms(quantity: Any) -> Iterator[Any]:
    """The ways in which a quantity is written."""
    for form in quantity:
        if form.tag == f"{_SI}hybrid":
            yield from form
        elif isinstance(form.tag, str) and form.tag.startswith(_SI):
            yield form


def _texts(form: Any, *names: str) -> list[str]:
    """Texts of all parts with one of the names, each alone or of a list."""
    tags = [f"{_SI}{name}{end}" for name in names for end in ("", _LIST)]
    return [text for part in form.iter(*tags) if (text := (part.text or "").strip())]


def _numbers(form: Any, *names: str) -> tuple[float, ...]:
    """Numbers of all parts with one of the names."""
    words = [word for text in _texts(form, *names) for word in text.split()]
    try:
        return tuple(float(word) for word in words)
    except ValueError as error:
        raise ValueError(f"holds what is no number ({error})") from error


def _spread(found: tuple[float, ...], count: int, what: str) -> tuple[float, ...]:
    """One for each value: one alone stands for all."""
    if len(found) not in {0, 1, count}:
        raise ValueError(f"states {len(found)} {what} of {count} values")
    return found * count if len(found) == 1 else found
