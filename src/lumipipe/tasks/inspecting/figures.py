"""Numbers, durations and lines of signs as the terminal and the page show them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lumipipe.readers.compressed import shown
from lumipipe.reporting.numbers import rounded_interval
from lumipipe.reporting.parts import printable

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.tasks.inspecting.seen import ClockSeen, Sketch

_BLOCKS = "▁▂▃▄▅▆▇█"
_LARGEST_PLAIN, _SMALLEST_PLAIN = 1e6, 1e-3
_SLOW_HZ = 0.02
_PLACES = {1024**3: "GiB", 1024**2: "MiB", 1024: "KiB"}


def number(value: float | None, digits: int = 4) -> str:
    """A number with few digits; a dash where there is none.

    >>> number(0.000123456), number(1234567.0), number(12.50), number(None)
    ('1.2e-04', '1.2e+06', '12.5', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    if size and not _SMALLEST_PLAIN <= size < _LARGEST_PLAIN:
        return f"{value:.{max(digits - 3, 0)}e}"
    if value == round(value) or size >= 10 ** (digits - 1):
        return f"{value:.0f}" if size >= 10 ** (digits - 1) else f"{value:g}"
    return f"{value:.{digits}g}"


def duration(seconds: float | None) -> str:
    """A duration as people say it.

    >>> duration(3725.0), duration(0.25), duration(None)
    ('1:02:05', '0.25 s', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60.0:  # noqa: PLR2004
        return f"{number(seconds)} s"
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {text}" if days else text


def size(nbytes: int) -> str:
    """A size in bytes.

    >>> size(123), size(3 * 1024**2)
    ('123 bytes', '3.0 MiB')
    """
    for unit, name in _PLACES.items():
        if nbytes >= unit:
            return f"{nbytes / unit:.1f} {name}"
    return f"{nbytes} bytes"


def share(part: int, whole: int) -> str:
    """A share in percent; nothing is rounded to 0 or 100.

    >>> share(0, 10), share(1, 100000), share(99999, 100000)
    ('0 %', '<0.1 %', '>99.9 %')
    """
    percent = 100.0 * part / max(whole, 1)
    if 0.0 < percent < 0.1:  # noqa: PLR2004
        return "<0.1 %"
    if 99.9 < percent < 100.0:  # noqa: PLR2004
        return ">99.9 %"
    return f"{percent:.3g} %"


def rate(clock: ClockSeen) -> str:
    """The measured rate with its uncertainty and the declared one; else the steps."""
    if clock.rate_hz is not None:
        half = clock.u_rate_hz or 0.0
        if clock.rate_hz < _SLOW_HZ:
            told = f"a row every {duration(1.0 / clock.rate_hz)}, measured"
            return told + f" (u {half / clock.rate_hz**2:.1g} s)"
        value, low, high = rounded_interval(
            clock.rate_hz, clock.rate_hz - half, clock.rate_hz + half, digits=6
        )
        told = f"{value} Hz measured" + (f" (u {half:.1g} Hz)" if low != high or half else "")
        return told + (f", nominal {clock.nominal_hz:.10g} Hz" if clock.nominal_hz else "")
    if clock.steps_s is not None:
        least, middle, longest = (number(step) for step in clock.steps_s)
        return f"irregular: steps of {least} to {longest} s, middle {middle} s"
    return f"{clock.nominal_hz:.10g} Hz nominal, not measured" if clock.nominal_hz else "no rate"


def gaps(clock: ClockSeen) -> str:
    """Number of gaps by cause, and the longest one; empty where there is none."""
    if not clock.gaps:
        return ""
    causes = ", ".join(
        f"{count} of {cause}" if cause == "unknown cause" else f"{count}: {cause}"
        for cause, count in clock.gaps.items()
    )
    if not clock.longest:  # the unit of the stamps is not known
        return causes
    first = clock.longest[0]
    return f"{causes}; longest {duration(first.seconds)} before {first.place}"


def sparkline(sketch: Sketch, width: int) -> str:
    """A course as a line of blocks; a blank where there is no reading.

    >>> sparkline(((0.0, 0.0), (1.0, 3.0), None, (4.0, 4.0)), 4)
    '▁▅ █'
    """
    if not sketch or width < 1:
        return ""
    middles = [None if part is None else (part[0] + part[1]) / 2 for part in sketch]
    known = [value for value in middles if value is not None]
    low, high = min(known), max(known)
    signs = []
    for at in range(width):
        first = at * len(middles) // width
        last = max((at + 1) * len(middles) // width, first + 1)
        part = [value for value in middles[first:last] if value is not None]
        if not part:
            signs.append(" ")
            continue
        place = (sum(part) / len(part) - low) / (high - low) if high > low else 0.5
        signs.append(_BLOCKS[min(int(place * len(_BLOCKS)), len(_BLOCKS) - 1)])
    return "".join(signs)


def plain(text: str) -> str:
    """A text of a file in one line, without signs that would steer a terminal."""
    return " ".join(printable(text).split())


def file_name(path: Path) -> str:
    """Folder and name of a file."""
    return plain(shown(path))
