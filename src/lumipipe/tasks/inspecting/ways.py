"""A file with the ways to read it; who finds them is `opening` and `texts`, beside this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Opened:
    """A file with the ways to read it.

    Parameters
    ----------
    file : Path
        What is read: the file itself, or its first part.
    read : dict
        Options that a request needs, the user's among them.
    ways : list of dict
        Further options, for the tables of each.
    hidden : dict
        Options for looking only.
    units : dict of str to str
        Units that a line of the head states.
    sampled : str
        How much is looked at; empty where all is.
    words : list of str
        Remarks.
    """

    file: Path
    read: dict[str, Any]
    ways: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    hidden: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    sampled: str = ""
    words: list[str] = field(default_factory=list)
