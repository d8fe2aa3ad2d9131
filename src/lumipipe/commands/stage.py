"""``lumipipe prepare``, ``train``, ``score`` and ``report``: one stage, on all ranks."""

from __future__ import annotations

import traceback
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from lumipipe.commands.options import OUT, REQUEST, folder_of, room, say, say_aside
from lumipipe.errors import DeviceError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm import Comm
    from lumipipe.tasks.stages import Stage

_DEFECT, _LEFT_OUT = 1, 3


def _verb(verb: str, text: str) -> click.Command:
    """A verb that runs one stage, on one rank or under an MPI launcher."""

    @click.command(verb, help=text)
    @REQUEST
    @OUT
    @click.option("--plan", type=click.Path(path_type=Path), help="Plan of the run, as JSON.")
    @click.option("--log", "log_file", type=click.Path(path_type=Path), help="Also log here.")
    def command(
        request_file: Path, out: Path | None, plan: Path | None, log_file: Path | None
    ) -> int:
        return _run_verb(verb, request_file, out, plan, log_file)

    return command


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
            with room(out):
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
    from lumipipe.tasks.before import ask_terms
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.preflight import check_device
    from lumipipe.tasks.request import load_request, placing

    # One module a verb; those of the others would take a second to import.
    work = getattr(import_module(f"lumipipe.tasks.{verb}"), verb)
    loaded = load_request(request_file)
    folder = folder_of(request_file, out).resolve()
    if plan is None:  # who made the plan has asked already
        ask_terms(loaded, folder, record=comm.rank == 0)
    # One thread a rank: sums inside BLAS depend on its number of threads.
    with placing(loaded), threadpool_limits(1):
        stages = _planned(plan, verb, comm.size) if plan else plan_run(loaded, folder, log)
        told = accounted(loaded, stages, verb, folder) if comm.rank == 0 else nullcontext()
        with told:
            if verb == "prepare":
                left_out: int = work(loaded.request, loaded.base, stages[verb], comm, log)
                return _LEFT_OUT if left_out else 0
            backend = choose_backend(loaded.request.compute.backend, local_rank())
            if backend.name == "cupy":
                check_device(backend)
            code: int = work(loaded, stages, comm, backend, log)
            return code


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
            say(line)
            _write(log, line)

    return tell


def _leave(comm: Comm, code: int, line: str, text: str, log: TextIO | None) -> None:
    """Say what went wrong and end all ranks with `code`."""
    from lumipipe.tasks.together import end_all

    def say_why(text: str) -> None:
        say_aside(text)
        with suppress(OSError):  # a full disk must not keep the ranks from ending
            _write(log, f"{text}\nexit {code}: {' '.join(line.split())}")

    end_all(comm, code, text, say_why)


def _write(log: TextIO | None, line: str) -> None:
    """Write a line to the log, at once."""
    if log is not None:
        log.write(f"{line}\n")
        log.flush()


STAGES = (
    _verb("prepare", "Turn the raw files of a request into a dataset."),
    _verb("train", "Fit the model of a request on its dataset."),
    _verb("score", "Test the model of a request and judge."),
    _verb("report", "Write the report of a request."),
)
"""The verbs, in the order of a run."""
