"""``lumipipe run`` and what is asked of a run: its state, its files, its end, its bundle."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lumipipe.commands.options import OUT, REQUEST, RUN, folder_of, placed, refuse_alone, say


@click.command("run")
@REQUEST
@OUT
@click.option("--profile", default="laptop", show_default=True, help="Machine: name or folder.")
@click.option("--kernel", help="Command line of the lumipipe that computes; this one where absent.")
@placed
def run_command(
    request_file: Path, out: Path | None, profile: str, kernel: str | None, **place: Any
) -> int:
    """Run a request from its files to its report."""
    from lumipipe.tasks.run import Asked, run

    given = {**place, "account": place["account"] or _billed_account()}
    overrides = {name: str(value) for name, value in given.items() if value is not None}
    asked = Asked(request_file, folder_of(request_file, out), profile, overrides)
    if asked.machine is None:
        refuse_alone(place, "--profile")
    return run(replace(asked, kernel=kernel) if kernel else asked, say)


def _billed_account() -> str | None:
    """Whom Slurm bills for the job that this process is in, or would for a new one."""
    return os.environ.get("SLURM_JOB_ACCOUNT") or os.environ.get("SBATCH_ACCOUNT")


@click.command("info")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--checksums", is_flag=True, help="Compare the digest of every file.")
def info_command(path: Path, *, checksums: bool) -> int:
    """Say what a run or a product holds, and if it is whole."""
    from lumipipe.tasks.info import info

    for line in info(path, checksums=checksums):
        say(line)
    return 0


@click.command("status")
@RUN
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object, for programs.")
def status_command(out: Path, *, as_json: bool) -> int:
    """Say where a run stands, and what to do next."""
    from lumipipe.tasks.status import status

    return status(out, say, as_json=as_json)


@click.command("cancel")
@RUN
def cancel_command(out: Path) -> int:
    """End a run with all of its jobs; what is finished stays."""
    from lumipipe.tasks.cancel import cancel

    return cancel(out, say)


@click.command("bundle")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the bundle; bundle in that of the run where absent.",
)
@click.option("--valid-until", metavar="DATE", help="Last day of the bundle, such as 2027-03-31.")
def bundle_command(run: Path, out: Path | None, valid_until: str | None) -> int:
    """Write the model of a run for scoring with NumPy alone."""
    from lumipipe.tasks.bundle import bundle

    return bundle(run, out, valid_until, say)
