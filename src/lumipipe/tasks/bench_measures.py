"""What `bench` measures: one function a constant of the performance model, for one repeat.

All functions are collective and give their values on every rank. Those of the storage are in
`lumipipe.tasks.bench_storage`; how repeats are interleaved and written in `lumipipe.tasks.bench`.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.fold import fold
from lumipipe.models.pca import PairReducer
from lumipipe.partition import Span, Tree
from lumipipe.tasks.bench_storage import (
    Place,
    raw_rate,
    storage_rate,
    store_read_rate,
    store_write_rate,
)
from lumipipe.tasks.calibration import gram_rate, middle
from lumipipe.tasks.smoke_files import trial_rows
from lumipipe.tasks.together import everywhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lumipipe.backend import Array
    from lumipipe.comm import Comm
    from lumipipe.machine.measured import Name

MIB = 2**20
_COLUMNS, _ROWS = 64, 4096  # of the fold: 1 MiB of float32 a chunk


def flops_rate(place: Place) -> float:
    """Useful operations a second of the median rank while all ranks compute."""
    rates = everywhere(place.comm, lambda: middle(gram_rate(place.host, place.seconds)))
    return statistics.median(rates)


def device_flops_rate(place: Place) -> float:
    """The same on devices."""
    device = place.device or place.host
    rates = everywhere(place.comm, lambda: middle(gram_rate(device, place.seconds)))
    return statistics.median(rates)


def latency(place: Place) -> float:
    """Seconds of a message of 8 bytes from the first to the last rank."""
    return half_trip(place.comm, 8, 200)


def message_rate(place: Place) -> float:
    """Bytes a second of a large message from the first to the last rank."""
    return place.message_bytes / half_trip(place.comm, place.message_bytes, 3)


def half_trip(comm: Comm, size: int, trips: int) -> float:
    """Half the seconds of a message to the last rank and back, of many.

    Parameters
    ----------
    comm : Comm
        At least two ranks.
    size : int
        Bytes of the message.
    trips : int
        How many are timed, after one that is not.

    Returns
    -------
    float, s
        The median of the trips: one that waits for a core is no property of the network.
    """
    payload, last = bytes(size), comm.size - 1

    def there_and_back() -> float:
        start = time.perf_counter()
        if comm.rank == 0:
            comm.send(payload, last)
            comm.receive(last)
        elif comm.rank == last:
            comm.send(comm.receive(0), 0)
        return (time.perf_counter() - start) / 2

    comm.barrier()
    there_and_back()
    seconds = everywhere(comm, lambda: [there_and_back() for _ in range(trips)])[0]
    return statistics.median(seconds)


def fold_rate(place: Place, chunks: int) -> tuple[float, float, float]:
    """A fold of some chunks on each rank: bytes a second of a rank, bytes of its state, seconds.

    Parameters
    ----------
    place : Place
        Where; on the device if there is one.
    chunks : int
        Chunks of a rank, of 1 MiB; 0 for one of a few rows, so that merging is what takes time.

    Returns
    -------
    tuple of float
        Bytes a second, bytes, seconds.
    """
    comm, backend = place.comm, place.device or place.host
    rows = _ROWS if chunks else 2
    batch = backend.asarray(trial_rows(comm.rank, rows, _COLUMNS))

    def stream(
        numbers: Sequence[int],
    ) -> Iterator[tuple[int, dict[tuple[str, ...], dict[str, Array]]]]:
        for number in numbers:
            yield number, {("all",): {"x": batch}}

    trees = [Tree("bench", Span(0, max(1, chunks) * comm.size))]
    reducer = PairReducer(backend.xp, _COLUMNS)
    comm.barrier()
    start = time.perf_counter()
    leaves = fold(reducer, trees, stream, comm, backend)
    seconds = time.perf_counter() - start
    size = sum(array.nbytes for state in leaves.values() for array in state.values())
    told = everywhere(comm, lambda: [seconds, size])
    read = max(1, chunks) * rows * _COLUMNS * 4
    return read / max(each[0] for each in told), told[0][1], told[0][0]


class Measure(NamedTuple):
    """A constant and how one repeat of it is measured.

    Parameters
    ----------
    constant : str
        Its name in the performance model.
    run : callable of Place
        Gives the value of one repeat.
    how : str
        What is run, for the record; ``{size}`` and ``{message}`` stand for sizes.
    least : int
        Ranks without which there is nothing to measure.
    together : bool
        Whether all ranks take part, or one (two, for messages).
    """

    constant: Name
    run: Callable[[Place], float]
    how: str
    least: int = 1
    together: bool = False


_COLD = "after its pages were dropped from this node's memory; servers may hold them"
MEASURES: tuple[Measure, ...] = (
    Measure("read_raw_bytes_s", raw_rate, "one rank reads a file of {size} " + _COLD),
    Measure(
        "storage_bytes_s",
        storage_rate,
        "all ranks read a file of {size} each " + _COLD,
        together=True,
    ),
    Measure("read_store_bytes_s", store_read_rate, "one rank reads a shard of {size} " + _COLD),
    Measure(
        "write_store_bytes_s",
        store_write_rate,
        "one rank writes a shard of {size}, compressed by less than a third, and flushes it",
    ),
    Measure(
        "flops_s",
        flops_rate,
        "Gram matrices in float64, one thread a rank, all ranks at once",
        together=True,
    ),
    Measure("latency_s", latency, "half a ping-pong of 8 bytes between the first and last rank", 2),
    Measure(
        "message_bytes_s",
        message_rate,
        "half a ping-pong of {message} between the first and last rank",
        2,
    ),
)
DEVICE_MEASURE = Measure(
    "gpu_flops_s", device_flops_rate, "Gram matrices in float64 on all devices", together=True
)
