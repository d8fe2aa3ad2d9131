"""Where labels go so that none covers another: plain geometry in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def spread(wanted: Sequence[float], widths: Sequence[float], room: float) -> list[float]:
    """Centres of labels in one row, without overlap and as near to `wanted` as can be.

    Parameters
    ----------
    wanted : sequence of float, point
        Where the centres should be, rising.
    widths : sequence of float, point
        Width of each label, gap included; together at most `room`.
    room : float, point
        Length of the row; labels stay within it.

    Returns
    -------
    list of float, point
        The centres. Notes: *Method*: least squares under minimum distances is an isotonic
        regression of the wanted places less the labels before them (pool adjacent violators).

    Examples
    --------
    >>> spread([50.0, 50.0], [10.0, 10.0], 100.0)
    [45.0, 55.0]
    """
    before, offsets = 0.0, []
    for width in widths:
        offsets.append(before + width / 2)
        before += width
    blocks: list[tuple[float, int]] = []  # mean and number of labels that touch
    for target, offset in zip(wanted, offsets, strict=True):
        mean, size = target - offset, 1
        while blocks and blocks[-1][0] > mean:
            earlier, number = blocks.pop()
            mean = (mean * size + earlier * number) / (size + number)
            size += number
        blocks.append((mean, size))
    slack = max(room - before, 0.0)
    means = [min(max(mean, 0.0), slack) for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def rows(wanted: Sequence[float], widths: Sequence[float], room: float) -> list[tuple[float, int]]:
    """Centre and row number of each label: row 0 where there is place, else the next free row."""
    ends: list[float] = []
    placed: dict[int, tuple[float, int]] = {}
    for i in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        half = min(widths[i], room) / 2
        centre = min(max(wanted[i], half), room - half)
        row = next((r for r, end in enumerate(ends) if centre - half >= end), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = centre + half
        placed[i] = (centre, row)
    return [placed[i] for i in range(len(wanted))]


def that_fit(
    wanted: Sequence[float], widths: Sequence[float], room: float, farthest: float
) -> list[int]:
    """Which labels, taken in order, can stand in one row within `farthest` of where they belong."""
    chosen: list[int] = []
    for i in range(len(wanted)):
        trial = sorted([*chosen, i], key=lambda j: wanted[j])
        if sum(widths[j] for j in trial) > room:
            break
        centres = spread([wanted[j] for j in trial], [widths[j] for j in trial], room)
        if all(abs(c - wanted[j]) <= farthest for c, j in zip(centres, trial, strict=True)):
            chosen.append(i)
    return chosen
