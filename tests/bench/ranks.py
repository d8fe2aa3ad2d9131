"""What a second rank brings, and what merging costs as states grow: two tables, by two MPI ranks.

``make bench-ranks`` runs it as ``mpiexec -n 2 python tests/bench/ranks.py``.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import numpy as xp
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.made import correlated, vibration
from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm, pack, unpack
from lumipipe.comm.mpi import MpiComm
from lumipipe.config import Channel
from lumipipe.features import build_features, measure_features
from lumipipe.fold import fold
from lumipipe.kernels.moments import comoments, merge_comoments
from lumipipe.models.ridge import RidgeReducer
from lumipipe.partition import Span, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lumipipe.comm import Comm
    from lumipipe.fold import Batch

ROUNDS = 5
WIDTHS = (64, 256, 1024, 4096, 8192)
UPDATE_ROWS = 4096


def seconds_of(run: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def meet(world: MPI.Comm) -> None:
    """Return when both ranks are here; who waits leaves its core alone."""
    request = world.Ibarrier()
    while not request.Test():
        time.sleep(0.002)


def alone_and_together(
    world: MPI.Comm, comm: MpiComm, batch: Callable[[], Batch], width: int, chunks: int
) -> list[float]:
    """Ratios of the time of one rank to that of two, on the same chunks, one a round."""
    backend = choose_backend("numpy")
    reducer = RidgeReducer(xp, width, 1, 100, 1)

    def stream(numbers: Sequence[int]) -> Iterator[tuple[int, dict[tuple[str, ...], Batch]]]:
        for number in numbers:
            yield number, {("all",): batch()}

    def run(ranks: Comm) -> None:
        fold(reducer, [Tree("u", Span(0, chunks))], stream, ranks, backend)

    batch()  # loads and compiles
    ratios = []
    for _ in range(ROUNDS):
        meet(world)
        one = seconds_of(lambda: run(SerialComm())) if comm.rank == 0 else 0.0
        meet(world)
        two = seconds_of(lambda: (run(comm), meet(world)))
        ratios.append(one / two)
    return ratios


def convolutions(windows: int) -> tuple[Callable[[], Batch], int]:
    """Batches of random convolution features of six channels, made each time."""
    channels = [
        Channel.model_validate({"name": n, "quantity": "ratio", "unit": "1"}) for n in "abcdef"
    ]
    built = build_features({"random_convolution": {"features": 1008}}, channels, 512, 100.0, 1)
    x = vibration(512 * windows, 6).reshape(windows, 512, 6).transpose(1, 2, 0).copy()
    y, number = np.ones((windows, 1)), np.arange(windows)
    make = lambda: {"x": measure_features(built, x, 100.0), "y": y, "number": number}  # noqa: E731
    return make, sum(len(feature.names) for feature in built)


def cross_products(width: int) -> Callable[[], Batch]:
    """The same batch of float32 rows each time."""
    x = correlated(8192, width)
    batch = {"x": x, "y": x[:, :1].copy(), "number": np.arange(len(x))}
    return lambda: batch


def merging(world: MPI.Comm, comm: MpiComm, width: int) -> dict[str, float]:
    """Seconds of what happens at a tree edge between ranks, and of one update."""
    x = correlated(UPDATE_ROWS, width)
    update = seconds_of(lambda: comoments(x))
    state = comoments(x[:64])
    rounds = ROUNDS if width < WIDTHS[-2] else 2
    found: dict[str, list[float]] = {"pack": [], "message": [], "merge": []}
    for _ in range(rounds + 1):
        meet(world)
        start = time.perf_counter()
        payload = pack(state) if comm.rank else b""
        found["pack"].append(world.allreduce(time.perf_counter() - start, op=MPI.MAX))
        world.Barrier()
        start = time.perf_counter()
        if comm.rank:
            comm.send(payload, 0)
            comm.barrier()
            continue
        received = comm.receive(1)
        found["message"].append(time.perf_counter() - start)
        start = time.perf_counter()
        merge_comoments(state, unpack(received))
        found["merge"].append(time.perf_counter() - start)
        comm.barrier()
    times = {name: statistics.median(row[1:] or [0.0]) for name, row in found.items()}
    return times | {"update": update, "bytes": 8.0 * (width * width + width + 1)}


def main() -> None:
    """Print both tables on rank 0."""
    world, comm = MPI.COMM_WORLD, MpiComm()
    make, width = convolutions(64)
    works = {f"random convolutions, 6 channels, {width} features": (make, width, 16)}
    for d in (256, 512):
        works[f"cross-products, {d} channels"] = (cross_products(d), d, 24)
    lines = ["| work | one rank over two, median | range |", "| --- | --- | --- |"]
    for name, (batch, columns, chunks) in works.items():
        ratios = sorted(alone_and_together(world, comm, batch, columns, chunks))
        middle = statistics.median(ratios)
        lines.append(f"| {name} | {middle:.2f} | {ratios[0]:.2f}–{ratios[-1]:.2f} |")
    lines += [
        "",
        "| channels | state, MB | pack, ms | message, ms | GB/s | merge, ms | update, ms | edge |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for d in WIDTHS:
        found = merging(world, comm, d)
        edge = found["pack"] + found["message"] + found["merge"]
        cells = [f"{d}", f"{found['bytes'] / 1e6:.3g}"]
        cells += [f"{1e3 * found[name]:.3g}" for name in ("pack", "message")]
        if comm.rank == 0:
            cells += [f"{found['bytes'] / found['message'] / 1e9:.2g}"]
        cells += [f"{1e3 * found[name]:.3g}" for name in ("merge", "update")]
        lines.append("| " + " | ".join([*cells, f"{edge / found['update']:.2g}"]) + " |")
    lines += ["", f"An update is of {UPDATE_ROWS} rows; an edge is told in updates."]
    if comm.rank == 0:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
