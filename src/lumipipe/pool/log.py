"""A log that is only added to: each line carries the digest of itself and of the line before.

A line that is changed, taken out or put elsewhere is found; lines cut off at the end are found
by who kept the last digest. What is logged holds no personal data: callers write digests.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST = "0" * 64
"""What stands for the digest before the first line."""


def append(path: Path, entry: Mapping[str, Any]) -> str:
    """Add a line to a log, on the disk before this returns.

    Parameters
    ----------
    path : Path
        The log; made where it is not there.
    entry : mapping
        JSON values.

    Returns
    -------
    str
        The digest of the new line.

    Raises
    ------
    InputError
        If it cannot be written, or was tampered with before; what was to be logged must not go on.
    """
    try:
        with path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two jobs may write at a time
            file.seek(0)
            before = [FIRST, *_digests(path, file.read().splitlines())][-1]
            line = {"entry": dict(entry), "before": before}
            digest = _digest(line)
            file.write(json.dumps(line | {"digest": digest}, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        problem = f"the record cannot be written ({error.strerror})"
        raise InputError(str(path), problem, "mend the place; nothing runs unrecorded") from error
    return digest


def verify(path: Path) -> int:
    """The number of lines of a log that is as it was written.

    Raises
    ------
    InputError
        At the first line that is not; find out who changed it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "check the path") from error
    return sum(1 for _ in _digests(path, lines))


def entries(path: Path) -> list[dict[str, Any]]:
    """What was logged, oldest first."""
    verify(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["entry"] for line in lines]


def _digests(path: Path, lines: list[str]) -> Iterator[str]:
    """The digest of each line, once it is sure that the line follows the one before."""
    before = FIRST
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            digest = line.pop("digest")
            sound = line["before"] == before and _digest(line) == digest
        except (ValueError, KeyError, TypeError, AttributeError):
            sound = False
        if not sound:
            raise InputError(
                f"{path}:{number}",
                "this line is not as it was written, or a line before it is gone",
                "find out who changed the log, and put back a copy",
            )
        before = digest
        yield digest


def _digest(line: Mapping[str, Any]) -> str:
    """The digest of a line without its own."""
    return hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()
