"""What a step of the smoke test is given and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.backend import Backend
    from lumipipe.comm import Comm
    from lumipipe.comm.probe import Answer


class Asked(NamedTuple):
    """What the smoke test is to find.

    Parameters
    ----------
    folder : Path
        Folder on the file system that is to be tried.
    ranks : int, optional
        Ranks of the world; as many as the launcher says it started where absent.
    devices : int
        Devices of each node; 0 on nodes that compute on the host.
    gpu_aware : bool
        Whether it is a failure if MPI does not take device memory.
    probed : Path, optional
        What `lumipipe.comm.probe` wrote on all ranks together; else one process a node tries.
    json : Path, optional
        File for all that was found.
    """

    folder: Path
    ranks: int | None = None
    devices: int = 0
    gpu_aware: bool = False
    probed: Path | None = None
    json: Path | None = None


@dataclass(frozen=True)
class Site:
    """What the steps share on one rank.

    Parameters
    ----------
    asked : Asked
        What is to be found.
    comm : Comm
        All ranks.
    backend : Backend, optional
        Array library and device; None where the device that was asked for is not there.
    problem : str
        Why it is not.
    alone : Answer, optional
        What the probe of this node said, on the first rank of a node with devices.
    """

    asked: Asked
    comm: Comm
    backend: Backend | None
    problem: str = ""
    alone: Answer | None = None


@dataclass(frozen=True)
class Told:
    """What a step found: lines for people, values for the record; a problem if it failed."""

    lines: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
