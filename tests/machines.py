"""The machines of this checkout, and a short way to derive a job on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumipipe.machine.facts import load_machine
from lumipipe.machine.resources import derive

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine
    from lumipipe.machine.resources import Block

SLURM = Path(__file__).resolve().parents[1] / "slurm"
MACHINES = {
    path.parent.name: load_machine(path.parent) for path in sorted(SLURM.glob("*/machine.yaml"))
}
PARTITIONS = [
    (machine, name)
    for machine in MACHINES.values()
    for name, partition in machine.partitions.items()
    if partition.use != "attended"
]


def account_of(machine: Machine) -> str:
    """A name that the machine takes; nothing in the repository names an account."""
    names = (f"project_{'0' * digits}" for digits in range(1, 20))
    return next(name for name in names if re.fullmatch(machine.account.pattern, name))


def derived(machine: Machine, target: str, ranks: int, **asked: Any) -> Block:
    """`derive` with what most tests ask for."""
    usual = {
        "verb": "train",
        "minutes": 15,
        "memory_mib_per_rank": None,
        "account": account_of(machine),
        "needs_device": None,
        "place": "request.yaml:7",
    }
    return derive(machine, target=target, ranks=ranks, **usual | asked)
