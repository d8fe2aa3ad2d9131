"""The performance model: seconds of a stage from its work, the machine's constants and ranks.

What the work is comes from a sample (`lumipipe.tasks.quoting.sampling`), the constants from
`lumipipe.machine.measured`. Nothing here reads a clock or a file.

Notes
-----
*Method*: for a stage on R ranks,

    T(R) = job + start(R) + write + once + fit + sum over passes of
           max(share(R) work, read(R)) + merge(R)

with, for a pass over data in P parts that ranks share (chunks, or batches of files),

    share(R) = ceil(P / R) / P                                   largest share of one rank
    read(R)  = max(share(R) bytes / rate of a rank, bytes / rate of the storage)
    merge(R) = ceil(log2 min(R, P)) (latency + state / bandwidth + merge of two states)
               + (1 - 1 / R) trees (latency + state / bandwidth)
    fit(R)   = alone + shared / R

``work`` is the core seconds that were sampled, times the speed of a core there. A rank beyond
the P-th gets nothing. Reading goes on while a pass computes (`lumipipe.store.readahead`), so
the longer of both counts; in prepare it does not, and their sum counts. The last term of a
merge is the root of the tree of each unit that comes home to rank 0.

*Accuracy*: see docs/decisions/0013-performance-model.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import TYPE_CHECKING

from lumipipe.partition import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lumipipe.machine.measured import Constant


@dataclass(frozen=True)
class Pass:
    """One pass over data that ranks share.

    Parameters
    ----------
    work_s : float, s
        Core seconds where it was sampled.
    parts : int
        Chunks, or batches of files: no more ranks can share it.
    read_bytes : float, bytes
        What is read from the storage.
    trees : int
        Merge trees, one a unit.
    state_bytes : float, bytes
        The state of one tree.
    merge_s : float, s
        Merging two such states, packing included.
    """

    work_s: float
    parts: int
    read_bytes: float = 0.0
    trees: int = 0
    state_bytes: float = 0.0
    merge_s: float = 0.0


@dataclass(frozen=True)
class Work:
    """What one stage has to do.

    Parameters
    ----------
    verb : str
        The stage.
    start_s : float, s
        Its start where it was sampled: the process, its imports, its end.
    passes : tuple of Pass
        What the ranks share.
    once_s : float, s
        What one rank does once.
    fit_s, fit_shared_s : float, s
        Fitting on one rank, and the part of it that ranks share.
    write_bytes : float, bytes
        What is written to the storage.
    reads : str
        The constant with the rate of its reading.
    overlaps : bool
        Whether it reads while it computes.
    """

    verb: str
    start_s: float
    passes: tuple[Pass, ...]
    once_s: float = 0.0
    fit_s: float = 0.0
    fit_shared_s: float = 0.0
    write_bytes: float = 0.0
    reads: str = "read_store_bytes_s"
    overlaps: bool = True

    @property
    def parts(self) -> int:
        """The most ranks that can share some of the work."""
        return max((item.parts for item in self.passes), default=1) or 1


@dataclass(frozen=True)
class Seconds:
    """Seconds of a stage by what they go to."""

    job: float = 0.0
    start: float = 0.0
    storage: float = 0.0
    compute: float = 0.0
    merge: float = 0.0
    once: float = 0.0

    @property
    def total(self) -> float:
        """All of them."""
        return self.job + self.start + self.storage + self.compute + self.merge + self.once


def stage_seconds(
    work: Work, ranks: int, constants: Mapping[str, Constant], luck: int = 0
) -> Seconds:
    """Seconds of a stage on some ranks.

    Parameters
    ----------
    work : Work
        What it has to do.
    ranks : int
        Number of ranks.
    constants : mapping of str to Constant
        Of the machine; where one is absent its term is nothing, ``start_s`` is that of the
        sample, and ``speed``, the seconds there for one second here, is 1.
    luck : int
        0 as expected; 1 and -1 with every constant at its best and at its worst.

    Returns
    -------
    Seconds
        The terms of the module's formula.

    Examples
    --------
    >>> work = Work("train", 2.0, (Pass(64.0, 16),), fit_s=3.0, fit_shared_s=2.0)
    >>> [stage_seconds(work, ranks, {}).total for ranks in (1, 4, 16, 64)]
    [69.0, 19.5, 7.125, 7.03125]
    """

    def of(name: str, absent: float = 0.0) -> float:
        return constants[name].at(luck) if name in constants else absent

    speed = of("speed", 1.0)
    computed = stored = merged = 0.0
    for item in work.passes:
        compute, read = _shared(item, ranks, speed, of(work.reads), of("storage_bytes_s"))
        computed += compute
        stored += max(0.0, read - compute) if work.overlaps else read
        merged += _merge(item, ranks, speed, of("latency_s"), of("message_bytes_s"))
    written = _over(work.write_bytes, min(ranks, work.parts), of("write_store_bytes_s"))
    alone = work.fit_s - work.fit_shared_s
    name = "start_s" if ranks == 1 else "start_mpi_s"
    return Seconds(
        job=of("job_s"),
        start=of(name, work.start_s * speed),
        storage=stored + max(written, _over(work.write_bytes, 1, of("storage_bytes_s"))),
        compute=computed + work.fit_shared_s / ranks * speed,
        merge=merged,
        once=(work.once_s + alone) * speed,
    )


def _shared(
    item: Pass, ranks: int, speed: float, rate: float, storage: float
) -> tuple[float, float]:
    """Seconds of computing and of reading on the rank with the largest share."""
    # The last share is a largest one: shares differ by one part at most.
    largest = share(item.parts, ranks, ranks - 1).size / item.parts if item.parts else 0.0
    read = max(_over(largest * item.read_bytes, 1, rate), _over(item.read_bytes, 1, storage))
    return largest * item.work_s * speed, read


def _merge(item: Pass, ranks: int, speed: float, latency: float, bandwidth: float) -> float:
    """Seconds of bringing the states of all ranks together on rank 0."""
    message = latency + _over(item.state_bytes, 1, bandwidth)
    sharing = max(1, min(ranks, item.parts))
    up = ceil(log2(sharing)) * (message + item.merge_s * speed)
    return up + (1 - 1 / sharing) * item.trees * message


def _over(amount: float, ranks: int, rate: float) -> float:
    """Seconds for an amount at a rate a rank; 0 where the rate is not known."""
    return amount / (ranks * rate) if rate else 0.0


@dataclass(frozen=True)
class Scaled:
    """A run on a number of ranks, against the same run on one.

    Parameters
    ----------
    ranks : int
        Number of ranks.
    seconds : dict of str to float, s
        Of each stage.
    speed_up : float
        How much faster than one rank; of a growing amount of data, how much more is done in
        the time.
    efficiency : float
        `speed_up` a rank.
    """

    ranks: int
    seconds: dict[str, float]
    speed_up: float
    efficiency: float


def strong_scaling(
    works: Sequence[Work],
    counts: Sequence[int],
    constants: Callable[[str, int], Mapping[str, Constant]],
) -> list[Scaled]:
    """The same data on more and more ranks.

    Parameters
    ----------
    works : sequence of Work
        The stages.
    counts : sequence of int
        Numbers of ranks.
    constants : callable of str and int
        Constants of the machine for a stage on a number of ranks.

    Returns
    -------
    list of Scaled
        One entry a number of ranks.
    """
    return _scaled(lambda _: works, counts, constants, grows=False)


def weak_scaling(
    works_for: Callable[[int], Sequence[Work]],
    counts: Sequence[int],
    constants: Callable[[str, int], Mapping[str, Constant]],
) -> list[Scaled]:
    """As many times the data as there are ranks.

    Parameters
    ----------
    works_for : callable of int
        The stages on that many times the data.
    counts : sequence of int
        Numbers of ranks.
    constants : callable of str and int
        Constants of the machine for a stage on a number of ranks.

    Returns
    -------
    list of Scaled
        One entry a number of ranks.
    """
    return _scaled(works_for, counts, constants, grows=True)


def _scaled(
    works_for: Callable[[int], Sequence[Work]],
    counts: Sequence[int],
    constants: Callable[[str, int], Mapping[str, Constant]],
    *,
    grows: bool,
) -> list[Scaled]:
    def seconds(ranks: int) -> dict[str, float]:
        return {
            work.verb: stage_seconds(work, ranks, constants(work.verb, ranks)).total
            for work in works_for(ranks)
        }

    alone = sum(seconds(1).values())
    rows = []
    for ranks in counts:
        parts = seconds(ranks)
        speed_up = alone / sum(parts.values()) * (ranks if grows else 1)
        rows.append(Scaled(ranks, parts, speed_up, speed_up / ranks))
    return rows
