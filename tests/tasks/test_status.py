"""Where a run stands: from disk and queue, whoever has died, and nothing is changed by asking."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from command import Said, call, environment, one_line
from lumipipe.scheduler.head import HEAD, Head
from lumipipe.scheduler.process import started
from lumipipe.scheduler.record import JOBS
from lumipipe.store.files import write_json
from lumipipe.store.manifest import publishing
from lumipipe.tasks.stages import VERBS, Plan, Stage, Start
from scheduler.pretended_slurm import ME
from scheduler.test_inventory import submitted

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import PretendedSlurm

KEY = "0" * 20
# What the environment of a head process does not have, and what other packages are built on.
NUMERIC = ("numpy", "scipy", "zarr", "xarray", "dask", "pandas", "pint", "matplotlib", "pyarrow")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a run that was planned."""
    folder = tmp_path / "a run"
    (folder / "logs").mkdir(parents=True)
    stages = {verb: Stage(verb, KEY, {}, folder / verb / f"{KEY}.json", "new") for verb in VERBS}
    starts = {verb: Start() for verb in VERBS}
    plan = Plan(tmp_path / "request.yaml", folder, "a title", 1, stages, starts)
    write_json(folder / "plan.json", plan.as_json())
    return folder


def publish(out: Path, *verbs: str) -> None:
    """Publish products of stages."""
    for verb in verbs:
        with publishing(out / verb / f"{KEY}.json", out / verb / KEY, {}) as folder:
            (folder / "file").write_text("content")


def headed(out: Path, pid: int, host: str = "", job: str = "") -> None:
    """Write down a head process."""
    host = host or socket.gethostname()
    who = Head(host, ME, pid, started(pid) or "gone", job, "2026-01-01T00:00:00+00:00")
    (out / HEAD).write_text(json.dumps(asdict(who)))


def told(out: Path) -> tuple[str, dict[str, str], str]:
    """The head's line, each stage's line without its name, and the next step."""
    said = call("status", out)
    assert (said.code, said.err) == (0, ""), said
    first, *lines, last = said.out.splitlines()
    assert last.startswith("next: ")
    stages = {line.split()[0]: line[8:].strip() for line in lines if line.split()[0] in VERBS}
    assert list(stages) == list(VERBS)
    return first, stages, last.removeprefix("next: ")


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below a folder."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))}


def test_a_run_on_a_laptop_that_has_not_begun(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    first, stages, following = told(out)
    assert first == f"{out}: no head process is known"
    assert stages == dict.fromkeys(VERBS, "waiting")
    assert following == "start the same command again; it goes on where it was"


def test_a_run_on_a_laptop_in_the_middle(out: Path, slurm: PretendedSlurm) -> None:
    publish(out, "prepare")
    headed(out, os.getpid())
    (out / "logs" / "train.log").write_text("chunk 1\n")
    first, stages, following = told(out)
    assert first == f"{out}: head process: running, process {os.getpid()} on {socket.gethostname()}"
    log = out / "logs" / "train.log"
    assert list(stages.values()) == ["done", f"running   {log}", "waiting", "waiting"]
    assert following == "nothing; the head process goes on"
    assert slurm.calls("squeue") == []


def test_a_run_whose_head_process_died_on_a_laptop(out: Path) -> None:
    publish(out, "prepare")
    headed(out, 2**22 + 1)  # beyond the highest process id of Linux
    first, stages, following = told(out)
    assert "head process: ended" in first
    assert stages["train"] == "waiting"
    assert following.startswith("start the same command again")


def test_a_stage_that_failed_is_told_in_its_own_words(out: Path) -> None:
    publish(out, "prepare")
    said = "request.yaml:7: the label is missing; name it"
    (out / "logs" / "train.log").write_text(f"a line\nexit 2: {said}\n")
    _, stages, following = told(out)
    assert stages["train"] == f"ended     {out / 'logs' / 'train.log'}  {said}"
    assert following == "mend what train says, then start the same command again"


def test_a_finished_run_leads_to_its_report(out: Path) -> None:
    publish(out, *VERBS)
    _, stages, following = told(out)
    assert set(stages.values()) == {"done"}
    assert following == "start the same command again; it shows the report"
    (out / "report.html").touch()
    assert told(out)[2] == f"read {out / 'report.html'}"


def test_a_product_that_stands_is_done_whatever_slurm_says(
    out: Path, slurm: PretendedSlurm
) -> None:
    publish(out, "prepare")
    slurm.job("12", "FAILED", name=submitted(out, "12", "prepare"))
    assert told(out)[1]["prepare"] == "done"
    slurm.silence("squeue", "scontrol", "sacct")
    assert told(out)[1]["prepare"] == "done"


def test_a_product_with_a_missing_file_is_not_done(out: Path) -> None:
    publish(out, "prepare")
    (out / "prepare" / KEY / "file").unlink()
    assert told(out)[1]["prepare"] == "waiting"


def test_a_running_job_after_its_head_process_died(out: Path, slurm: PretendedSlurm) -> None:
    publish(out, "prepare")
    headed(out, 2**22 + 1)
    name = submitted(out, "12", "train")
    slurm.job("12", "RUNNING", name=name, time="12:30", partition="small-g")
    _, stages, following = told(out)
    assert stages["train"] == "running   job 12  small-g  0:12:30  RUNNING  /logs/12.log"
    assert following == (
        "start the same command again; it waits for 12 (train, RUNNING) "
        f"(lumipipe cancel {out} ends it)"
    )


def test_a_pending_job_is_told_with_its_reason(out: Path, slurm: PretendedSlurm) -> None:
    name = submitted(out, "12", "prepare")
    slurm.job("12", "PENDING", name=name, reason="Priority", time="0:00")
    assert told(out)[1]["prepare"].startswith("pending   job 12  small  PENDING, Priority")


def test_an_ended_job_is_told_with_reason_and_exit_code(out: Path, slurm: PretendedSlurm) -> None:
    name = submitted(out, "12", "prepare")
    slurm.job("12", "OUT_OF_MEMORY", name=name, reason="OutOfMemory", code="0:125", time="1:00")
    _, stages, following = told(out)
    assert stages["prepare"] == (
        "ended     job 12  small  0:01:00  OUT_OF_MEMORY, OutOfMemory, exit code 0:125  "
        "/logs/12.log"
    )
    assert following.startswith("start the same command again")


def test_a_silent_slurm_is_unknown_and_nothing_else(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "12", "prepare")
    slurm.silence("squeue", "scontrol", "sacct")
    headed(out, 1, host="elsewhere", job="11")
    first, stages, following = told(out)
    assert first == f"{out}: head process: unknown, job 11 (process 1 on elsewhere)"
    assert stages["prepare"] == "unknown   job 12  /logs/12.log"
    assert following == "ask again later; Slurm does not say what became of a job"


def test_the_last_job_of_a_stage_counts_and_another_that_lives_is_named(
    out: Path, slurm: PretendedSlurm
) -> None:
    name = submitted(out, "12", "prepare")
    submitted(out, "13", "prepare")
    slurm.job("12", "COMPLETING", name=name)
    slurm.job("13", "PENDING", name=name)
    lines = call("status", out).out.splitlines()
    assert lines[1].startswith("prepare pending   job 13")
    assert "also in the queue: 12 (prepare, COMPLETING)" in lines


def test_the_same_for_programs(out: Path, slurm: PretendedSlurm) -> None:
    publish(out, "prepare")
    headed(out, os.getpid())
    slurm.job("12", "RUNNING", name=submitted(out, "12", "train"))
    said = call("status", out, "--json")
    assert said.code == 0
    content = json.loads(said.out)
    assert content["head"]["state"] == "running"
    assert content["head"]["pid"] == os.getpid()
    states = {stage["verb"]: stage["state"] for stage in content["stages"]}
    assert states == {
        "prepare": "done",
        "train": "running",
        "score": "waiting",
        "report": "waiting",
    }
    assert content["stages"][1]["job"]["id"] == "12"
    assert content["next"] == "nothing; the head process goes on"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_asking_changes_nothing(out: Path, slurm: PretendedSlurm, words: tuple[str, ...]) -> None:
    publish(out, "prepare")
    headed(out, 2**22 + 1)
    slurm.job("12", "FAILED", name=submitted(out, "12", "train"))
    before = state_of(out)
    assert call("status", out, *words).code == 0
    assert state_of(out) == before
    assert slurm.calls("scancel") == slurm.calls("sbatch") == []


def test_a_folder_that_was_moved_is_told_just_the_same(out: Path, tmp_path: Path) -> None:
    publish(out, *VERBS)
    assert set(told(out.rename(tmp_path / "elsewhere"))[1].values()) == {"done"}


@pytest.mark.parametrize("verb", ["status", "cancel"])
def test_a_folder_of_no_run_is_refused(tmp_path: Path, verb: str) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        line = one_line(call(verb, folder))
        assert line.startswith(f"{folder}: is not the folder of a run; name the one")


def test_a_plan_that_cannot_be_read_is_refused(out: Path) -> None:
    (out / "plan.json").write_text("{")
    assert "is no plan" in one_line(call("status", out))


def without_numeric(*words: object) -> Said:
    """``lumipipe WORDS`` in an environment that has none of the numeric libraries."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({NUMERIC!r}))\n"
        "from lumipipe.cli import main\n"
        f"sys.argv = ['lumipipe', *{[str(word) for word in words]!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", [("status", "OUT"), ("cancel", "OUT"), ("run", "--help")])
def test_the_head_process_needs_no_numeric_library(out: Path, words: tuple[str, ...]) -> None:
    said = without_numeric(*(out if word == "OUT" else word for word in words))
    assert (said.code, said.err) == (0, "")
    assert not (out / JOBS).exists()


def test_the_libraries_are_really_refused() -> None:
    said = without_numeric("info", "nowhere")
    assert said.code == 2
    assert "this environment has no numpy" in said.err
