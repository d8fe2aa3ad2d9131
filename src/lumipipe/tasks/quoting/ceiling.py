"""The ceiling of a request: time limits that keep it, and the refusal where none do.

A ceiling is hard: it is compared with what a run can cost, every job at its time limit, and not
with what it is expected to cost.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.language import term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.config import Ceiling
    from lumipipe.machine.billing import Units
    from lumipipe.tasks.quoting.price import Quote
    from lumipipe.tasks.request import Loaded

SMALLEST_MINUTES = 10
"""No limit is shorter by itself: a file system that is slow for once must not end a run."""
_GENEROUS, _TIGHT = 3.0, 1.5
_ROUNDING = 6 * 2.0**-53  # of products and sums; a ceiling that is just met is no ceiling passed
NAMES = {"gpu_h": term("GPU-h"), "core_h": term("core-h"), "tb_h": term("TB-h")}


def generous_minutes(seconds: float, most: int) -> int:
    """The time limit of a job that is expected to take some seconds.

    Parameters
    ----------
    seconds : float, s
        Expected.
    most : int
        Minutes that the partition allows.

    Returns
    -------
    int
        Three times what is expected, ten at least and `most` at most.

    Examples
    --------
    >>> [generous_minutes(seconds, 100) for seconds in (1.0, 300.0, 9000.0)]
    [10, 15, 100]
    """
    return min(most, max(SMALLEST_MINUTES, ceil(_GENEROUS * seconds / 60)))


def shortened(
    expected_s: Mapping[str, float],
    minutes: Mapping[str, int],
    an_hour: Mapping[str, Units],
    ceiling: Ceiling,
) -> dict[str, int]:
    """Time limits that keep the ceiling, or come as near as they can.

    Parameters
    ----------
    expected_s : mapping of str to float, s
        What each job is expected to take.
    minutes : mapping of str to int
        Generous limits.
    an_hour : mapping of str to Units
        What an hour of each job costs.
    ceiling : Ceiling
        What all of them may cost.

    Returns
    -------
    dict of str to int
        The limit with most room is shortened first; none below 1.5 times what is expected.

    Examples
    --------
    >>> from lumipipe.config import Ceiling
    >>> from lumipipe.machine.billing import Units
    >>> hour = {"train": Units(core_h=60.0), "score": Units(core_h=60.0)}
    >>> shortened({"train": 60.0, "score": 240.0}, {"train": 10, "score": 12}, hour,
    ...           Ceiling(core_h=12.0))
    {'train': 2, 'score': 10}
    """
    found = dict(minutes)
    for unit in ("gpu_h", "core_h"):
        allowed = getattr(ceiling, unit)
        prices = {verb: getattr(units, unit) / 60 for verb, units in an_hour.items()}
        while allowed is not None and _cost(found, prices) > allowed * (1 + _ROUNDING):
            room = {
                verb: 60 * limit / max(expected_s[verb], 1e-9)
                for verb, limit in found.items()
                if prices[verb] and limit > max(1, ceil(_TIGHT * expected_s[verb] / 60))
            }
            if not room:
                break
            found[max(room, key=lambda verb: room[verb])] -= 1
    return found


def _cost(minutes: Mapping[str, int], prices: Mapping[str, float]) -> float:
    """Units of all jobs at their limits."""
    return sum(minutes[verb] * prices[verb] for verb in minutes)


def check_ceiling(loaded: Loaded, quote: Quote) -> None:
    """Refuse a run that may cost more than its request allows.

    Parameters
    ----------
    loaded : Loaded
        The request.
    quote : Quote
        Its price, with time limits.

    Raises
    ------
    InputError
        At the line of the ceiling, with what is expected, what it may cost at most, and what
        is allowed.
    """
    for unit, allowed in quote.ceiling.items():
        expected, most = totals(quote, unit)
        if most > allowed:
            name, key = NAMES[unit], f"compute.ceiling.{unit}"
            raise InputError(
                loaded.file.place(("compute", "ceiling", unit)),
                f"{key} is {allowed:.4g} {name}; the run may cost {most:.4g} {name} at most and "
                f"{expected:.4g} {name} as expected",
                _remedy(loaded, unit, f"{most:.4g}", hopeless=expected > allowed),
            )


def totals(quote: Quote, unit: str) -> tuple[float, float]:
    """Units expected and units at most."""
    if unit == "tb_h":
        return quote.storage.tb_h, quote.storage.most_tb_h
    return quote.total(unit), quote.total(f"most_{unit}")


def _remedy(loaded: Loaded, unit: str, most: str, *, hopeless: bool) -> str:
    """What to do about a ceiling that is too low."""
    if unit == "tb_h":
        return f"lower compute.kept_days, or raise the ceiling to {most}"
    if hopeless:
        return f"use fewer data, fewer ranks or another target, or raise the ceiling to {most}"
    if loaded.request.compute.minutes is not None:
        return f"lower compute.minutes, or raise the ceiling to {most}"
    return f"raise the ceiling to {most}, or use fewer ranks"
