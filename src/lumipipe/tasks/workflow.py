"""The workflow as a process: how Snakemake is started for a plan, and how it ended.

It belongs to the head process of a run; the rules are in ``workflow/``, and what is computed
runs in processes of their own.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lumipipe.errors import InputError
from lumipipe.scheduler.record import JOBS, run_name
from lumipipe.scheduler.unnoticed import Watch
from lumipipe.tasks.stages import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lumipipe.tasks.stages import Plan

PLAN, LOGS, SLURM_LOGS = "plan.json", "logs", "logs/slurm"
# The plugin looks every 180 s at most, and waits up to 60 s for files (slurm/lumi).
LOOK_S, UNNOTICED_S = 60.0, 600.0
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2), Linux
_LAST_LINES = 40
_WELL = {0, 3}  # 3: without what was left out
# What an outer allocation sets for its own steps; a job that inherited it would get other
# resources than it asks for. SLURM_CONF only says where the scheduler is.
_OUTER = ("SLURM_", "SBATCH_", "SRUN_", "PMI_", "PMIX_", "PALS_")
_KEPT = {"SLURM_CONF"}


class Terminated(Exception):  # noqa: N818 - no error: somebody wants the head process to end
    """The head process was told to end while its workflow ran."""


def log_path(out: Path, verb: str) -> Path:
    """Where the log of a verb stands."""
    return out / LOGS / f"{verb}.log"


def workflow_folder() -> Path:
    """The folder with the Snakefile: in a checkout, or in the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "workflow", package.parents[1] / "workflow"):
        if (folder / "Snakefile").is_file():
            return folder
    raise InputError(str(package), "the workflow is not installed", "install lumipipe again")


def profile_folder(profile: str, option: str = "--profile") -> Path:
    """Folder of a profile: one that comes with lumipipe, by its name, or a path to one."""
    workflow = workflow_folder()
    places = [workflow.parent / "config" / "profiles", workflow.parent / "slurm"]
    places.append(workflow / "profiles")
    for place in places:
        if (place / profile).is_dir():
            return place / profile
    if not Path(profile).is_dir():
        known = sorted({f.parent.name for place in places[:2] for f in place.glob("*/*.yaml")})
        raise InputError(
            f"{option} {profile}",
            "there is no such profile",
            f"use {', '.join(known)} or a path to one",
        )
    return Path(profile).resolve()


def machine_folders() -> list[Path]:
    """Folders of the machines that come with lumipipe, by name; none where only the package is."""
    return sorted(
        file.parent for file in (workflow_folder().parent / "slurm").glob("*/machine.yaml")
    )


def run_workflow(plan: Plan, todo: Sequence[str], profile: Path, kernel: str) -> int:
    """The exit code of the workflow; what it and its steps say on stderr goes to its log.

    Parameters
    ----------
    plan : Plan
        How it is to be done; it stands in the folder of the run.
    todo : sequence of str
        The verbs that are to be done; all of them are named, since Snakemake by itself makes no
        model for scores that stand.
    profile : Path
        Folder of the profile.
    kernel : str
        Command line of the lumipipe that computes.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    Terminated
        If this process was told to end; the workflow is gone, its jobs are as they were.
    """
    command = _command(plan, todo, profile, kernel)
    environment = child_environment() | {
        "PATH": f"{workflow_folder() / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LUMIPIPE_JOBS": str(plan.out.resolve() / JOBS),
        "PYTHONNOUSERSITE": "1",
    }
    # A scheduler's jobs outlive Ctrl-C, so it must not reach Snakemake, which would cancel
    # without looking whether that worked: `lumipipe.scheduler.cancelling` does.
    apart = plan.machine is not None
    has_jobs = any(plan.starts[verb].resources for verb in todo)
    with log_path(plan.out, "workflow").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stderr=log,
            start_new_session=apart,
            preexec_fn=_die_with_parent if apart else None,  # noqa: PLW1509 - there are no threads
        )
        with _ended_with_us(process, apart=apart):
            return _code_of_jobs(process, plan.out) if has_jobs else process.wait()


def _die_with_parent() -> None:
    """Have this process killed when its parent is: it would go on submitting jobs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)


def _code_of_jobs(process: subprocess.Popen[bytes], out: Path) -> int:
    """The exit code of a workflow of jobs, which is ended where it misses that they ended."""
    watch = Watch(out)
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=LOOK_S)
        if watch.idle_s() > UNNOTICED_S:
            os.killpg(process.pid, signal.SIGKILL)


def _command(plan: Plan, todo: Sequence[str], profile: Path, kernel: str) -> list[str]:
    """The command line of the workflow."""
    if importlib.util.find_spec("snakemake") is None:
        raise InputError(
            sys.executable, "has no Snakemake", "run it with the head environment (envs/head)"
        )
    logs = (plan.out / SLURM_LOGS).resolve()
    of_jobs = ["--slurm-jobname-prefix", run_name(plan.out), "--slurm-logdir", str(logs)]
    return [
        *(sys.executable, "-m", "snakemake"),
        *(str(plan.stages[verb].manifest) for verb in todo),
        *("--snakefile", str(workflow_folder() / "Snakefile")),
        *("--directory", str(plan.out), "--profile", str(profile)),
        *("--quiet", "all"),
        *(of_jobs if plan.machine else []),
        *("--config", f"plan={plan.out.resolve() / PLAN}", f"lumipipe={kernel}"),
    ]


def child_environment() -> dict[str, str]:
    """The environment of this process without what an outer allocation set for its own steps."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(_OUTER)
    }


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM raise `Terminated`."""

    def terminated(*_: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes], *, apart: bool) -> Iterator[None]:
    """Leave no workflow behind when this process is interrupted or told to end."""
    try:
        yield
    except (KeyboardInterrupt, Terminated):
        if apart:
            # Killed, not asked: asked, it waits for its jobs or cancels them.
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.terminate()
        process.wait()
        raise


def first_failure(out: Path) -> tuple[str, int, str] | None:
    """Verb, exit code and line with which the first failed verb ended, from the logs."""
    for verb in VERBS:
        code, said = last_exit(log_path(out, verb))
        if code is not None and code not in _WELL:
            return verb, code, said
    return None


def last_exit(log: Path) -> tuple[int | None, str]:
    """Exit code that a verb wrote last into its log, and its words where it failed."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    found = re.findall(r"^exit (\d+): (.*)$", text, re.MULTILINE)
    if not found:
        return None, ""
    code, said = int(found[-1][0]), found[-1][1]
    return code, "" if code in _WELL else said


def words_of_failure(out: Path) -> str:
    """What the workflow said and, of the job that Slurm ended last, the end of its log."""
    said = log_path(out, "workflow").read_text("utf-8", "replace")
    logs = (out / SLURM_LOGS).glob("*/*.log")
    for log in sorted(logs, key=lambda path: path.stat().st_mtime)[-1:]:
        lines = log.read_text("utf-8", "replace").splitlines()
        said += "\n".join(["", f"The end of {log}:", *lines[-_LAST_LINES:]])
    return said


def forget_logs(plan: Plan) -> None:
    """Remove the logs of what is to be done, so that they tell of this attempt alone."""
    for stage in plan.stages.values():
        if not stage.is_done:
            log_path(plan.out, stage.verb).unlink(missing_ok=True)
    log_path(plan.out, "workflow").unlink(missing_ok=True)
    shutil.rmtree(plan.out / ".snakemake" / "incomplete", ignore_errors=True)
