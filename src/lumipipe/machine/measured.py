"""What was measured of a machine, and what is assumed where nothing was.

``measured.yaml`` beside ``machine.yaml`` holds what `lumipipe bench` found there. Each number
that a quote takes from elsewhere says so, with its source and a range. What is computed from
the constants is in `lumipipe.machine.performance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, ValidationError

from lumipipe.config import PositiveFloat, Settings, Text
from lumipipe.errors import InputError
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE = "measured.yaml"
_UNSURE = 0.3  # share by which one measurement may be off where its repeats are not given

Name: TypeAlias = Literal[
    "start_s",
    "start_mpi_s",
    "job_s",
    "read_raw_bytes_s",
    "read_store_bytes_s",
    "write_store_bytes_s",
    "storage_bytes_s",
    "flops_s",
    "gpu_flops_s",
    "latency_s",
    "message_bytes_s",
]
RATES = frozenset(
    {
        "read_raw_bytes_s",
        "read_store_bytes_s",
        "write_store_bytes_s",
        "storage_bytes_s",
        "flops_s",
        "gpu_flops_s",
        "message_bytes_s",
    }
)
"""Constants of which more is better; of the others, seconds, less is."""


class Entry(Settings):
    """One constant as it was measured in one place."""

    constant: Name
    """What was measured."""
    value: PositiveFloat
    """The median of the repeats, in the unit that the name tells."""
    low: PositiveFloat | None = None
    """Least of the repeats."""
    high: PositiveFloat | None = None
    """Largest of the repeats."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often it was measured."""
    partition: Text | None = None
    """Partition on which it was measured."""
    nodes: Annotated[int, Field(ge=1)] = 1
    """Nodes that took part."""
    ranks: Annotated[int, Field(ge=1)] = 1
    """Ranks that took part."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Day of the measurement, UTC."""
    versions: dict[str, str] = {}
    """Version of each package that took part."""
    how: Text
    """What was run, in one sentence."""


class Measured(Settings):
    """The file ``measured.yaml`` of a machine."""

    machine: Text
    """Name of the machine, as in its ``machine.yaml``."""
    measured: list[Entry]
    """What was measured; a later entry replaces an earlier one."""


@dataclass(frozen=True)
class Constant:
    """A number of the performance model with its range and where it comes from.

    Parameters
    ----------
    name : str
        Its name, with the unit.
    value, low, high : float
        What is expected, and the range.
    source : str
        When and how it was measured, or why it is assumed.
    is_measured : bool
        Whether it was measured on the machine that the model is about.
    """

    name: str
    value: float
    low: float
    high: float
    source: str
    is_measured: bool

    def at(self, luck: int) -> float:
        """The number where all goes as expected (0), as well (1) or as badly (-1) as it may."""
        if not luck:
            return self.value
        return self.high if (luck > 0) == (self.name in RATES) else self.low


def _assumed(name: str, value: float, low: float, high: float, source: str) -> Constant:
    return Constant(name, value, low, high, source, is_measured=False)


_OST = (
    "one storage target of LUMI-P as measured by its training material (203-Lustre.md, 2026-04): "
    "161 MB/s, where a file lies on one; LUMI-F: 1,710 MB/s"
)
ASSUMED: Mapping[str, Constant] = {
    item.name: item
    for item in (
        _assumed(
            "start_s", 3.0, 1.0, 30.0, "1.3 to 3.8 s on a local disk of two cores, 2026-11-25"
        ),
        _assumed("start_mpi_s", 4.0, 1.5, 60.0, "0.3 s above one rank on a local disk, 2026-11-25"),
        _assumed(
            "job_s", 4.0, 3.0, 15.0, "two starts of Snakemake 9.27 of 2 s each, Slurm on two cores"
        ),
        _assumed("read_raw_bytes_s", 161e6, 80e6, 1.71e9, _OST),
        _assumed("read_store_bytes_s", 161e6, 80e6, 1.71e9, _OST),
        _assumed("write_store_bytes_s", 161e6, 80e6, 1.71e9, _OST),
        _assumed("storage_bytes_s", 5.15e9, 2.5e9, 240e9, f"32 times {_OST}; the peak is 240 GB/s"),
        _assumed("latency_s", 1e-5, 2e-6, 1e-4, "two ranks of one machine: 4 us, and Python"),
        _assumed(
            "message_bytes_s",
            22.0e9,
            1.3e9,
            24e9,
            "mpi4py between two nodes of LUMI, 4 MiB from host memory: 22.0 GB/s "
            "(lumi-reframe-tests check_mpi4py.py); 64 MiB on two cores: 1.3 GB/s",
        ),
    )
}
"""What stands in where a machine was not measured."""


def load_measured(folder: Path, machine: str) -> tuple[Entry, ...]:
    """What was measured of a machine.

    Parameters
    ----------
    folder : Path
        Folder of the machine.
    machine : str
        Its name.

    Returns
    -------
    tuple of Entry
        Empty where nothing was measured.

    Raises
    ------
    InputError
        If the file has an unknown constant or key, or is about another machine.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    file = read_yaml(path)
    try:
        found = Measured.model_validate(file.content)
    except ValidationError as error:
        raise input_error(file, error, Measured) from error
    if found.machine != machine:
        raise InputError(
            file.place(("machine",)),
            f"these are constants of {found.machine}, not of {machine}",
            "measure here: lumipipe bench",
        )
    return tuple(found.measured)


def constant_of(
    entries: Sequence[Entry], name: str, partitions: Sequence[str], ranks: int = 1
) -> Constant | None:
    """A constant as it was measured, nearest to where a job runs.

    Parameters
    ----------
    entries : sequence of Entry
        What was measured.
    name : str
        The constant.
    partitions : sequence of str
        The partition of the job first, then others with the same nodes.
    ranks : int
        Ranks of the job; of several measurements that with the nearest number is taken.

    Returns
    -------
    Constant or None
        None where it was not measured and nothing is assumed of it.
    """
    known = [(number, entry) for number, entry in enumerate(entries) if entry.constant == name]
    if not known:
        return ASSUMED.get(name)

    def farness(item: tuple[int, Entry]) -> tuple[int, float, int]:
        number, entry = item
        place = partitions.index(entry.partition) if entry.partition in partitions else 99
        return place, abs(log2(entry.ranks) - log2(ranks)), -number

    _, entry = min(known, key=farness)
    where = f" on {entry.partition}" if entry.partition else ""
    return Constant(
        name,
        entry.value,
        entry.low or entry.value * (1 - _UNSURE),
        entry.high or entry.value * (1 + _UNSURE),
        f"measured {entry.date}{where}, {entry.ranks} rank(s): {entry.how}",
        is_measured=True,
    )
