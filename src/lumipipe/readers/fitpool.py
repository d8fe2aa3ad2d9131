"""What a FIT file holds of swimming beside its records: pool lengths, and a strap's heart rate.

A strap under water cannot send: it keeps the time of each beat and hands them over afterwards, in
messages of their own. Records are `lumipipe.readers.fit`'s, decoding `lumipipe.readers.fitdata`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_WRAP_S = 4.0  # beats are told in 12 bits of 1/1024 s [1]_
LENGTH_UNITS = {"duration": "s", "strokes": "1", "stroke": "1", "active": "1"}
"""Units of the columns of `lengths` that have no standard name."""
_LENGTH = {
    "total_elapsed_time": "duration",
    "total_strokes": "strokes",
    "avg_speed": "speed",
    "avg_swimming_cadence": "cadence",
}
_STROKE, _KIND = "swim_stroke", "length_type"


class Pulse(NamedTuple):
    """One message of a strap: beats on its own clock, in s, and the heart rate at each, in 1/min.

    `clock_s` is the time in s since 1970 of the first beat, where the message tells it.
    """

    clock_s: float
    beats_s: tuple[float, ...]
    rates: tuple[float, ...]


def pulse(frame: Any, since_1970: Any) -> Pulse:
    """A message of a strap.

    Parameters
    ----------
    frame : fitdecode.FitDataMessage
        Called hr.
    since_1970 : callable
        Turns a time of the file into s since 1970.

    Returns
    -------
    Pulse
        With as many beats as rates, in the order of the file.
    """
    clock, fraction = np.nan, 0.0
    beats: list[float] = []
    rates: list[float] = []
    for item in frame.fields:
        if item.name == "timestamp":
            clock = since_1970(item.value)
        elif item.name == "fractional_timestamp":
            fraction = sum(_numbers(item.value))
        elif item.name == "event_timestamp":
            # What the library unpacked has no definition of its own, and had a time added to it.
            beats += _numbers(item.value if item.field_def is not None else item.raw_value)
        elif item.name == "filtered_bpm":
            rates += _numbers(item.value)
    count = min(len(beats), len(rates))
    return Pulse(clock + fraction, tuple(beats[:count]), tuple(rates[:count]))


def strap_heart_rate(messages: Sequence[Pulse]) -> dict[str, np.ndarray]:
    """Heart rate at each beat that a strap kept.

    Parameters
    ----------
    messages : sequence of Pulse
        In the order of the file.

    Returns
    -------
    dict of str to np.ndarray, shape (beat,), float64
        ``time`` in s since 1970 (UTC), ``heart_rate`` in 1/min.

    Notes
    -----
    *Method*: a message with a time sets the clock: its beat on the strap's own clock is that time
    [1]_. Beats are told modulo 4 s, so that each is less than 4 s after the one before it; those
    before the clock was set have no time.

    References
    ----------
    .. [1] Garmin, FIT SDK: cookbook for the plugin of heart rate messages.
    """
    times: list[float] = []
    rates: list[float] = []
    now = last = np.nan
    for message in messages:
        for number, (beat, rate) in enumerate(zip(message.beats_s, message.rates, strict=True)):
            is_set = number == 0 and np.isfinite(message.clock_s)
            now = message.clock_s if is_set else now + (beat - last) % _WRAP_S
            last = beat
            times.append(now)
            rates.append(rate)
    return {"time": np.array(times), "heart_rate": np.array(rates)}


def _numbers(value: Any) -> list[float]:
    """One number or several; empty places of a message left out."""
    values = value if isinstance(value, tuple) else (value,)
    return [float(item) for item in values if isinstance(item, int | float)]


def length(frame: Any, since_1970: Any) -> dict[str, float]:
    """One pool length: its start, and numbers; see `lengths`."""
    found = {"time": float("nan")}
    for item in frame.fields:
        if item.name == "start_time":
            found["time"] = since_1970(item.value)
        elif item.name in _LENGTH and isinstance(item.value, int | float):
            found[_LENGTH[item.name]] = float(item.value)
        elif item.name == _STROKE and isinstance(item.raw_value, int):
            found["stroke"] = float(item.raw_value)
        elif item.name == _KIND and isinstance(item.raw_value, int):
            found["active"] = float(item.raw_value)
    return found


def lengths(rows: Sequence[dict[str, float]]) -> dict[str, np.ndarray]:
    """Pool lengths as columns.

    Parameters
    ----------
    rows : sequence of dict
        From `length`.

    Returns
    -------
    dict of str to np.ndarray, shape (length,), float64
        ``time`` of the start (s since 1970), ``duration`` (s), ``strokes``, ``speed`` (m/s),
        ``cadence`` (strokes a minute), ``active`` (1; 0 for a rest at the wall), and ``stroke`` as
        the profile numbers it: 0 freestyle, 1 backstroke, 2 breaststroke, 3 butterfly, 4 drill,
        5 mixed, 6 individual medley.
    """
    names = ["time", *_LENGTH.values(), "stroke", "active"]
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
