"""A race of ours against a named peer and against a limit, all on the same data in the same run.

Each round runs ours, the peer and the limit once, in turn, so that whatever else the machine
does meets all three; what is reported is the median over rounds of the ratios within a round.
Seconds are printed and never judged. What is judged is the answer: a race whose contenders
disagree by more than a stated tolerance fails.

pytest-benchmark runs the rounds (`benchmark.pedantic`, one warm-up) and keeps the outcome in
its `extra_info`, so `--benchmark-json` holds it beside machine and commit. It times one callable
at a time and cannot take turns, so the contenders are timed here and its own table is off.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    Run = Callable[[], Any]

ROUNDS = 7
TIE = 1.3  # ratios below are called a tie
_FREED_BYTES = 2**24


class Rival(NamedTuple):
    """Something that ours is compared with: its name and what it runs."""

    name: str
    run: Run


@dataclass(frozen=True)
class Outcome:
    """What one race gave.

    Parameters
    ----------
    name, size : str
        What was raced, and on how much.
    peer, limit : str
        Names of the two others.
    seconds : dict of str to list of float
        Of ``ours``, ``peer`` and ``limit``, one a round.
    target : float or None
        Ratio that is aimed at.
    difference, tolerance : float
        Largest difference of the answers, and what is allowed; ``against`` says of which.
    against : str
        With what ours was compared.
    note : str
        What else a reader must know.
    """

    name: str
    size: str
    peer: str
    limit: str
    seconds: dict[str, list[float]]
    target: float | None
    difference: float
    tolerance: float
    against: str
    note: str

    def median_s(self, contender: str) -> float:
        """Median seconds of a contender."""
        return statistics.median(self.seconds[contender])

    def ratios(self) -> list[float]:
        """Seconds of the peer over ours in each round, rising; above 1 ours is faster."""
        return sorted(
            p / o for o, p in zip(self.seconds["ours"], self.seconds["peer"], strict=True)
        )

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios())

    @property
    def fraction(self) -> float:
        """Median over rounds of the limit's seconds over ours; 1 is the limit."""
        pairs = zip(self.seconds["ours"], self.seconds["limit"], strict=True)
        return statistics.median(limit / ours for ours, limit in pairs)

    @property
    def verdict(self) -> str:
        """Ahead, tie or behind, and whether the target is met."""
        word = "behind" if self.ratio < 1 / TIE else "tie" if self.ratio < TIE else "ahead"
        if self.target is None:
            return word
        return f"{word}, target {'met' if self.ratio >= self.target else 'missed'}"


@dataclass
class Race:
    """Runs one race; given to each function of a ``bench_*.py``.

    Parameters
    ----------
    rounds : callable
        Runs a function some times after a warm-up; `benchmark.pedantic` or a plain loop.
    folder : Path
        Empty, for stores.
    small : bool
        Whether sizes are so small that only the answers matter.
    """

    rounds: Callable[[Run], object]
    folder: Path
    small: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    def size(self, full: int, small: int) -> int:
        """The size of this race."""
        return small if self.small else full

    def __call__(
        self,
        name: str,
        size: str,
        ours: Run,
        peer: Rival,
        limit: Rival,
        differ: Callable[[Any, Any], float],
        tolerance: float,
        target: float | None = None,
        against: str = "peer",
        note: Callable[[Any], str] = lambda _: "",
    ) -> Outcome:
        """Race, after it was seen that `differ` of both answers is within `tolerance`."""
        _settle_allocator()
        contenders = {"ours": ours, "peer": peer.run, "limit": limit.run}
        answers = {key: run() for key, run in contenders.items()}
        difference = float(differ(answers["ours"], answers["peer"]))
        told = note(answers["peer"])
        del answers
        if not difference <= tolerance:
            pytest.fail(f"{name}: ours differs from {against} by {difference:.2g} > {tolerance:g}")
        seconds: dict[str, list[float]] = {key: [] for key in contenders}

        def one_round() -> None:
            for key, run in contenders.items():
                start = time.perf_counter()
                run()
                seconds[key].append(time.perf_counter() - start)

        self.rounds(one_round)
        timed = {key: values[1:] or values for key, values in seconds.items()}  # less the warm-up
        outcome = Outcome(
            name,
            size,
            peer.name,
            limit.name,
            timed,
            target,
            difference,
            tolerance,
            against,
            told,
        )
        self.outcomes.append(outcome)
        return outcome


def peer_module(name: str) -> ModuleType:
    """A module that only a peer or a limit needs; the race is skipped where it is absent."""
    return pytest.importorskip(name)


def relative(found: Any, expected: Any) -> float:
    """Largest difference, relative to the largest size of what is expected."""
    wide = np.asarray(expected, dtype=np.float64)
    return float(np.max(np.abs(np.asarray(found, np.float64) - wide)) / np.max(np.abs(wide)))


def share_unequal(found: Any, expected: Any, tolerance: float) -> float:
    """Share of the entries that differ by more than a tolerance."""
    return float(np.mean(np.abs(np.asarray(found) - np.asarray(expected)) > tolerance))


def spans(count: int, size: int) -> list[slice]:
    """Slices of at most `size` that cover `count`."""
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def memory_stream(x: np.ndarray) -> Rival:
    """Reading an array once, by BLAS's inner product with itself."""
    flat = x.reshape(-1)
    return Rival("memory stream", lambda: np.dot(flat, flat))


def syrk(x: np.ndarray, rows: int = 4096) -> Rival:
    """Products of blocks of rows with themselves, in the array's own precision, and no more."""

    def run() -> None:
        for span in spans(len(x), rows):
            block = x[span]
            block.T @ block

    return Rival(f"BLAS {'ssyrk' if x.dtype == np.float32 else 'dsyrk'}", run)


def _settle_allocator() -> None:
    """Free a large block once, as a run does with its first chunk.

    The C library then keeps freed memory of that size; before, each temporary array of a block
    is given back to the system and comes again page by page, for all contenders alike.
    """
    block = np.ones(_FREED_BYTES, dtype=np.uint8)
    del block
