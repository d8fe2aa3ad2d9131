"""What a job and stored data cost, by the formulae of the machine's facts.

Billed is what was allocated, not what was used. Costs come from allocated nodes, cores, memory
and devices, never from Slurm's own core-hours: those count hardware threads, which on LUMI is
twice what is billed (training materials, 201-Slurm, June 2026).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine
    from lumipipe.machine.partitions import Largest, Partition
    from lumipipe.machine.resources import Block

_HOUR_S = 3600.0
_VOLUME = {"TB": 1e12, "TiB": 2.0**40}
_OURS = {"gpu_h": "GPU-h", "core_h": "core-h", "tb_h": "TB-h"}
# A sum of floats may lie a little above the whole number that it stands for.
_FUZZ = 1e-9


@dataclass(frozen=True)
class Units:
    """Units of computing time that are billed.

    Parameters
    ----------
    gpu_h, core_h : float
        GPU-hours and core-hours, as the site counts them.
    """

    gpu_h: float = 0.0
    core_h: float = 0.0

    def __add__(self, other: Units) -> Units:
        return Units(self.gpu_h + other.gpu_h, self.core_h + other.core_h)


def gigabytes(mib: float) -> float:
    """MiB as the GB that a bill may mean: thousands.

    Sites print GB. Slurm counts in powers of 1024 (22.05 lists 56320 MiB as 55G), so that GiB are
    probably meant; as that is not said, the larger number of the two is used: a quote is never
    below the bill, and up to 7 % and one rounding step above it.
    """
    return mib * 2**20 / 1e9


def billed(
    partition: Partition,
    *,
    nodes: int,
    cores: int,
    memory_gb: float,
    devices: int,
    seconds: float,
) -> Units:
    """Units that an allocation costs.

    Parameters
    ----------
    partition : Partition
        Where it was.
    nodes, cores : int
        All that the job has, on all its nodes.
    memory_gb : float
        The same of memory, in GB (see `gigabytes`).
    devices : int
        The same of devices.
    seconds : float
        How long it had them.

    Returns
    -------
    Units
        Zero but for the unit of the partition.

    Raises
    ------
    InputError
        If no formula is known for the partition.
    """
    formula = partition.billing
    if formula is None:
        raise InputError(
            "billing", f"no formula is known ({partition.source})", "use another partition"
        )
    if formula.per_node is not None:
        an_hour = formula.per_node * nodes
    elif formula.largest_of is not None:
        amounts = _amounts(formula.largest_of, cores, memory_gb, devices)
        if formula.rounded_up:
            amounts = [math.ceil(amount - _FUZZ) for amount in amounts]
        an_hour = formula.factor * max(amounts)
    return Units(**{formula.unit: an_hour * seconds / _HOUR_S})


def _amounts(each: Largest, cores: int, memory_gb: float, devices: int) -> list[float]:
    """How many billed amounts of each kind an allocation has."""
    pairs = (
        (cores, each.cores),
        (memory_gb, each.memory_gb),
        (memory_gb * 1e9 / 2**30, each.memory_gib),
        (devices, each.devices),
    )
    return [has / one for has, one in pairs if one is not None]


def billed_block(machine: Machine, block: Block, seconds: float) -> Units:
    """Units that a planned job costs.

    Parameters
    ----------
    machine : Machine
        The machine.
    block : Block
        The job.
    seconds : float
        How long it runs.

    Returns
    -------
    Units
        By the formula of its partition.
    """
    return billed(
        machine.partitions[block.partition],
        nodes=block.nodes,
        cores=block.tasks * block.cpus_per_task,
        memory_gb=gigabytes(block.memory_mib * block.nodes),
        devices=block.nodes * block.devices_per_node,
        seconds=seconds,
    )


def tb_hours(machine: Machine, area: str, size_bytes: float, hours: float) -> float:
    """Units of storage for data that are kept.

    Parameters
    ----------
    machine : Machine
        The machine.
    area : str
        Name of the storage area.
    size_bytes : float
        Volume.
    hours : float
        How long it is kept.

    Returns
    -------
    float
        Volume (TB or TiB, as the site counts) × hours × rate of the area.
    """
    facts = machine.storage[area]
    return size_bytes / _VOLUME[facts.unit] * hours * facts.tb_h_rate


def priced(machine: Machine, units: Units, tb_h: float = 0.0) -> dict[str, float]:
    """Units in what the site accounts in, by name.

    Parameters
    ----------
    machine : Machine
        The machine.
    units : Units
        Computing time.
    tb_h : float
        Storage.

    Returns
    -------
    dict of str to float
        Without those that are zero; the same name may stand for several kinds.
    """
    sums: dict[str, float] = {}
    amounts = {"gpu_h": units.gpu_h, "core_h": units.core_h, "tb_h": tb_h}
    for kind, amount in amounts.items():
        if amount:
            currency = machine.currency.get(kind)  # type: ignore[call-overload]
            name, each = (currency.unit, currency.each) if currency else (_OURS[kind], 1.0)
            sums[name] = sums.get(name, 0.0) + amount * each
    return sums
