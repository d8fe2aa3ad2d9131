"""Errors that a user can act on.

Only the exceptions live here; how they turn into exit codes is in `lumipipe.cli`.
"""

from __future__ import annotations

_LONGEST = 2000  # characters of place, problem or remedy: names in a file may be of any length


class InputError(Exception):
    """The user's input is wrong: one line names place, problem and remedy (exit code 2).

    Parameters
    ----------
    place : str
        File and position, such as ``request.yaml:14`` or ``pump.mat: variable DE_time``.
    problem : str
        What is wrong there.
    remedy : str
        What to do about it, as an instruction.
    """

    exit_code = 2

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        place, problem, remedy = (_harmless(text) for text in (place, problem, remedy))
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        """One line: place, problem, remedy."""
        line = f"{self.place}: {self.problem}; {self.remedy}"
        return " ".join(line.split())


def _harmless(text: str) -> str:
    r"""Text from a file, fit for a terminal and for storing: no controls, cut where it is long.

    >>> _harmless("a\x1b[2Jb"), len(_harmless("x" * 10_000))
    ('a�[2Jb', 2003)
    """
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "".join(sign if sign.isprintable() or sign.isspace() else "\ufffd" for sign in short)


class RecordingError(InputError):
    """One recording cannot be used; the others may go on without it."""


class StoreError(InputError):
    """A stored dataset or result is missing, damaged or not yet complete."""


class DeviceError(RuntimeError):
    """A device does not compute, or not what the host computes (exit code 4)."""

    exit_code = 4
