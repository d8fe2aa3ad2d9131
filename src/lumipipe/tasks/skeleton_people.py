"""What skeletons of families about people say: training load, heartbeats, technique, games.

Only what the columns tell is filled in; whom a page is for is said as narrowly as it can be.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lumipipe.readers.sc2events import KINDS
from lumipipe.tasks.request import TO_FILL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.tasks.skeleton import ChannelToUse, SourceToUse

SEEN_BY = "whoever recorded these files, and nobody else"
_USUAL_HOLD_S, _STEPS_HELD = 5.0, 3  # default of the family; a reading may be missing twice
_LEFT = re.compile(r"left|mean_?l(?![a-z])|(?<![a-z])l(?![a-z])")
_RIGHT = re.compile(r"right|mean_?r(?![a-z])|(?<![a-z])r(?![a-z])")
_RATE = re.compile(r"frequency|cycle.?rate|cadence")
_FORCES_HZ = 20.0  # from here on, a cycle can be told from the forces themselves
_FASTER_STEP_S = 0.0446  # 16 frames in a second of the game, 1.4 of those in one at "Faster"
_CLASSES = {
    "command": ("command", "command aimed again", "command repeated"),
    "selection": ("selection",),
    "group": ("group set", "group recalled"),
    "camera": ("camera",),
}


def session_load(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """The measures that the source has, and how long a reading stands.

    Parameters
    ----------
    source : SourceToUse
        The data.

    Returns
    -------
    dict of str to dict
        Section to key to value.
    """
    measures = {
        "power": _of(source, "power"),
        "speed": _of(source, "speed") or _of(source, "distance"),
        "heart_rate": _of(source, "heart_rate"),
    }
    train: dict[str, Any] = {name: {"channel": own} for name, own in measures.items() if own}
    train = train or {"power": {"channel": TO_FILL}}
    if source.step_s is not None and _STEPS_HELD * source.step_s > _USUAL_HOLD_S:
        train["longest_hold_s"] = float(math.ceil(_STEPS_HELD * source.step_s))
    return {"asset": {"sport": source.sport or TO_FILL, "page_for": SEEN_BY}, "train": train}


def hrv(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """The channel with intervals, and which annotations are of normal beats.

    Parameters
    ----------
    source : SourceToUse
        The data.

    Returns
    -------
    dict of str to dict
        Section to key to value.
    """
    used = source.used()
    intervals = "rr" if "rr" in used else _of(source, "time") or next(iter(used), TO_FILL)
    train: dict[str, Any] = {} if intervals == "rr" else {"channel": intervals}
    if source.format == "wfdb" and source.labels:
        train["normal"] = {"label": "beat", "values": ["N"]}
    return {"asset": {"seen_by": SEEN_BY}, "train": train}


def timed_by_beats(source: SourceToUse) -> SourceToUse:
    """The source with time summed up from its intervals, where it has no other.

    Parameters
    ----------
    source : SourceToUse
        The data.

    Returns
    -------
    SourceToUse
        As it was where rows have a time.
    """
    if source.time["kind"] == "column" or not source.used():
        return source
    pairs = zip(source.names(), source.channels, strict=True)
    column = {name: item for name, item in pairs if item.is_used}[_interval(source)]
    unit = column.unit or TO_FILL
    told = {"kind": "column", "column": column.column, "unit": unit, "origin": "row_before"}
    return replace(source, time=told, other_times=())


def _interval(source: SourceToUse) -> str:
    """Name of the channel with intervals of a source that has channels."""
    return str(hrv(source)["train"].get("channel", "rr"))


def technique(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """A classifier where there is a label, and cycles where both poles were measured.

    Parameters
    ----------
    source : SourceToUse
        The data.

    Returns
    -------
    dict of str to dict
        Section to key to value.
    """
    cycles = _cycles(source)
    train: dict[str, Any] = {}
    if learns_technique(source):
        train["classifier"] = {"label": "technique"}
    return {"train": train | ({"cycles": cycles} if cycles else {})}


def learns_technique(source: SourceToUse) -> bool:
    """Whether a skeleton asks which technique it is: with a label, or where nothing else fits."""
    return bool(source.labels) or _cycles(source) is None


def _cycles(source: SourceToUse) -> dict[str, Any] | None:
    """Where cycles come from; None where the columns of both poles are not clear."""
    forces = sides(source, "force")
    if not forces:
        return None
    if (source.rate_hz or 0.0) >= _FORCES_HZ:
        return {"kind": "forces", "sides": forces}
    contacts, impulses = sides(source, "time"), sides(source, "impulse")
    rates = [name for name, item in _used(source) if _RATE.search(item.column.lower())]
    if not (contacts and impulses and rates):
        return None
    found = {
        side: {"contact": contacts[side], "impulse": impulses[side], "force": forces[side]}
        for side in forces
    }
    return {"kind": "exported", "rate": rates[0], "sides": found}


def sides(source: SourceToUse, quantity: str) -> dict[str, str]:
    """The channel of each side with a quantity; empty unless there is exactly one of each."""
    names = [name for name, item in _used(source) if item.quantity == quantity]
    left = [name for name in names if _LEFT.search(name)]
    right = [name for name in names if _RIGHT.search(name)]
    if len(left) == len(right) == 1 and left != right:
        return {"left": left[0], "right": right[0]}
    return {}


def esports(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """Actions of a replay, or time in zones of a heart rate.

    Parameters
    ----------
    source : SourceToUse
        The data.

    Returns
    -------
    dict of str to dict
        Section to key to value.
    """
    if source.format == "sc2replay":
        return {"asset": {"clock_s": _FASTER_STEP_S}, "train": {"events": _events()}}
    rate = _of(source, "heart_rate")
    if rate is not None:
        zones = {"heart_rate": {"channel": rate, "bounds": TO_FILL}}
        return {"train": {"intensity": {"zones": zones}}}
    kinds = next(iter(source.used()), TO_FILL)
    keys = ("classes", "actions", "meaning")
    return {"train": {"events": {"channel": kinds, **dict.fromkeys(keys, TO_FILL)}}}


def _events() -> dict[str, Any]:
    """What a player did, by the kinds of the reader."""
    classes = {name: [KINDS[kind][0] for kind in kinds] for name, kinds in _CLASSES.items()}
    actions = [name for name in classes if name != "camera"]
    return {
        "channel": "kind",
        "classes": classes,
        "actions": actions,
        "meaning": "a command, a change of the selection, or a control group set or recalled; "
        "moving the camera is none. Other programs count otherwise",
    }


def _of(source: SourceToUse, quantity: str) -> str | None:
    """The first channel of a quantity."""
    return next((name for name, item in _used(source) if item.quantity == quantity), None)


def _used(source: SourceToUse) -> Iterator[tuple[str, ChannelToUse]]:
    """Channels that are used, with their names in the request."""
    pairs = zip(source.names(), source.channels, strict=True)
    return ((name, item) for name, item in pairs if item.is_used)
