"""How training and test are kept apart, decided by recording before windows are cut.

The splits' settings are in `lumipipe.config`; which windows exist is in `lumipipe.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FOLDS = 10  # nested validation costs a fit for each pair of folds


def group_of(by: str, recordings: Sequence[Mapping[str, str]], place: str) -> list[str]:
    """The group of each recording.

    Parameters
    ----------
    by : str
        What is held out together.
    recordings : sequence of mapping
        What is known of each recording: ``recording``, ``unit``, ``source``, its labels and
        attributes.
    place : str
        Where the split was asked for.

    Returns
    -------
    list of str
        One group a recording.

    Raises
    ------
    InputError
        If a recording does not have what is asked for.
    """
    groups = []
    for known in recordings:
        if by not in known:
            raise InputError(
                place,
                f"recording {known['recording']} has no {by} to split by",
                f"split by one of {', '.join(sorted(known))}",
            )
        groups.append(known[by])
    return groups


def deal(groups: Sequence[str], folds: int | None) -> dict[str, int]:
    """The fold of each group.

    Parameters
    ----------
    groups : sequence of str
        Groups, in any order, with repeats.
    folds : int or None
        Number of folds; one for each group, up to `MOST_FOLDS`, where None.

    Returns
    -------
    dict of str to int
        Sorted groups are dealt round, so the order of recordings does not matter.

    Examples
    --------
    >>> deal(["b", "a", "c", "a"], 2)
    {'a': 0, 'b': 1, 'c': 0}
    """
    names = sorted(set(groups))
    count = min(len(names), folds or MOST_FOLDS)
    return {name: number % count for number, name in enumerate(names)}


def split_sentence(split: GroupSplit | RandomSplit, folds: int) -> str:
    """The split in words, for page 1 of the report."""
    if isinstance(split, RandomSplit):
        return (
            f"Windows were dealt at random to {folds} folds: windows of one recording stand on "
            "both sides, so the figures flatter."
        )
    what = {"unit": "unit (person or machine)"}.get(split.by, split.by)
    return (
        f"Each {what} was held out: every figure is for data of a {split.by} that the model "
        f"had never seen ({folds} folds)."
    )
