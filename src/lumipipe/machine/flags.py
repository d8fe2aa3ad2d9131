"""The flags of a job that no resource of Snakemake has, and what starts its ranks."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lumipipe.machine.binding import cpu_bind

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.machine.facts import Route
    from lumipipe.machine.shape import Shape

BIND = "{bind}"
"""Stands in a launcher for the path of bind.sh until that is known."""

# What every job of lumipipe needs, on any machine. The head process decides what is repeated; a
# job that Slurm starts again by itself would run beside its successor.
_JOB_FLAGS = ("--no-requeue",)
# Without it, ranks wait in a collective for one that has died, until the time limit.
_LAUNCH_FLAGS = ("--kill-on-bad-exit=1",)


def _devices(count: int, kind: str) -> str:
    """The flag for devices of each node."""
    return f"--gpus-per-node={kind}:{count}" if kind else f"--gpus-per-node={count}"


def job_flags(route: Route, shape: Shape, devices: int, kind: str) -> tuple[str, ...]:
    """Flags of sbatch that the executor plugin has no resource for.

    Devices stand here because the plugin turns its own ``gpu`` and ``tasks`` together into
    ``--ntasks-per-gpu``; ranks per node because it takes ``tasks`` or ``tasks_per_node``, and
    Slurm would be free to lay ranks unevenly.
    """
    flags = [*_JOB_FLAGS, *route.job]
    if shape.nodes * shape.ranks_per_node > 1:
        flags.append(f"--ntasks-per-node={shape.ranks_per_node}")
        flags += [_devices(devices, kind)] if devices else []
        flags += route.one_node if shape.nodes == 1 else []
    return tuple(flags)


def launcher(
    launch: str,
    route: Route,
    shape: Shape,
    cores: int,
    devices: int,
    kind: str,
    bind: Path | None,
    *,
    whole: bool,
) -> str:
    """What starts the ranks of the job.

    All is said again, as the jobstep plugin removes the variables that srun would know it from;
    a single rank is started by that plugin.
    """
    each, tasks = shape.ranks_per_node, shape.nodes * shape.ranks_per_node
    words: list[str] = []
    if tasks > 1:
        words += [launch, f"--nodes={shape.nodes}", f"--ntasks={tasks}"]
        words += [f"--cpus-per-task={cores}"]
        words += [_devices(devices, kind)] if devices else []
        words += [*_LAUNCH_FLAGS, f"--cpu-bind={cpu_bind(shape.node, each, whole=whole)}"]
        words += [*route.launch, *(route.launch_devices if devices else ())]
    if devices:  # bind.sh compares the devices that it finds with these
        words += ["env", f"LUMIPIPE_DEVICES={devices}"]
    return " ".join([*map(shlex.quote, words), BIND if bind is None else shlex.quote(str(bind))])
