"""The command line: verbs, exit codes, and one line for each error that a user can mend.

Exit codes: 0 done; 2 the input is wrong; 3 finished, some recordings were left out; 1 a defect.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from lumipipe import __version__
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm import Comm

_DEFECT = 1
LEFT_OUT = 3
_TO_BE_HEARD_S = 0.5  # a launcher may drop what a rank says right before it ends all ranks

REQUEST = click.argument("request_file", metavar="REQUEST", type=click.Path(path_type=Path))
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run; results/NAME of the request file where absent.",
)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except InputError as error:
        print(f"lumipipe: {error}", file=sys.stderr)
        code = InputError.exit_code
    except click.ClickException as error:
        error.show()
        code = InputError.exit_code
    except click.Abort:
        code = 130
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lumipipe")
def cli() -> None:
    """Instrument files in; an answer with its uncertainty, a report and a record out."""


@cli.command("run")
@REQUEST
@OUT
@click.option("--profile", default="laptop", show_default=True, help="Where it runs.")
def run_command(request_file: Path, out: Path | None, profile: str) -> int:
    """Run a request from its files to its report."""
    from lumipipe.tasks.run import run

    return run(request_file, _out(request_file, out), profile, _say)


@cli.group("request")
def request_group() -> None:
    """Look at a request without running it."""


@request_group.command("check")
@REQUEST
def check_command(request_file: Path) -> int:
    """Check a request and that its files are there; nothing is written."""
    from lumipipe.readers.files import find_files
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    with placing(loaded):
        for source in loaded.request.data:
            _say(f"  {source.id}: {len(find_files(source, loaded.base))} file(s), {source.format}")
    _say(f"{request_file}: the request is well formed ({loaded.family.title})")
    return 0


@request_group.command("schema")
def schema_command() -> int:
    """Print the JSON schema of a request."""
    from lumipipe.tasks.request import request_schema

    _say(json.dumps(request_schema(), indent=2, sort_keys=True))
    return 0


@cli.command("plan")
@REQUEST
@OUT
def plan_command(request_file: Path, out: Path | None) -> int:
    """Print, as JSON, what each verb depends on and why it has to run."""
    from lumipipe.tasks.plan import plan_json, plan_run
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    folder = _out(request_file, out).resolve()
    with placing(loaded):
        stages = plan_run(loaded, folder, lambda line: print(line, file=sys.stderr))
    ranks = loaded.request.compute.ranks
    _say(json.dumps(plan_json(stages, request_file.resolve(), folder, ranks), indent=1))
    return 0


@cli.command("info")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--checksums", is_flag=True, help="Compare the digest of every file.")
def info_command(path: Path, *, checksums: bool) -> int:
    """Say what a manifest or the folder of a run holds, and whether it is whole."""
    from lumipipe.tasks.info import info

    for line in info(path, checksums=checksums):
        _say(line)
    return 0


def _verb(verb: str, text: str) -> None:
    """Add a verb that runs one stage, on one rank or under an MPI launcher."""

    @cli.command(verb, help=text)
    @REQUEST
    @OUT
    @click.option("--plan", type=click.Path(path_type=Path), help="Plan of the run, as JSON.")
    @click.option("--log", "log_file", type=click.Path(path_type=Path), help="Also log here.")
    def command(
        request_file: Path, out: Path | None, plan: Path | None, log_file: Path | None
    ) -> int:
        return _run_verb(verb, request_file, out, plan, log_file)


_verb("prepare", "Turn the raw files of a request into a dataset.")
_verb("train", "Fit the model of a request on its dataset.")
_verb("score", "Test the model of a request and judge.")
_verb("report", "Write the report of a request.")


def _run_verb(
    verb: str, request_file: Path, out: Path | None, plan: Path | None, log_file: Path | None
) -> int:
    """Run one verb on all ranks; an error on one of them ends them all."""
    from lumipipe.comm import world

    comm = world()
    if log_file is not None and comm.rank == 0:
        log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a", encoding="utf-8") if log_file else nullcontext(None) as log:
        try:
            code = _stage(verb, request_file, out, plan, comm, _teller(comm, log))
            if comm.rank == 0:
                _write(log, f"exit {code}: {verb}")
        except InputError as error:
            _leave(comm, InputError.exit_code, str(error), f"lumipipe: {error}", log)
        except Exception as error:  # noqa: BLE001  # a defect: shown whole, ends all ranks
            text = f"rank {comm.rank} of {comm.size}, {verb}:\n{traceback.format_exc()}"
            _leave(comm, _DEFECT, repr(error), text, log)
    return code


def _stage(
    verb: str,
    request_file: Path,
    out: Path | None,
    plan: Path | None,
    comm: Comm,
    log: Callable[[str], None],
) -> int:
    """The exit code of a verb."""
    from threadpoolctl import threadpool_limits

    from lumipipe.backend import choose_backend
    from lumipipe.comm.launch import local_rank
    from lumipipe.tasks.plan import plan_run, read_plan
    from lumipipe.tasks.request import load_request, placing

    # One module a verb; those of the others would take a second to import.
    work = getattr(import_module(f"lumipipe.tasks.{verb}"), verb)
    loaded = load_request(request_file)
    folder = _out(request_file, out).resolve()
    # One thread a rank: sums inside BLAS depend on its number of threads.
    with placing(loaded), threadpool_limits(1):
        stages = read_plan(plan) if plan else plan_run(loaded, folder, log)
        if verb == "prepare":
            left_out: int = work(loaded.request, loaded.base, stages[verb], comm, log)
            return LEFT_OUT if left_out else 0
        backend = choose_backend(loaded.request.compute.backend, local_rank())
        code: int = work(loaded, stages, comm, backend, log)
        return code


def _teller(comm: Comm, log: TextIO | None) -> Callable[[str], None]:
    """A function that tells a line of progress on the terminal and in the log."""

    def tell(line: str) -> None:
        if comm.rank == 0 or line.startswith("rank "):
            _say(line)
            _write(log, line)

    return tell


def _leave(comm: Comm, code: int, line: str, text: str, log: TextIO | None) -> None:
    """Say what went wrong and end all ranks with `code`."""
    if comm.rank:
        # All ranks may have met the same error; then rank 0 speaks, and ends the others here.
        time.sleep(2 * _TO_BE_HEARD_S)
    print(text, file=sys.stderr, flush=True)
    _write(log, f"{text}\nexit {code}: {' '.join(line.split())}")
    if comm.size > 1:
        time.sleep(_TO_BE_HEARD_S)
    comm.abort(code)


def _write(log: TextIO | None, line: str) -> None:
    """Write a line to the log, at once."""
    if log is not None:
        log.write(f"{line}\n")
        log.flush()


def _say(line: str) -> None:
    """Print a line, at once."""
    print(line, flush=True)


def _out(request_file: Path, out: Path | None) -> Path:
    """The folder of the run: as asked, or named after the request file."""
    return out if out is not None else Path("results") / request_file.stem
