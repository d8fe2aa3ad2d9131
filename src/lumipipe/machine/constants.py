"""The constants of the performance model for one job, measured where they were, else assumed.

What was measured is in `lumipipe.machine.measured`; the model in
`lumipipe.machine.performance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.machine.measured import ASSUMED, Constant, constant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.machine.facts import Machine
    from lumipipe.machine.measured import Entry

_AS_THEY_ARE = (
    "job_s",
    "read_raw_bytes_s",
    "read_store_bytes_s",
    "write_store_bytes_s",
    "storage_bytes_s",
    "latency_s",
    "message_bytes_s",
)
# Two runs of one sample on an idle machine lay within 15 % of each other (2026-11-25).
_NOISE = 0.15
# A sample that is not all data: what the rest may differ by, beyond the noise.
_REST = (0.8, 1.3)
# Cores of login and compute nodes that are sold today differ by less than this.
_CORES = 2.0
# Imports from a shared file system that many use: lumi-facts gives no number, 2026-11.
_SLOW_START = 8.0
_MPI_START_S = 0.5


@dataclass(frozen=True)
class Here:
    """The machine on which a sample ran.

    Parameters
    ----------
    start_s : dict of str to float, s
        How long each verb took to start and to end.
    flops_s : float, 1/s
        Its rate of `lumipipe.tasks.calibration`.
    is_all : bool
        Whether the sample was all data.
    idle : float
        Part of the time on the clock in which the sample computed; the rest went to a disk, or
        to what else the machine did, and may do so there.
    """

    start_s: dict[str, float]
    flops_s: float
    is_all: bool
    idle: float = 1.0


def constants_here(here: Here) -> dict[str, Constant]:
    """The constants of a run on the machine on which the sample ran."""
    return {"speed": _speed(here, 1.0, (1 - _NOISE, 1 + _NOISE), "sampled here", measured=True)}


def constants_there(
    machine: Machine,
    entries: Sequence[Entry],
    here: Here,
    *,
    verb: str,
    partition: str,
    ranks: int,
) -> dict[str, Constant]:
    """The constants of one job on a machine.

    Parameters
    ----------
    machine : Machine
        The machine.
    entries : sequence of Entry
        What was measured on it.
    here : Here
        Where the sample ran.
    verb : str
        What the job does.
    partition : str
        Where it runs.
    ranks : int
        Its ranks.

    Returns
    -------
    dict of str to Constant
        All that the model asks for.
    """
    near = _near(machine, partition)
    found = {
        name: constant
        for name in _AS_THEY_ARE
        if (constant := constant_of(entries, name, near, ranks)) is not None
    }
    start = "start_s" if ranks == 1 else "start_mpi_s"
    found[start] = _start(entries, here, start, verb, near, ranks)
    found["speed"] = _speed_there(entries, here, near)
    return found


def _near(machine: Machine, partition: str) -> list[str]:
    """The partition, and those with the same nodes."""
    kinds = machine.partitions[partition].nodes
    others = [name for name, other in machine.partitions.items() if other.nodes[0] == kinds[0]]
    return [partition, *(name for name in others if name != partition)]


def _start(
    entries: Sequence[Entry], here: Here, name: str, verb: str, near: Sequence[str], ranks: int
) -> Constant:
    """How long a verb takes to start: as sampled, in the proportion that prepare was measured."""
    sampled = here.start_s[verb]
    known = constant_of(entries, name, near, ranks)
    if known is not None and known.is_measured and here.start_s.get("prepare"):
        ratio = sampled / here.start_s["prepare"]
        low, value, high = (ratio * part for part in (known.low, known.value, known.high))
        return Constant(name, value, low, high, known.source, is_measured=True)
    value = sampled + (_MPI_START_S if ranks > 1 else 0.0)
    source = "as sampled where the quote was made; imports from a shared disk may take longer"
    low = min(value, ASSUMED[name].low)
    return Constant(name, value, low, _SLOW_START * value, source, is_measured=False)


def _speed_there(entries: Sequence[Entry], here: Here, near: Sequence[str]) -> Constant:
    """Seconds there for one second of computing here."""
    there = constant_of(entries, "flops_s", near)
    if there is not None:
        ratio = here.flops_s / there.value
        spread = (ratio * (1 - _NOISE), ratio * (1 + _NOISE))
        return _speed(here, ratio, spread, there.source, measured=True)
    source = "a core there is assumed to be as fast as the one on which the quote was made"
    return _speed(here, 1.0, (1 / _CORES, _CORES), source, measured=False)


def _speed(
    here: Here, value: float, spread: tuple[float, float], source: str, *, measured: bool
) -> Constant:
    """The constant ``speed``, wider where the sample was not all data."""
    low, high = spread[0], spread[1] / here.idle
    if not here.is_all:
        low, high = low * _REST[0], high * _REST[1]
    return Constant("speed", value, low, high, source, is_measured=measured)
