"""The command line: verbs, exit codes, and one line for each error that a user can mend.

Exit codes: 0 done; 2 the input is wrong; 3 finished, some recordings were left out; 1 a defect.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
import traceback
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from lumipipe import __version__
from lumipipe.commands.crate import crate_command, rerun_command
from lumipipe.commands.packet import packet_group
from lumipipe.commands.pool import pool_group
from lumipipe.errors import DeviceError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lumipipe.comm import Comm
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

_DEFECT = 1
_COMPUTES = {"dask", "numcodecs", "numpy", "pandas", "pint", "pyarrow", "scipy", "xarray", "zarr"}
LEFT_OUT = 3
_NARROWEST = 60  # signs in a line
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
        with _room(None):
            code = cli.main(standalone_mode=False)
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
        error.show()
        code = InputError.exit_code
    except click.Abort:
        code = 130
    sys.exit(code or 0)


@contextmanager
def _room(out: Path | None) -> Iterator[None]:
    """Say in one line that a disk is full: that is nothing that a traceback explains."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        place = str(error.filename or out or "the file system")
        problem = "no space is left, or the quota is used up"
        raise InputError(place, problem, "free some; the same command goes on") from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lumipipe")
def cli() -> None:
    """Instrument files in; an answer with its uncertainty, a report and a record out."""


def _machine_folder(_context: object, option: click.Parameter, name: str | None) -> Path | None:
    """The folder of a machine that was named."""
    from lumipipe.tasks.workflow import profile_folder

    return None if name is None else profile_folder(name, option.opts[0])


_MACHINE = click.option(
    "--machine",
    callback=_machine_folder,
    help="Machine that is to run it: name or folder; this one where absent.",
)


def _placed(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that say where a run computes; they change no number of the answer."""
    for option in (
        click.option("--account", help="Whom the scheduler bills; never guessed."),
        click.option("--ranks", type=click.IntRange(min=1), help="Instead of compute.ranks."),
        click.option("--target", help="Instead of compute.target, such as lumi-small."),
    ):
        command = option(command)
    return command


@cli.command("run")
@REQUEST
@OUT
@click.option("--profile", default="laptop", show_default=True, help="Machine: name or folder.")
@click.option("--kernel", help="Command line of the lumipipe that computes; this one where absent.")
@_placed
def run_command(
    request_file: Path, out: Path | None, profile: str, kernel: str | None, **place: Any
) -> int:
    """Run a request from its files to its report."""
    from lumipipe.tasks.run import Asked, run

    given = {**place, "account": place["account"] or _billed_account()}
    overrides = {name: str(value) for name, value in given.items() if value is not None}
    asked = Asked(request_file, _out(request_file, out), profile, overrides)
    if asked.machine is None:
        _refuse_alone(place, "--profile")
    return run(replace(asked, kernel=kernel) if kernel else asked, _say)


def _refuse_alone(place: Mapping[str, object], option: str) -> None:
    """Refuse what only a machine has a use for."""
    for name in ("target", "account"):
        if place[name] is not None:
            raise InputError(
                f"--{name} {place[name]}", "no machine is named", f"add {option} NAME or FOLDER"
            )


def _billed_account() -> str | None:
    """Whom Slurm bills for the job that this process is in, or would for a new one."""
    return os.environ.get("SLURM_JOB_ACCOUNT") or os.environ.get("SBATCH_ACCOUNT")


@cli.group("request")
def request_group() -> None:
    """Look at a request without running it."""


@request_group.command("check")
@REQUEST
@_MACHINE
def check_command(request_file: Path, machine: Path | None) -> int:
    """Check a request and that its files are there; nothing is written."""
    from lumipipe.readers.files import find_files
    from lumipipe.tasks.before import check_before, check_deadline
    from lumipipe.tasks.deciding import check_terms
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    check_before(loaded, machine)
    check_deadline(loaded)
    decision = check_terms(loaded)
    with placing(loaded):
        for source in loaded.request.data:
            _say(f"  {source.id}: {len(find_files(source, loaded.base))} file(s), {source.format}")
    for line in decision.lines() if decision is not None else ():
        _say(f"  {line}")
    _say(f"{request_file}: the request is well formed ({loaded.family.title})")
    return 0


@request_group.command("quote")
@REQUEST
@OUT
@_MACHINE
@_placed
def quote_command(request_file: Path, out: Path | None, **place: Any) -> int:
    """Say what a run would take and cost, from a sample of its data."""
    from lumipipe.tasks.quoted import quote_request
    from lumipipe.tasks.starting import Place

    if place["machine"] is None:
        _refuse_alone(place, "--machine")
    for line in quote_request(request_file, _out(request_file, out), Place(**place), _say_aside):
        _say(line)
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
@_MACHINE
@click.option("--scaling", is_flag=True, help="Instead, print what more ranks would bring.")
@click.option("--register", is_flag=True, help="Instead, register the plan of evaluation.")
@click.option("--attempt", type=click.IntRange(min=1), default=1, hidden=True)
@click.option("--record", is_flag=True, hidden=True, help="Log what the terms of use permit.")
@_placed
def plan_command(
    request_file: Path,
    out: Path | None,
    *,
    scaling: bool,
    register: bool,
    record: bool,
    **place: Any,
) -> int:
    """Print, as JSON, what each verb depends on, why it has to run, and how it is started."""
    if scaling:
        return _print_scaling(request_file, out, place)
    if register:
        return _register(request_file, out)
    from lumipipe.tasks.before import check_before
    from lumipipe.tasks.deciding import check_terms, record_decision
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.registered import register as register_plan
    from lumipipe.tasks.request import load_request, placing
    from lumipipe.tasks.starting import Place, with_starts

    loaded = load_request(request_file)
    check_before(loaded, place["machine"], place["target"])
    decision = check_terms(loaded, record=record)
    folder = _out(request_file, out).resolve()
    with placing(loaded):
        stages = plan_run(loaded, folder, _say_aside)
    plan = with_starts(loaded, stages, folder, Place(**place), _say_aside)
    if decision is not None:
        if record:
            record_decision(loaded, folder, decision)
        for line in decision.lines():
            _say_aside(line)
    if record:
        register_plan(loaded, stages, folder, _say_aside)
    _say(json.dumps(plan.as_json(), indent=1))
    return 0


def _register(request_file: Path, out: Path | None) -> int:
    """Register the plan of a request, before anything of it runs."""
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.registered import register
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    folder = _out(request_file, out).resolve()
    if not loaded.request.evaluation.plan_signed:
        raise InputError(
            loaded.file.place(("evaluation",)),
            "evaluation.plan_signed is not true, so the request asks for no registered plan",
            "add plan_signed: true",
        )
    _ask_terms(loaded, folder, record=True)
    with placing(loaded):
        register(loaded, plan_run(loaded, folder, _say_aside), folder, _say)
    return 0


def _print_scaling(request_file: Path, out: Path | None, place: dict[str, Any]) -> int:
    """Print what more ranks would bring to a request."""
    from lumipipe.tasks.scaling import scaling_of_request
    from lumipipe.tasks.starting import Place

    folder = _out(request_file, out)
    for line in scaling_of_request(request_file, folder, Place(**place), _say_aside):
        _say(line)
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


_RUN = click.argument("out", metavar="RUN", type=click.Path(path_type=Path))


@cli.command("status")
@_RUN
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object, for programs.")
def status_command(out: Path, *, as_json: bool) -> int:
    """Say where the run in a folder stands, and what to do next; changes nothing."""
    from lumipipe.tasks.status import status

    return status(out, _say, as_json=as_json)


@cli.command("cancel")
@_RUN
def cancel_command(out: Path) -> int:
    """End the run in a folder with all of its jobs; what is finished stays."""
    from lumipipe.tasks.cancel import cancel

    return cancel(out, _say)


@cli.command("bundle")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the bundle; bundle in that of the run where absent.",
)
@click.option("--valid-until", metavar="DATE", help="Last day of the bundle, such as 2027-03-31.")
def bundle_command(run: Path, out: Path | None, valid_until: str | None) -> int:
    """Make a folder of the model of a run that scores new rows with NumPy alone."""
    from lumipipe.tasks.bundle import bundle

    return bundle(run, out, valid_until, _say)


_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Folder on the file system that is to be tried; this one where absent.",
)


@cli.command("smoke")
@click.option("--ranks", type=click.IntRange(min=1), help="How many the world must have.")
@click.option(
    "--devices-per-node",
    type=click.IntRange(min=0),
    default=0,
    help="How many each node must have; none where absent.",
)
@_FOLDER
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
    """Test ranks, devices, messages and files, on all ranks; name the first step that fails."""
    if launcher is not None:
        return _print_launcher(launcher)
    if probe is not None:
        from lumipipe.comm.probe import main as try_device_memory

        try_device_memory(file=str(probe))
        return 0
    from lumipipe.tasks.smoke import smoke
    from lumipipe.tasks.smoke_step import Asked

    return smoke(Asked(devices=asked.pop("devices_per_node"), **asked), _say)


def _print_launcher(machine: Path) -> int:
    """Print what starts the ranks of the job that this process is in."""
    from lumipipe.machine.facts import load_machine
    from lumipipe.tasks.launching import launcher_here

    bind = machine.resolve().parent / "bind.sh"
    for word in launcher_here(load_machine(machine), os.environ, bind):
        _say(word)
    return 0


@cli.command("bench")
@_FOLDER
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("measured.yaml"),
    help="File for the constants, beside the machine's machine.yaml; measured.yaml where absent.",
)
@click.option("--quick", is_flag=True, help="Small and few: to see that it works, not to be kept.")
def bench_command(folder: Path, out: Path, *, quick: bool) -> int:
    """Measure, on all ranks, what a quote has to know of this machine."""
    from lumipipe.tasks.bench import QUICK, Effort, bench

    return bench(folder, out, QUICK if quick else Effort(), _say)


def _pairs(_context: object, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Words NAME=VALUE of an option as a mapping, none twice; keys of a reader may be empty."""
    pairs: dict[str, str] = {}
    for word in given:
        name, sign, value = word.partition("=")
        is_given = bool(value) or option.name == "read"  # thousands= says that there is no mark
        if not (name and sign and is_given) or name in pairs:
            problem = f"{name} is given twice" if name in pairs else "is not NAME=VALUE"
            raise InputError(f"{option.opts[0]} {word}", problem, "write each once as NAME=VALUE")
        pairs[name] = value
    return pairs


def _numbers(context: object, option: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """Words NAME=NUMBER of an option as a mapping."""
    numbers = {}
    for name, text in _pairs(context, option, given).items():
        try:
            numbers[name] = float(text)
        except ValueError as error:
            place = f"{option.opts[0]} {name}={text}"
            raise InputError(place, "is no number", "write NAME=NUMBER with a point") from error
    return numbers


@cli.command("rata")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    metavar="FIELD=NAME",
    multiple=True,
    callback=_pairs,
    help="Column of the file that holds a field; those of the EPA's records are known.",
)
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_pairs,
    help="Key of the reader, as in a request's section read, such as decimal=, (text or JSON).",
)
@click.option(
    "--tolerance",
    "tolerances",
    metavar="FIGURE=NUMBER",
    multiple=True,
    callback=_numbers,
    help="Distance at which a figure still agrees, such as relative_accuracy=0.05.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for audits.csv, audits.parquet and audits.json; nothing is written where absent.",
)
def rata_command(file: Path, **asked: Any) -> int:
    """Recompute filed relative accuracy audits of emission monitors, and say which agree."""
    from lumipipe.tasks.rata import Asked, rata

    return rata(Asked(file, **asked), _say)


@cli.command("inspect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format", "format", metavar="FORMAT", help="Format of all files; told from each where absent."
)
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_pairs,
    help="Key of the reader, as in a request's section read, such as delimiter=; (text or JSON).",
)
@click.option("--family", help="Family of the request's skeleton; proposed where absent.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Trusted certificate, or list of revocations, for signed calibration certificates.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for inspect.html, inspect.json and request.yaml; nothing is written where absent.",
)
def inspect_command(files: tuple[str, ...], **asked: Any) -> int:
    """Say what is in files (streams, rates, units, gaps, faults), and begin a request for them.

    Of a digital calibration certificate (XML) it shows the results and the signature.
    """
    from lumipipe.tasks.inspect import Asked, inspect

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # plots are signs that not every terminal has
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    return inspect(Asked(files, width=width, **asked), _say)


@request_group.command("new")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--family", required=True, help="The analysis, such as monitoring.")
@click.option("--format", "format", metavar="FORMAT", help="Format of all files; told from each.")
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_pairs,
    help="Key of the reader, as in a request's section read, such as delimiter=; (text or JSON).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the request, never overwritten; printed where absent.",
)
def new_command(files: tuple[str, ...], out: Path | None, **asked: Any) -> int:
    """Begin a request: a commented skeleton in which "?" is what only you can know."""
    from lumipipe.tasks.inspect import Asked
    from lumipipe.tasks.new import new

    return new(Asked(files, **asked), out, _say)


cli.add_command(crate_command)
cli.add_command(packet_group)
cli.add_command(pool_group)
cli.add_command(rerun_command)


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
            with _room(out):
                code = _stage(verb, request_file, out, plan, comm, _teller(comm, log))
            if comm.rank == 0:
                _write(log, f"exit {code}: {verb}")
        except InputError as error:
            _leave(comm, InputError.exit_code, str(error), f"lumipipe: {error}", log)
        except DeviceError as error:
            text = f"lumipipe: rank {comm.rank} of {comm.size}: {error}"
            _leave(comm, DeviceError.exit_code, str(error), text, log)
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
    from lumipipe.tasks.access import accounted
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.preflight import check_device
    from lumipipe.tasks.request import load_request, placing

    # One module a verb; those of the others would take a second to import.
    work = getattr(import_module(f"lumipipe.tasks.{verb}"), verb)
    loaded = load_request(request_file)
    folder = _out(request_file, out).resolve()
    if plan is None:  # who made the plan has asked already
        _ask_terms(loaded, folder, record=comm.rank == 0)
    # One thread a rank: sums inside BLAS depend on its number of threads.
    with placing(loaded), threadpool_limits(1):
        stages = _planned(plan, verb, comm.size) if plan else plan_run(loaded, folder, log)
        told = accounted(loaded, stages, verb, folder) if comm.rank == 0 else nullcontext()
        with told:
            if verb == "prepare":
                left_out: int = work(loaded.request, loaded.base, stages[verb], comm, log)
                return LEFT_OUT if left_out else 0
            backend = choose_backend(loaded.request.compute.backend, local_rank())
            if backend.name == "cupy":
                check_device(backend)
            code: int = work(loaded, stages, comm, backend, log)
            return code


def _ask_terms(loaded: Loaded, folder: Path, *, record: bool) -> None:
    """Refuse what cannot be, or the terms of use deny, and record what they permit."""
    from lumipipe.tasks.before import check_before
    from lumipipe.tasks.deciding import check_terms, record_decision

    check_before(loaded)
    decision = check_terms(loaded, record=record)
    if decision is not None and record:
        record_decision(loaded, folder, decision)


def _planned(file: Path, verb: str, ranks: int) -> dict[str, Stage]:
    """The stages of a plan, whose ranks must be those that were started."""
    from lumipipe.tasks.stages import read_plan

    plan = read_plan(file)
    wanted = 1 if verb == "report" else plan.ranks
    # A launcher that does not know the MPI library starts worlds of one rank each.
    if ranks != wanted:
        raise InputError(
            str(file),
            f"{wanted} rank(s) of {verb} were planned and {ranks} started as one world",
            "start as many as planned, with the launcher of this MPI library",
        )
    return plan.stages


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
    with suppress(OSError):  # a full disk must not keep the ranks from ending
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


def _say_aside(line: str) -> None:
    """Print a line where results do not go."""
    print(line, file=sys.stderr, flush=True)


def _out(request_file: Path, out: Path | None) -> Path:
    """The folder of the run: as asked, or named after the request file."""
    return out if out is not None else Path("results") / request_file.stem
