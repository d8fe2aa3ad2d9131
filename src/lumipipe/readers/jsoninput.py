"""JSON that strangers wrote: read with limits, without numbers that JSON does not have.

What its keys mean is the business of each format's reader.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import read_limited, shown
from lumipipe.readers.salvage import Whole

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 2**25  # two days of one sample a second; a parser takes ten times as much memory

_TRIED = 4  # ends of objects from the last one back: readings are nested no deeper


def read_json(file: Path) -> Any:
    """The content of a JSON file in UTF-8, with or without a byte-order mark.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.

    Returns
    -------
    dict, list, str, float, int, bool or None
        What it holds.

    Raises
    ------
    RecordingError
        If it is no JSON, nested too deep, or larger than 32 MiB: check where it is from.
    """
    raw = read_limited(file, _MOST_BYTES)
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refused)
    except RecursionError as error:
        raise RecordingError(
            shown(file), "is nested too deep", "check where the file is from"
        ) from error
    except ValueError as error:  # of the decoder, of a constant, of a number with 5000 digits
        raise RecordingError(
            shown(file), f"is damaged or no JSON: {error}", "fetch it again"
        ) from error


def whole_items(content: bytes, *closings: bytes) -> Whole | None:
    """A JSON text that was cut short, up to its last whole object, and closed.

    Parameters
    ----------
    content : bytes
        The damaged file.
    *closings : bytes
        What closes it after an object, tried one after another.

    Returns
    -------
    Whole or None
        None where it is no beginning of such a text, or not damaged.

    Examples
    --------
    >>> whole_items(b'[{"a": {"b": 1}}, {"a": {"b": 2}', b"]").content
    b'[{"a": {"b": 1}}]'
    """
    if len(content) > _MOST_BYTES or _parses(content):
        return None
    end = len(content)
    for _ in range(_TRIED):
        end = content.rfind(b"}", 0, end)
        if end < 0:
            return None
        for closing in closings:
            closed = content[: end + 1] + closing
            if _parses(closed):
                return Whole(
                    closed, end + 1, len(content), finding("what follows is cut short or damaged")
                )
    return None


def _parses(content: bytes) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def number(value: object) -> float:
    """A value as a number; NaN for anything else, such as text or a missing key.

    >>> number(3), number("3"), number(True), number(None)
    (3.0, nan, nan, nan)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floating point
        return math.nan
