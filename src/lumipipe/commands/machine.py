"""``lumipipe smoke`` and ``lumipipe bench``: what a machine does, before it is trusted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from lumipipe.commands.options import FOLDER, say


@click.command("smoke")
@click.option("--ranks", type=click.IntRange(min=1), help="How many the world must have.")
@click.option(
    "--devices-per-node",
    type=click.IntRange(min=0),
    default=0,
    help="How many each node must have; none where absent.",
)
@FOLDER
@click.option("--gpu-aware", is_flag=True, help="Fail if MPI does not take device memory.")
@click.option(
    "--probe",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only try device memory in MPI, on all ranks; may crash, writes this file if it works.",
)
@click.option(
    "--probed",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file of --probe, of the same ranks.",
)
@click.option(
    "--json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write all that was found into this file.",
)
@click.option(
    "--launcher",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Only print what starts the ranks of this job, a word a line; folder of the machine.",
)
def smoke_command(probe: Path | None, launcher: Path | None, **asked: Any) -> int:
    """Test ranks, devices, messages and files of a machine.

    Runs on all ranks and names the first step that fails.
    """
    if launcher is not None:
        return _print_launcher(launcher)
    if probe is not None:
        from lumipipe.comm.probe import main as try_device_memory

        try_device_memory(file=str(probe))
        return 0
    from lumipipe.tasks.smoke import smoke
    from lumipipe.tasks.smoke_step import Asked

    return smoke(Asked(devices=asked.pop("devices_per_node"), **asked), say)


def _print_launcher(machine: Path) -> int:
    """Print what starts the ranks of the job that this process is in."""
    from lumipipe.machine.facts import load_machine
    from lumipipe.tasks.launching import launcher_here

    bind = machine.resolve().parent / "bind.sh"
    for word in launcher_here(load_machine(machine), os.environ, bind):
        say(word)
    return 0


@click.command("bench")
@FOLDER
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("measured.yaml"),
    help="File for the constants, beside the machine's machine.yaml; measured.yaml where absent.",
)
@click.option("--quick", is_flag=True, help="Small and few: to see that it works, not to be kept.")
def bench_command(folder: Path, out: Path, *, quick: bool) -> int:
    """Measure what a quote has to know of this machine."""
    from lumipipe.tasks.bench import QUICK, Effort, bench

    return bench(folder, out, QUICK if quick else Effort(), say)
