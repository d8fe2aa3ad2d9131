"""How long a stage takes and what it goes to, how far it is, and what computed it.

For people and for the record only: no number of an answer depends on it.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RECORDED = ("lumipipe", "numpy", "scipy", "zarr", "xarray", "dask", "cupy", "mpi4py", "mpich")


@dataclass
class Part:
    """What one part of a stage took."""

    seconds: float = 0.0
    nbytes: int = 0
    rows: int = 0


@dataclass
class Timer:
    r"""Seconds, bytes and rows of the named parts of a stage; each part belongs to one thread.

    Examples
    --------
    >>> timer = Timer(clock=iter([0.0, 1.0, 3.0, 4.0]).__next__)
    >>> with timer.part("read", nbytes=6_000_000):
    ...     pass
    >>> print("\n".join(timer.table("train")))
    train: 4.0 s
      part       seconds  share           MB/s         rows/s
      read          2.00    50%              3
    """

    parts: dict[str, Part] = field(default_factory=dict)
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self._begun = self.clock()

    @contextmanager
    def part(self, name: str, *, nbytes: int = 0, rows: int = 0) -> Iterator[None]:
        """Add the block's seconds, and what it handled, to the part called `name`."""
        part = self.parts.setdefault(name, Part())
        start = self.clock()
        try:
            yield
        finally:
            part.seconds += self.clock() - start
            part.nbytes += nbytes
            part.rows += rows

    def record(self) -> dict[str, object]:
        """Seconds since the timer was made, and of each part with what it handled."""
        parts = {
            name: asdict(part) | {"seconds": round(part.seconds, 3)}
            for name, part in self.parts.items()
        }
        return {"seconds": round(self.clock() - self._begun, 3), "parts": parts}

    def table(self, stage: str) -> list[str]:
        """Lines for people; parts that overlap may have more than the whole between them."""
        whole = self.clock() - self._begun
        lines = [
            f"{stage}: {whole:.1f} s",
            f"  part       seconds  share{'MB/s':>15s}{'rows/s':>15s}",
        ]
        for name, part in self.parts.items():
            speeds = (part.nbytes / 1e6, part.rows)
            told = "".join(f" {_rate(amount, part.seconds):>14s}" for amount in speeds)
            line = f"  {name:9s}{part.seconds:9.2f} {part.seconds / whole:6.0%}{told}"
            lines.append(line.rstrip())
        return lines


def _rate(amount: float, seconds: float) -> str:
    """An amount a second; empty where nothing is known of it."""
    if not amount or not seconds:
        return ""
    rate = amount / seconds
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"  # noqa: PLR2004 - three digits


@dataclass
class Progress:
    """Tells now and then how far a loop is: often to a person who waits, else once a minute.

    Parameters
    ----------
    what : str
        What the loop goes over, such as ``chunks``.
    total : int
        How many there are.
    log : callable of str
        Takes the lines.
    pause_s : float, s
        Between two lines; by default 5 where somebody looks at a terminal, else 60.
    clock : callable
        Seconds.
    """

    what: str
    total: int
    log: Callable[[str], None]
    pause_s: float = field(default_factory=lambda: 5.0 if sys.stdout.isatty() else 60.0)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._begun = self._told = self.clock()

    def at(self, done: int, rows: int) -> None:
        """Note that `done` are done, with `rows` rows in all, and tell it where it is time."""
        now = self.clock()
        if now - self._told < self.pause_s or not done:
            return
        self._told, took = now, now - self._begun
        left = timedelta(seconds=round(took / done * (self.total - done)))
        self.log(
            f"{done} of {self.total} {self.what} ({done / self.total:.0%}), "
            f"{_rate(rows, took)} rows/s, {left} left"
        )


def versions() -> dict[str, str]:
    """Versions of the interpreter and of the packages that compute, as they are installed."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
