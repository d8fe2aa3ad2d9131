"""Amounts of memory as text, in the one unit that is used inside: whole MiB, as Slurm counts."""

from __future__ import annotations

import re

from lumipipe.errors import InputError

GIB = 1024
"""MiB in a GiB."""

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
# Powers of 1024 for each suffix, whether or not an i stands in it: Slurm reads 2G and 2GB so
# (its manual of sbatch, --mem), and who meant powers of 1000 gets 2 to 10 % more, never less.
_MIB = {"": 1.0, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2}


def mebibytes(text: str | int, place: str) -> int:
    """The amount of memory that a text or a number means, in whole MiB, rounded up.

    Parameters
    ----------
    text : str or int
        A number with one of the suffixes K, M, G, T (also KB, KiB, …), all powers of 1024; a
        plain number is MiB.
    place : str
        Where it was written, for the error.

    Returns
    -------
    int
        MiB, 1 at least.

    Raises
    ------
    InputError
        If it is no amount, or not more than nothing.

    Examples
    --------
    >>> mebibytes("1.5 GiB", "compute.memory"), mebibytes(2048, "compute.memory")
    (1536, 2048)
    """
    found = None if isinstance(text, bool) else _AMOUNT.fullmatch(str(text).strip())
    if found is not None:
        exact = float(found[1]) * _MIB[found[2].lower()]
        if exact > 0:
            return -int(-exact // 1)
    raise InputError(
        place, f"{text!r} is no amount of memory", "write a number above 0 with its unit: 4 GiB"
    )


def in_words(mib: int) -> str:
    """An amount in both units that people take for one another: 2048 MiB (2.1 GB)."""
    return f"{mib} MiB ({mib * 2**20 / 1e9:.1f} GB)"
