"""Units as the SI brochure writes them, in what people read: m/s² for m/s2, °C for degC.

Requests, results and tables keep units in ASCII, as programs read them; every page goes through
`with_symbols` as the last thing before it is written. What is copied from a page (digests, names of
settings, requests) stays as it is.
"""

from __future__ import annotations

import re

_UNIT = (
    r"(?:[fpnuµmcdhkMGT]?(?:m|s|g|Hz|Pa|N|J|W|Wh|V|VA|A|K|S|T|l|L|mol|rad|ohm|bar|B)"
    r"|deg[CFR]?|min|h|d|t|kn|rev|percent|%)"
)
_RAISED = r"(?:Nm|[nuµmcdk]?m|s|min|h|Hz)\^?[2-4]"
"""A unit with an exponent. Of other letters a digit may be a number: T2 is a channel."""
_PART = rf"(?:{_RAISED}|{_UNIT})"
_FIRST = rf"(?:(?:Nm|[nuµmcdk]?m)\^?[2-4]|{_UNIT})"
_BEFORE, _AFTER = r"(?<![\w/*^.,°-])", r"(?![\w/*^°(]|\.\d)"
_COMPOUND = re.compile(rf"{_BEFORE}{_FIRST}(?:[/*]{_PART})+{_AFTER}")
_RECIPROCAL = re.compile(rf"{_BEFORE}1/({_UNIT})(?:\^?([2-4]))?{_AFTER}")
_DEGREES = re.compile(rf"{_BEFORE}deg([CFR]){_AFTER}")
_ALONE = rf"(?:[nuµmcdk]?m\^?[23]|Nm\^?3|ohm|[kM]ohm|u[smgATFV]|{_UNIT}\*{_UNIT})"
_PLACED = re.compile(rf"(?:(?<=\()|(?<=\d[ \u00a0\u202f])){_ALONE}(?=\)|{_AFTER}(?!\())")
_ANGLE = re.compile(rf"(?<=\d)[ \u00a0\u202f]deg{_AFTER}|(?<=\()deg(?=\))")
_SUPERSCRIPT = str.maketrans("-1234", "⁻¹²³⁴")
_TAG = re.compile(r"(<[^>]*>)")
_ALTERNATIVE = re.compile(r'(?<= aria-label=")[^"]*')
_COPIED = ("style", "code", "pre", "script")


def with_symbols(page: str) -> str:
    """A page of HTML, or an SVG, with the units in its text as people write them.

    Parameters
    ----------
    page : str
        Markup in which all text is escaped.

    Returns
    -------
    str
        The same markup; text in ``code``, ``pre`` and ``style`` is not changed.

    Examples
    --------
    >>> with_symbols("<td>3 m/s2</td><code>m/s2</code>")
    '<td>3 m/s²</td><code>m/s2</code>'
    """
    inside, found = "", []
    for piece in _TAG.split(page):
        if not piece.startswith("<"):
            found.append(piece if inside else in_symbols(piece))
            continue
        name = re.match(r"</?(\w+)", piece)
        if name is not None and name[1] in _COPIED:
            inside = "" if piece.startswith("</") else name[1]
        found.append(_ALTERNATIVE.sub(lambda text: in_symbols(text[0]), piece))
    return "".join(found)


def in_symbols(text: str) -> str:
    """A text with the units in it as people write them.

    Notes
    -----
    *Method*: a quotient or product of units, and degC, is known wherever it stands; a unit that
    could be a name, such as m3 or ohm, behind a number or in brackets only.

    Examples
    --------
    >>> in_symbols("density, kg/m3; 20 degC; 1200 1/min; torque (N*m); area (m2)")
    'density, kg/m³; 20 °C; 1200 min⁻¹; torque (N·m); area (m²)'
    >>> in_symbols("channel T2, machine m2, 5.9/min and CO2 stay")
    'channel T2, machine m2, 5.9/min and CO2 stay'
    """
    if not any(sign in text for sign in ("1/", "deg", "2", "3", "4", "*", "ohm", "u")):
        return text
    text = _RECIPROCAL.sub(
        lambda found: _written(found[1]) + ("-" + (found[2] or "1")).translate(_SUPERSCRIPT), text
    )
    text = _COMPOUND.sub(lambda found: _written(found[0]), text)
    text = _DEGREES.sub(r"°\1", text)
    text = _PLACED.sub(lambda found: _written(found[0]), text)
    return _ANGLE.sub("°", text)


def _written(unit: str) -> str:
    """One unit, letter by letter."""
    unit = re.sub(r"\^?([2-4])", lambda found: found[1].translate(_SUPERSCRIPT), unit)
    unit = re.sub(r"deg(?=[CFR])|deg", "°", unit).replace("ohm", "Ω").replace("*", "·")
    return re.sub(r"(?<![A-Za-zµ°])u(?=[a-zA-Z])", "µ", unit)
