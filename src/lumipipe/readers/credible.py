"""What a body or a machine can read, by channel: readings outside are none, jumps are counted.

The table is about activity files, whose columns have standard names and units
(`lumipipe.readers.legs`). Ranges of other channels are the request's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lumipipe.language import finding

VERSION = 1
"""Of the table `RULES`; to be raised with each change, since results depend on it."""
_ALONE = 3  # rows: zeros between readings that are no longer than this may be a dropout


class Rule(NamedTuple):
    """Lowest and highest reading, whether 0 is one, and the largest change in a second.

    A reading outside is none. A larger change is counted, and so is a zero between readings: both
    are kept, since they may be true.
    """

    lowest: float
    highest: float
    zero_is_legal: bool
    most_per_s: float | None = None


RULES = {
    # No heart is slower or faster for more than some beats; 255 and 0 are a sensor's silence.
    "heart_rate": Rule(20.0, 250.0, zero_is_legal=False, most_per_s=30.0),
    # Which beats are artefacts is an analysis's matter; no beat waits for a minute.
    "rr": Rule(1.0, 60_000.0, zero_is_legal=False),
    # A sprinter on a track reaches 2,500 W; 65535 and 32767 are a sensor's silence.
    "power": Rule(0.0, 4000.0, zero_is_legal=True),
    "cadence": Rule(0.0, 300.0, zero_is_legal=True),
    "speed": Rule(0.0, 100.0, zero_is_legal=True),
    "altitude": Rule(-500.0, 9000.0, zero_is_legal=True),
    "temperature": Rule(-60.0, 90.0, zero_is_legal=True),
}
"""Rules by standard name, in its unit. They bound what is possible, not what is healthy."""
_MAY_STOP = ("power", "cadence")  # 0 among readings: a rest, or a dropout


def credible(
    columns: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], dict[str, str], list[str]]:
    """Columns without readings that cannot be, and what was found.

    Parameters
    ----------
    columns : dict of str to np.ndarray, shape (row,), float64
        By standard name; ``time`` in s.

    Returns
    -------
    tuple of dict, dict and list of str
        The columns with NaN for what is no reading; attributes ``invalid.COLUMN`` (how many, by
        reason) and ``doubtful.COLUMN`` (how many are kept, by reason); notes.

    Examples
    --------
    >>> import numpy as np
    >>> found, said, _ = credible({"time": np.arange(3.0), "heart_rate": np.array([140, 0, 255.0])})
    >>> found["heart_rate"].tolist(), said
    ([140.0, nan, nan], {'invalid.heart_rate': '1 zero, 1 outside 20 to 250'})
    """
    legal, said, notes = dict(columns), {}, []
    for name, rule in RULES.items():
        if name not in columns:
            continue
        values, reasons = _valid(columns[name], rule)
        if reasons:
            legal[name] = values
            said[f"invalid.{name}"] = reasons
            notes.append(finding(f"{name}: {reasons}: no reading"))
        if doubts := _doubts(name, values, columns["time"], rule):
            said[f"doubtful.{name}"] = doubts
            notes.append(finding(f"{name}: {doubts}: kept"))
    return legal, said, notes


def _valid(values: np.ndarray, rule: Rule) -> tuple[np.ndarray, str]:
    """Readings, and how many are none by reason."""
    zero = (values == 0.0) & (not rule.zero_is_legal)
    outside = ((values < rule.lowest) | (values > rule.highest)) & ~zero
    reasons = []
    if count := int(zero.sum()):
        reasons.append(finding(f"{count} zero"))
    if count := int(outside.sum()):
        reasons.append(finding(f"{count} outside {rule.lowest:g} to {rule.highest:g}"))
    return np.where(zero | outside, np.nan, values), ", ".join(reasons)


def _doubts(name: str, values: np.ndarray, time: np.ndarray, rule: Rule) -> str:
    """How many readings are kept but doubtful, by reason."""
    known = np.flatnonzero(~np.isnan(values))
    doubts = []
    if rule.most_per_s is not None and len(known) > 1:
        step_s = np.maximum(np.diff(time[known]), 1.0)
        jumps = np.abs(np.diff(values[known])) > rule.most_per_s * step_s
        if count := int(jumps.sum()):
            doubts.append(finding(f"{count} jump of more than {rule.most_per_s:g} in a second"))
    if name in _MAY_STOP and len(known) and (count := _lone_zeros(values[known])):
        doubts.append(finding(f"{count} zero alone among readings"))
    return ", ".join(doubts)


def _lone_zeros(values: np.ndarray) -> int:
    """How many zeros stand in runs of a few between readings that are not 0."""
    is_zero = np.concatenate([[False], values == 0.0, [False]])
    edges = np.flatnonzero(np.diff(is_zero.astype(np.int8))).reshape(-1, 2)
    inner = (edges[:, 0] > 0) & (edges[:, 1] < len(values))
    lengths = edges[:, 1] - edges[:, 0]
    return int(lengths[inner & (lengths <= _ALONE)].sum())
