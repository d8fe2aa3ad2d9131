"""A made-up source for each family, where a request is begun before there are files.

Columns and quantities are examples that a user replaces; path, units and rates stay "?".
"""

from __future__ import annotations

from typing import Any

from lumipipe.tasks.request import TO_FILL
from lumipipe.tasks.skeleton import ChannelToUse, SourceToUse

_EXAMPLE = "an example: name your column, quantity and unit"
_ROWS = 1000  # of a process table, of which the first half would be vouched for as normal
_STAMPED = {"kind": "column", "column": "time", "format": "%Y-%m-%d %H:%M"}
_SECONDS = {"kind": "column", "column": "time", "unit": "s"}
_SAMPLED = {"kind": "regular", "rate_hz": TO_FILL}

_TIMES: dict[str, dict[str, Any]] = {
    "activity": _SAMPLED,
    "bearing": _SAMPLED,
    "esports": _SECONDS,
    "monitoring": {"kind": "order", "row": TO_FILL},
    "recipe": {"kind": "order", "row": "one specimen"},
    "remaining_life": {"kind": "order", "row": TO_FILL},
    "session_load": _SECONDS,
    "technique": _SAMPLED,
}
_COLUMNS: dict[str, dict[str, str]] = {
    "activity": {"acc_x": "acceleration", "acc_y": "acceleration", "acc_z": "acceleration"},
    "ambient": {
        "reference": "mass_concentration",
        "sensor": "response",
        "air_temperature": "temperature",
    },
    "bearing": {"vibration": "acceleration"},
    "carbon": {"electricity": "energy"},
    "emission": {"nox": "mass_concentration", "load": "power", "inlet": "temperature"},
    "esports": {"heart_rate": "heart_rate"},
    "hrv": {"rr": "time"},
    "monitoring": {"steam": "temperature", "pressure": "pressure", "feed": "mass_flow"},
    "recipe": {"cement": "density", "slag": "density", "water": "density", "strength": "pressure"},
    "remaining_life": {"outlet": "temperature", "housing": "acceleration"},
    "session_load": {"power": "power", "heart_rate": "heart_rate"},
    "soft_sensor": {"steam": "temperature", "feed": "mass_flow", "quality": "fraction"},
    "technique": {"force_left": "force", "force_right": "force", "speed": "speed"},
}
_OF_PEOPLE = {"activity", "esports", "hrv", "session_load", "technique"}


def example_source(family: str) -> SourceToUse:
    """The source of a request of a family that has no files yet.

    Parameters
    ----------
    family : str
        Name from the registry of families.

    Returns
    -------
    SourceToUse
        A family that is not known here gets two columns of which nothing is said.

    Examples
    --------
    >>> example_source("bearing").time
    {'kind': 'regular', 'rate_hz': '?'}
    """
    columns = _COLUMNS.get(family, {"first": "", "second": ""})
    return SourceToUse(
        id="source",
        patterns=(TO_FILL,),
        format="csv",
        read={"delimiter": ",", "decimal": "."},
        time=_TIMES.get(family, _STAMPED),
        channels=tuple(
            ChannelToUse(name, quantity or None, comment=_EXAMPLE)
            for name, quantity in columns.items()
        ),
        rows=_ROWS,
        personal=None if family in _OF_PEOPLE else False,
        comments=("source: path or glob beside this file, such as raw/*.csv",),
    )
