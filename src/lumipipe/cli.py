"""The command line: exit codes, and one line for each error that a user can mend.

Exit codes: 0 done; 2 the input is wrong; 3 finished, some recordings were left out; 1 a defect.
The commands themselves are in `lumipipe.commands`.
"""

from __future__ import annotations

import sys

import click

from lumipipe import __version__
from lumipipe.commands.crate import crate_command, rerun_command
from lumipipe.commands.files import inspect_command, rata_command
from lumipipe.commands.machine import bench_command, smoke_command
from lumipipe.commands.options import room
from lumipipe.commands.packet import packet_group
from lumipipe.commands.plan import plan_command
from lumipipe.commands.pool import pool_group
from lumipipe.commands.request import request_group
from lumipipe.commands.run import (
    bundle_command,
    cancel_command,
    info_command,
    run_command,
    status_command,
)
from lumipipe.commands.stage import STAGES
from lumipipe.errors import InputError

_COMPUTES = {"dask", "numcodecs", "numpy", "pandas", "pint", "pyarrow", "scipy", "xarray", "zarr"}


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        with room(None):
            code = cli.main(prog_name="lumipipe", standalone_mode=False)
    except InputError as error:
        print(f"lumipipe: {error}", file=sys.stderr)
        code = InputError.exit_code
    except ModuleNotFoundError as error:
        if error.name not in _COMPUTES:
            raise
        told = InputError(
            f"lumipipe {' '.join(sys.argv[1:3])}",
            f"this environment has no {error.name}: it only runs and watches",
            "call the kernel: $LUMIPIPE_KERNEL and the same words (docs/slurm.md)",
        )
        print(f"lumipipe: {told}", file=sys.stderr)
        code = InputError.exit_code
    except click.ClickException as error:
        _show(error)
        code = InputError.exit_code
    except click.Abort:
        code = 130
    sys.exit(code or 0)


def _show(error: click.ClickException) -> None:
    """A wrong command line in one line; where there is none at all, how it is written."""
    text = error.format_message()
    if "\n" in text:
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = "lumipipe" if context is None else context.command_path
    problem = text[:1].lower() + text[1:].rstrip(".")
    print(InputError(path, problem, f"see {path} --help"), file=sys.stderr)


class _InOrder(click.Group):
    """A group that lists its commands in the order in which they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of the commands."""
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lumipipe")
def cli() -> None:
    """Instrument files in; an answer with its uncertainty, a report and a record out."""


for _command in (
    inspect_command,
    request_group,
    run_command,
    status_command,
    cancel_command,
    info_command,
    plan_command,
    *STAGES,
    bundle_command,
    crate_command,
    rerun_command,
    packet_group,
    pool_group,
    rata_command,
    smoke_command,
    bench_command,
):
    cli.add_command(_command)
