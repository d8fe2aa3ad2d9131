"""From the costs of samples to the work of all data, for the performance model.

What grows with the data is told from what does not by two samples; with one, all that ranks
share grows. The model is `lumipipe.machine.performance`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.machine.performance import Pass, Work
from lumipipe.store.layout import RECORDING_TABLES, STREAM_TABLES, plan_stream, planned_files
from lumipipe.tasks.quoting.price import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.config import Prepare
    from lumipipe.tasks.quoting.costs import Costs, PassCost, Sample, StageCost

# A fixed cost varies between two samples by what the machine does besides.
_GREW, _NOISE_S = 1.25, 0.2
# As `lumipipe.store.batches` packs files: at least so long, so many, and so many a rank.
_BATCH_S, _BATCHES, _BATCHES_A_RANK = 0.25, 64, 4
# Pieces, then shards: each row is written twice and read once in between.
_WRITTEN_TWICE = 2
# Manifests, folders, logs, report and Snakemake: 59 beside the products of a run through Slurm.
_BESIDE = 64


def line(values: list[tuple[float, float]], at: float, *, grows: bool, noise: float = 0.0) -> float:
    """A cost at an amount of data, from costs at smaller amounts.

    Parameters
    ----------
    values : list of pairs of float
        Amount of data and cost there, rising; the last two count.
    at : float
        The amount that is asked for.
    grows : bool
        Whether one sample says that the cost grows with the data; two samples tell by
        themselves.
    noise : float
        What two equal costs may differ by.

    Returns
    -------
    float
        On the line through both; never falling, and nowhere steeper than from nothing to the
        last. What rose by less than a quarter, or than the noise, and is not said to grow, stays
        as it was.

    Examples
    --------
    >>> line([(1.0, 3.0), (4.0, 6.0)], 10.0, grows=True)
    12.0
    >>> line([(1.0, 3.0), (4.0, 3.3)], 10.0, grows=False)
    3.3
    >>> line([(4.0, 2.0)], 10.0, grows=True)
    5.0
    """
    amount, cost = values[-1]
    steepest = cost / amount if amount else 0.0
    if len(values) == 1:
        return cost + (at - amount) * steepest if grows else cost
    before, less = values[-2]
    slope = (cost - less) / (amount - before)
    if not grows and cost < max(_GREW * less, less + noise):
        return cost
    return cost + (at - amount) * min(max(slope, 0.0), steepest)


def works_of(sample: Sample, times: float = 1.0, ranks: int = 1) -> list[Work]:
    """What each stage has to do on all data of a request, or on a multiple of them.

    Parameters
    ----------
    sample : Sample
        What was sampled.
    times : float
        How many times the data of the request.
    ranks : int
        Ranks that share the files.

    Returns
    -------
    list of Work
        Prepare, train, score.
    """
    return [_work(sample, verb, times, ranks) for verb in VERBS]


def _work(sample: Sample, verb: str, times: float, ranks: int) -> Work:
    """What one stage has to do."""

    def at(of: Callable[[StageCost], float]) -> float:
        values = [(float(one.raw_bytes), of(one.stages[verb])) for one in sample.rounds]
        return line(values, times * sample.raw_bytes, grows=False, noise=_NOISE_S)

    last = sample.rounds[-1].stages[verb]
    prepares = verb == "prepare"
    stored = store_bytes(sample, times)
    read = times * sample.raw_bytes if prepares else stored
    shared = {name: _shared(sample, verb, name, times, ranks) for name in last.passes}
    fit_s = at(lambda cost: cost.fit_s)
    return Work(
        verb=verb,
        start_s=min(one.stages[verb].start_s for one in sample.rounds),
        passes=tuple(replace(item, read_bytes=read / len(shared)) for item, _ in shared.values()),
        once_s=at(lambda cost: cost.once_s) + sum(fixed for _, fixed in shared.values()),
        fit_s=fit_s,
        fit_shared_s=fit_s * (last.fit_shared_s / last.fit_s if last.fit_s else 0.0),
        write_bytes=_WRITTEN_TWICE * stored if prepares else _written(sample, verb, times),
        reads="read_raw_bytes_s" if prepares else "read_store_bytes_s",
        overlaps=not prepares,
    )


def _shared(sample: Sample, verb: str, name: str, times: float, ranks: int) -> tuple[Pass, float]:
    """One pass over all data, and its seconds that do not grow with them."""
    rounds = [one for one in sample.rounds if name in one.stages[verb].passes]
    total = times * sample.raw_bytes

    def at(of: Callable[[PassCost], float], where: float = total, *, grows: bool) -> float:
        values = [(float(one.raw_bytes), of(one.stages[verb].passes[name])) for one in rounds]
        return line(values, where, grows=grows)

    fixed = at(lambda cost: cost.seconds, 0.0, grows=True)
    work_s = at(lambda cost: cost.seconds, grows=True) - fixed
    if verb == "prepare":
        return Pass(work_s, _batches(round(times * sample.files), work_s, ranks)), fixed
    made = Pass(
        work_s=work_s,
        parts=max(1, round(at(lambda cost: cost.chunks, grows=True))),
        # A request of so many times the data is one of so many times the units.
        trees=max(1, round(times * at(lambda cost: cost.trees, sample.raw_bytes, grows=False))),
        state_bytes=at(lambda cost: cost.state_bytes, grows=False),
        merge_s=at(lambda cost: cost.merge_s, grows=False),
    )
    return made, fixed


def _batches(files: int, work_s: float, ranks: int) -> int:
    """In how many batches the ranks share the raw files."""
    return max(1, min(max(_BATCHES, _BATCHES_A_RANK * ranks), int(work_s / _BATCH_S), files))


def _written(sample: Sample, verb: str, times: float) -> float:
    """Bytes of the product of a stage."""
    values = [
        (float(one.raw_bytes), float(one.stages[verb].written_bytes)) for one in sample.rounds
    ]
    return line(values, times * sample.raw_bytes, grows=verb == "prepare")


def store_bytes(sample: Sample, times: float = 1.0) -> float:
    """Bytes of the dataset on disk."""
    return _written(sample, "prepare", times)


def kept_bytes(sample: Sample) -> float:
    """Bytes that stay on the machine: raw files, dataset, model and scores."""
    return sample.raw_bytes + sum(_written(sample, verb, 1.0) for verb in VERBS)


def kept_files(sample: Sample, settings: Prepare) -> int:
    """Files and folders that stay on the machine, as the layout of the dataset plans them."""
    last = sample.rounds[-1]
    layouts = [
        plan_stream(
            max(1, _rows(sample, name)),
            stream.channels,
            stream.itemsize,
            settings.chunk_bytes,
            settings.shard_bytes,
            labels=stream.labels,
            has_time=stream.has_time,
        )
        for name, stream in last.streams.items()
    ]
    folders = 3 + RECORDING_TABLES + sum(1 + STREAM_TABLES + item.arrays for item in layouts)
    others = sum(last.stages[verb].written_files for verb in VERBS if verb != "prepare")
    return sample.files + planned_files(layouts) + folders + others + _BESIDE


def _rows(sample: Sample, name: str) -> int:
    """Rows of a stream in all data."""
    values = [
        (float(one.raw_bytes), float(one.streams[name].rows))
        for one in sample.rounds
        if name in one.streams
    ]
    return round(line(values, float(sample.raw_bytes), grows=True))


def peak_bytes(sample: Sample) -> dict[str, int]:
    """The most memory that each stage had in a sample; all data may need more."""
    rounds: list[Costs] = sample.rounds
    return {verb: max(one.stages[verb].peak_bytes for one in rounds) for verb in VERBS}
