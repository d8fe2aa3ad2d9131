"""The steps of the smoke test about ranks and devices: who runs where, computes, and adds up.

What a device must compute is in `lumipipe.tasks.preflight`, the probe of device memory in MPI
in `lumipipe.comm.probe`, files are in `lumipipe.tasks.smoke_files`.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.comm.launch import local_rank
from lumipipe.comm.probe import Answer, library, read_answer
from lumipipe.fold import fold
from lumipipe.partition import Span, Tree
from lumipipe.tasks.preflight import check_device, device_facts
from lumipipe.tasks.smoke_step import Told
from lumipipe.tasks.together import everywhere, started_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lumipipe.backend import Array, Backend, State
    from lumipipe.comm import Comm
    from lumipipe.tasks.smoke_step import Site

_NUMBERS = 4096  # of one array in the staged sum
_NO_DEVICE = "no device asked for"


def world(site: Site) -> Told:
    """World size; who runs where, on which cores and device; no device has two ranks."""
    rows = everywhere(site.comm, lambda: _placed(site))
    lines = [f"MPI library: {rows[0]['library']}"] + [
        f"rank {number}: {row['host']}, local rank {row['local']}, cores {row['cores']}, "
        f"device {row['bus'] or 'none'}"
        for number, row in enumerate(rows)
    ]
    wanted = site.asked.ranks or started_ranks()
    problem = _shared_device(rows)
    if len(rows) != wanted:
        problem = (
            f"{wanted} rank(s) were asked for, {len(rows)} started as one world; start them "
            "with the launcher of this MPI library"
        )
    return Told(lines, {"ranks": rows}, problem)


def _placed(site: Site) -> dict[str, Any]:
    """Where this rank runs."""
    backend = site.backend
    has_device = backend is not None and backend.name == "cupy"
    return {
        "host": _node(),
        "local": local_rank(),
        "cores": spans(sorted(os.sched_getaffinity(0))),
        "bus": device_facts(backend)["bus"] if backend and has_device else None,
        "library": "none, one rank" if isinstance(site.comm, SerialComm) else library(),
    }


def _node() -> str:
    """Slurm's name of this node, since several may be pretended on one machine; or its own."""
    return os.environ.get("SLURMD_NODENAME") or platform.node()


def _shared_device(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which two ranks have one device; nothing if none do."""
    owners: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        if row["bus"] is None:
            continue
        first = owners.setdefault((row["host"], row["bus"]), number)
        if first != number:
            return (
                f"ranks {first} and {number} on {row['host']} share device {row['bus']}; start "
                "them below slurm/bind.sh, with as many devices as ranks"
            )
    return ""


def device(site: Site) -> Told:
    """As many devices as planned on each node, each computing what the host computes."""
    if not site.asked.devices:
        return Told([_NO_DEVICE])
    rows = everywhere(site.comm, lambda: _checked(site))
    lines = [
        f"rank {number}: {row['name']}, {row['architecture']}, {row['runtime']}; right: "
        + ", ".join(row["right"])
        for number, row in enumerate(rows)
    ]
    nodes = dict.fromkeys(row["node"] for row in rows)
    problems = [_missing_device(site.asked.devices, node, rows) for node in nodes]
    return Told(lines, {"devices": rows}, next(filter(None, problems), ""))


def _missing_device(planned: int, node: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with the number of devices of a node; nothing if it is as planned."""
    here = [row for row in rows if row["node"] == node]
    most = max(row["visible"] for row in here)
    # A bound rank sees its own device only, an unbound one sees all of the node.
    wanted = planned if most > 1 else min(planned, len(here))
    seen = max(most, len({row["bus"] for row in here}))
    return "" if seen == wanted else f"{node}: {wanted} devices planned, {seen} visible"


def _checked(site: Site) -> dict[str, Any]:
    """What this rank knows of its device, after trying it."""
    if site.backend is None:
        raise RuntimeError(site.problem)
    right = check_device(site.backend)
    return {"node": _node(), "right": right, **device_facts(site.backend)}


def staged_sum(site: Site) -> Told:
    """A fold over all ranks with states staged through the host: the bytes of one rank's fold."""
    backend = site.backend or choose_backend("numpy")
    chunks = 3 * site.comm.size + 1  # shares of unequal size
    shared = everywhere(site.comm, lambda: _sum(backend, site.comm, chunks))[0]
    alone = everywhere(site.comm, lambda: _sum_here(chunks) if site.comm.rank == 0 else "")[0]
    problem = "" if shared == alone else "the sum over ranks has other bytes than on one rank"
    return Told([f"{chunks} arrays of {_NUMBERS} numbers, equal to the last bit"], {}, problem)


def _sum_here(chunks: int) -> str:
    """The sum on one rank, on the host."""
    return _sum(choose_backend("numpy"), SerialComm(), chunks)


def _sum(backend: Backend, comm: Comm, chunks: int) -> str:
    """The bytes of a sum in the fixed tree, in hexadecimal, on rank 0; nothing elsewhere."""

    def stream(numbers: Sequence[int]) -> Iterator[tuple[int, dict[tuple[str, ...], Any]]]:
        for number in numbers:
            draw = np.random.Generator(np.random.Philox(key=number)).standard_normal(_NUMBERS)
            yield number, {("all",): {"x": backend.asarray(draw)}}

    leaves = fold(_Sum(backend.xp), [Tree("smoke", Span(0, chunks))], stream, comm, backend)
    return "".join(state["sum"].tobytes().hex() for state in leaves.values())


@dataclass(frozen=True)
class _Sum:
    """A reducer whose result shows any change of the order of additions."""

    xp: Any

    def empty(self) -> State:
        """Zeros."""
        return {"sum": self.xp.zeros(_NUMBERS, dtype=self.xp.float64)}

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state and one array more."""
        return {"sum": state["sum"] + batch["x"]}

    def merge(self, first: State, second: State) -> State:
        """The sum of both."""
        return {"sum": first["sum"] + second["sum"]}


def gpu_aware_sum(site: Site) -> Told:
    """Whether MPI takes device memory, as processes of their own have found."""
    if not site.asked.devices:
        return Told([_NO_DEVICE], {"available": False})
    answer = _probed(site)
    line = f"{'available' if answer.available else 'not available'}: {answer.reason}"
    demanded = site.asked.gpu_aware and not answer.available
    return Told([line], answer._asdict(), line if demanded else "")


def _probed(site: Site) -> Answer:
    """What is known of device memory in MPI."""
    if site.asked.probed is not None:
        return read_answer(site.asked.probed, site.comm.size)
    rows = everywhere(site.comm, lambda: site.alone._asdict() if site.alone else None)
    alone = [Answer(**row) for row in rows if row]
    refused = [answer for answer in alone if not answer.available]
    if site.comm.size > 1 and not refused:
        return Answer(available=False, reason="ranks together have not tried it (smoke --probe)")
    return (refused or alone)[0]


def spans(numbers: Sequence[int]) -> str:
    """Rising whole numbers, runs of them as first-last.

    Examples
    --------
    >>> spans([0, 1, 2, 8, 10, 11])
    '0-2,8,10-11'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
