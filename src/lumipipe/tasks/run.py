"""The user's one command: check the request, plan, run the workflow, say what came out.

This is the head process. It computes nothing and needs no numeric library: plan and stages
come from the command line of the environment that computes (the *kernel*), which may be
another Python or a container. What Slurm is asked is in `lumipipe.scheduler`.
"""

from __future__ import annotations

import fcntl
import json
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.machine.facts import load_machine
from lumipipe.machine.limits import check_job_caps
from lumipipe.scheduler.accounting import write_accounting
from lumipipe.scheduler.head import LOCK, record_head
from lumipipe.scheduler.queue import jobs_named
from lumipipe.scheduler.record import submissions
from lumipipe.scheduler.waiting import wait_for_live_jobs
from lumipipe.store.files import missing_folders, remove_empty, write_json
from lumipipe.store.manifest import is_published
from lumipipe.tasks.attempts import Attempts, Cancelled
from lumipipe.tasks.cancel import cancel
from lumipipe.tasks.shown import is_shown, show, shown_first
from lumipipe.tasks.stages import VERBS, drop_damaged, plan_from_json
from lumipipe.tasks.workflow import (
    LOGS,
    PLAN,
    Terminated,
    child_environment,
    first_failure,
    forget_logs,
    profile_folder,
    run_workflow,
    terminable,
    words_of_failure,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.tasks.stages import Plan

    Log = Callable[[str], None]

INTERRUPTED, TERMINATED = 130, 143
# One of these is in each folder that a run, a quote or a registered plan has begun.
_OF_A_RUN = {*VERBS, PLAN, LOGS, "decisions.jsonl", "quote.json", "registered"}
_PLUGIN = "snakemake_executor_plugin_slurm"
_VERDICTS = {
    "supported": "SUPPORTED by the data",
    "not_supported": "NOT SUPPORTED by the data",
    "inconclusive": "INCONCLUSIVE",
}


@dataclass(frozen=True)
class Asked:
    """What the user asked for on the command line.

    Parameters
    ----------
    request : Path
        The YAML file.
    out : Path
        Folder of the run.
    profile : str
        Name of a profile that comes with lumipipe, or a path to one.
    overrides : dict of str to str
        Settings of the request's section ``compute`` that hold for this run: target, ranks,
        account.
    kernel : str
        Command line of the lumipipe that computes.
    """

    request: Path
    out: Path
    profile: str = "laptop"
    overrides: dict[str, str] = field(default_factory=dict)
    kernel: str = f"{shlex.quote(sys.executable)} -m lumipipe"

    @property
    def machine(self) -> Path | None:
        """Folder of the machine whose scheduler runs the jobs; None where there is none."""
        folder = profile_folder(self.profile)
        return folder if (folder / "machine.yaml").is_file() else None


class _Kernel(Exception):  # noqa: N818 - the kernel has said what is wrong; this carries its code
    """The kernel environment refused or failed."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run(asked: Asked, log: Log) -> int:
    """Run a request from its files to its report.

    Parameters
    ----------
    asked : Asked
        What the user asked for.
    log : callable of str
        Progress.

    Returns
    -------
    int
        0; 3 when recordings were left out; 130 or 143 when it was interrupted or told to end;
        another code after a defect, which was shown.

    Raises
    ------
    InputError
        If the request or its data are wrong; a folder that this run made is removed again.
    """
    try:
        with terminable():
            return _run(asked, log)
    except _Kernel as refused:
        return refused.code
    except Terminated:
        return _detached(asked, log)
    except KeyboardInterrupt:
        return _interrupted(asked, log)
    except Cancelled as job:
        log(f"job {job} was cancelled, not by this command; nothing more is submitted")
        log("the same command goes on where it was")
        return INTERRUPTED


def _run(asked: Asked, log: Log) -> int:
    """What `run` returns, where nobody interrupts it."""
    if asked.machine is not None and find_spec(_PLUGIN) is None:
        raise InputError(
            f"--profile {asked.profile}",
            f"this environment has no {_PLUGIN.replace('_', '-')}",
            "use that of the head process (envs/README.md)",
        )
    made = _checked_folder(asked)
    plan = _plan(asked, log, record=True)
    log(f"{asked.request}: the request is well formed ({plan.title})")
    for stage in plan.stages.values():
        log(f"  {stage.verb:8s}{stage.reason}")
    if all(stage.is_done for stage in plan.stages.values()):
        log("everything is done; nothing runs")
    else:
        plan, code = _bring_to_end(asked, plan, made, log)
        if code:
            return code
    return _summary(asked.out, plan, log)


def _checked_folder(asked: Asked) -> list[Path]:
    """The folders that the run will make; none of them is there yet, all of them can be."""
    out = asked.out
    made = missing_folders(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = {path.name for path in out.iterdir()} - {asked.request.name}
    except OSError as error:
        raise InputError(
            str(out), f"cannot be used ({error.strerror})", "name a folder where you may write"
        ) from error
    finally:
        remove_empty(made)
    if found and found.isdisjoint(_OF_A_RUN):
        raise InputError(
            str(out),
            f"holds what is of no run, such as {min(found)}",
            "name a new folder, or an empty one",
        )
    return made


def _plan(asked: Asked, log: Log, attempt: int = 1, *, record: bool = False) -> Plan:
    """The plan that the kernel makes; what it says goes where ours goes.

    The first time it also records what the terms of use permit.
    """
    options = [f"--{name}={value}" for name, value in asked.overrides.items()]
    if asked.machine is not None:
        options += [f"--machine={asked.machine}", f"--attempt={attempt}"]
    if record:
        options.append("--record")
    words = ["plan", str(asked.request), "--out", str(asked.out.resolve()), *options]
    command = [*shlex.split(asked.kernel), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=child_environment()
    )
    if done.returncode:
        print(done.stderr, end="", file=sys.stderr)
        raise _Kernel(done.returncode)
    for said in done.stderr.splitlines():
        log(said)
    return plan_from_json(json.loads(done.stdout))


def _bring_to_end(asked: Asked, plan: Plan, made: list[Path], log: Log) -> tuple[Plan, int]:
    """The plan that was carried out, and 0; or the code of what failed in it.

    A job that was lost is tried once more.
    """
    _refuse_second_run(asked.out)
    if asked.machine is not None and not submissions(asked.out):
        try:
            _check_caps(asked.machine, plan)
        except InputError:
            _drop_if_empty_handed(asked.out, made)
            raise
    asked.out.mkdir(parents=True, exist_ok=True)
    record_head(asked.out)
    attempts = Attempts(asked.out)
    while True:
        if asked.machine is not None:
            plan = _settled(asked, plan, attempts.number, log)
        drop_damaged(plan.stages)
        (asked.out / LOGS).mkdir(exist_ok=True)
        write_json(asked.out / PLAN, plan.as_json())
        forget_logs(plan)
        attempts.begin()
        code = _carried_out(asked, plan)
        if all(is_published(stage.manifest) for stage in plan.stages.values()):
            return plan, 0
        failure = first_failure(asked.out)
        if asked.machine is None or failure is not None or not attempts.is_due(plan, code, log):
            return plan, _failed(asked.out, failure, code, made)


def _carried_out(asked: Asked, plan: Plan) -> int:
    """The exit code of the workflow; jobs are done, and their cost known, before the report."""
    profile = profile_folder(asked.profile)
    todo = [verb for verb, stage in plan.stages.items() if not stage.is_done]
    if plan.machine is None:
        return run_workflow(plan, todo, profile, asked.kernel)
    jobs = [verb for verb in todo if verb != "report"]
    if jobs and (code := run_workflow(plan, jobs, profile, asked.kernel)):
        return code
    write_accounting(asked.out)
    return run_workflow(plan, ["report"], profile, asked.kernel)


def _settled(asked: Asked, plan: Plan, attempt: int, log: Log) -> Plan:
    """The plan when no job of an earlier head process of this folder lives any more."""
    if not submissions(asked.out):
        return plan
    stages = plan.stages
    wait_for_live_jobs(
        asked.out,
        log,
        is_done=lambda verb: verb in stages and is_published(stages[verb].manifest),
    )
    return _plan(asked, log, attempt)


def _check_caps(folder: Path, plan: Plan) -> None:
    """Refuse what a user's cap of jobs in a partition has no room for; jobs come one at a time."""
    machine, mine = load_machine(folder), jobs_named("")
    todo = [plan.starts[verb].resources for verb, stage in plan.stages.items() if not stage.is_done]
    for name in {str(asks["slurm_partition"]) for asks in todo if asks}:
        # Where Slurm is silent nothing is known of the cap; sbatch refuses by itself.
        queued = sum(job.is_live and job.partition == name for job in mine or ())
        check_job_caps(machine, name, 1, queued, f"{plan.request}: compute.target")


def _refuse_second_run(out: Path) -> None:
    """Refuse a folder whose lock another run holds; the workflow takes it when it starts."""
    with suppress(FileNotFoundError), (out / LOCK).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                str(out), "another run writes to this folder", "wait for it or end it"
            ) from error


def _failed(out: Path, failure: tuple[str, int, str] | None, code: int, made: list[Path]) -> int:
    """Raise what the user must mend; a defect is shown whole, and its exit code returned."""
    if failure is None or failure[1] != InputError.exit_code:
        print(words_of_failure(out), file=sys.stderr)
        print(f"lumipipe: a step failed; {out / LOGS} tells more", file=sys.stderr)
        return failure[1] if failure is not None else code or 1
    _drop_if_empty_handed(out, made)
    place, _, rest = failure[2].partition(": ")
    raise InputError(place, *rest.rsplit("; ", 1))


def _drop_if_empty_handed(out: Path, made: list[Path]) -> None:
    """Remove a folder that this run made, unless it holds what is worth keeping."""
    # A product, what was read well, or the record of a billed job is worth the folder.
    worth = [*out.glob("*/*.json"), *out.glob("*/.pieces"), *submissions(out)]
    if out in made and not worth:
        shutil.rmtree(out, ignore_errors=True)
        remove_empty(made[1:])


def _detached(asked: Asked, log: Log) -> int:
    """Say that the run was left as it stands, and how it goes on."""
    if asked.machine is not None:
        log("told to end: jobs that run go on, nothing new is submitted")
        log(
            "go on with the same command, which waits for them first, or see: "
            f"lumipipe status {asked.out}, lumipipe cancel {asked.out}"
        )
    return TERMINATED


def _interrupted(asked: Asked, log: Log) -> int:
    """Cancel the jobs of an interrupted run; without a scheduler they ended with us."""
    if asked.machine is not None:
        log("interrupted: cancelling the jobs of this run")
        cancel(asked.out, log)
    return INTERRUPTED


def _summary(out: Path, plan: Plan, log: Log) -> int:
    """Say the verdict and where the report is; 3 when recordings were left out."""
    product = plan.stages["report"].manifest.with_suffix("")
    if not is_shown(product, out):
        show(product, out)
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    log("")
    log(result["request"]["title"])
    log(f"verdict: {_VERDICTS[result['verdict']]}")
    log(result["answer"])
    for item in result["not_answered"]:
        log(f"not answered: {item['question']} ({item['reason']})")
    left_out = [item for item in result["left_out"] if item.get("is_recording")]
    for item in left_out:
        log(f"left out: {item['what']} ({item['reason']})")
    log(f"report: {shown_first(out)}")
    return 3 if left_out else 0
