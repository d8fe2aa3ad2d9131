"""How ranks are started in the job that this process is in, by the rules for any job."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.machine.flags import launcher
from lumipipe.machine.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lumipipe.machine.facts import Machine

_NEEDED = ("SLURM_JOB_PARTITION", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK")


def launcher_here(machine: Machine, variables: Mapping[str, str], bind: Path) -> list[str]:
    """The words that start the ranks of the job that Slurm's variables tell of.

    Parameters
    ----------
    machine : Machine
        The machine.
    variables : mapping of str to str
        The environment of the job's script.
    bind : Path
        The script bind.sh.

    Returns
    -------
    list of str
        What stands before a command of each rank; the same that a run's own jobs get.

    Raises
    ------
    InputError
        If the job is none, or its partition is unknown; name its ranks and cores for sbatch.
    """
    missing = [name for name in _NEEDED if not variables.get(name)]
    if missing:
        raise InputError(
            "this job",
            f"Slurm has not set {', '.join(missing)}",
            "submit by sbatch, with --nodes, --ntasks-per-node and --cpus-per-task",
        )
    partition, nodes, tasks, cores = (variables[name] for name in _NEEDED)
    if partition not in machine.partitions:
        raise InputError(
            "this job",
            f"{machine.title} has no partition {partition}",
            f"use one of {', '.join(machine.partitions)}",
        )
    each, rest = divmod(int(tasks), int(nodes))
    if rest:
        raise InputError(
            "this job", f"{tasks} ranks on {nodes} nodes", "give each node as many (-N, -n)"
        )
    node = machine.node_kinds(partition)[0]
    whole = machine.partitions[partition].whole_nodes or each * int(cores) == node.cores
    line = launcher(
        machine.launch,
        machine.routes[machine.route],
        Shape(node, int(nodes), each),
        int(cores),
        int(variables.get("SLURM_GPUS_ON_NODE") or 0),
        node.device_type or "",
        bind,
        whole=whole,
    )
    words = shlex.split(line)
    # Where a single rank is Snakemake's to start, nobody starts it here.
    return words if int(tasks) > 1 else [machine.launch, "--nodes=1", "--ntasks=1", *words]
