"""Status and cancel on a real Slurm: after kill -9, from another shell, with nobody answering."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from command import environment
from lumipipe.scheduler.accounting import billed_allocations
from lumipipe.scheduler.asking import Patience
from lumipipe.scheduler.cancelling import cancel_run
from lumipipe.scheduler.head import LOCK
from lumipipe.scheduler.process import lock_holders
from lumipipe.scheduler.queue import State, ending, jobs, states
from lumipipe.scheduler.record import JOBS, submissions
from lumipipe.scheduler.waiting import wait_for_live_jobs
from lumipipe.store.files import write_json
from lumipipe.tasks.stages import VERBS, Plan, Stage, Start
from slurm.cluster import ACCOUNT, wait_until
from slurm.heads import head_command, head_environment, machine_folder
from small_requests import monitoring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slurm.cluster import Cluster

pytestmark = pytest.mark.slurm
SHIM = Path(__file__).resolve().parents[2] / "workflow" / "bin" / "sbatch"
# A head process in small: it writes itself down, submits as Snakemake's plug-in does, and waits.
DRIVER = f"""
import subprocess, sys, time
from pathlib import Path
from lumipipe.scheduler.head import record_head
from lumipipe.scheduler.record import run_name
out = Path(sys.argv[1])
record_head(out)
for verb in sys.argv[2:]:
    words = ["--comment", f"rule_{{verb}}", "--output", str(out / "logs" / "%j.log")]
    words += ["--parsable", "--job-name", run_name(out) + "_1", "-A", "{ACCOUNT}"]
    words += ["-p", "small", "--mem", "100", "-t", "5", "--wrap", "sleep 300"]
    subprocess.run([{str(SHIM)!r}, *words], check=True)
print("submitted", flush=True)
time.sleep(600)
"""


@dataclass
class Run:
    """The folder of a run on a cluster."""

    out: Path
    cluster: Cluster

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a head process."""
        more = {"LUMIPIPE_JOBS": str(self.out / JOBS), "PYTHONPATH": environment()["PYTHONPATH"]}
        return self.cluster.environment | more

    def driver(self, *verbs: str) -> list[str]:
        """The command of a head process in small."""
        script = self.out / "head.py"
        script.write_text(DRIVER)
        return [sys.executable, str(script), str(self.out), *verbs]

    def lumipipe(self, *words: object) -> tuple[int, str]:
        """Exit code and words of ``lumipipe`` in a new process."""
        command = [sys.executable, "-m", "lumipipe", *words]
        done = self.cluster.run(*command, extra={"PYTHONPATH": environment()["PYTHONPATH"]})
        assert done.stderr == ""
        return done.returncode, done.stdout

    def status(self) -> dict[str, Any]:
        """What ``lumipipe status`` says to programs."""
        code, said = self.lumipipe("status", self.out, "--json")
        assert code == 0
        return json.loads(said)

    def drive(self, *verbs: str) -> subprocess.Popen[str]:
        """A head process that has submitted a job for each verb."""
        process = subprocess.Popen(
            self.driver(*verbs),
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        while process.stdout.readline() not in {"submitted\n", ""}:
            pass
        assert process.poll() is None
        return process

    def ids(self) -> list[str]:
        """Ids that the record knows."""
        return [one.id for one in submissions(self.out) if one.id]


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run that was planned; this process, too, asks its cluster."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    out = tmp_path / "a run"
    (out / "logs").mkdir(parents=True)
    stages = {verb: Stage(verb, "0" * 20, {}, out / verb / "0.json", "new") for verb in VERBS}
    starts = {verb: Start() for verb in VERBS}
    write_json(out / "plan.json", Plan(tmp_path / "r.yaml", out, "a", 1, stages, starts).as_json())
    return Run(out, cluster)


def nothing(_: str) -> None:
    """Ignore a line."""


def test_jobs_of_a_killed_head_process_are_found_and_cancelled_from_a_new_shell(run: Run) -> None:
    with run.drive("prepare", "train", "score") as head:
        assert run.status()["head"]["state"] == "running"
        head.kill()
    assert len(run.ids()) == 3
    for id_ in run.ids():
        run.cluster.wait_for_state(id_, "RUNNING")
    said = run.status()
    assert said["head"]["state"] == "ended"
    assert [stage["state"] for stage in said["stages"]] == ["running"] * 3 + ["waiting"]
    assert said["next"].startswith("start the same command again; it waits for ")
    code, words = run.lumipipe("cancel", run.out)
    assert code == 0, words
    assert words.startswith(f"cancelled 3 job(s): {' '.join(sorted(run.ids()))}\n")
    assert run.cluster.squeue_ids() == set()
    again = "nothing of this run is alive; nothing was changed\n"
    assert run.lumipipe("cancel", run.out) == (0, again)
    said = run.status()
    assert {stage["job"]["said"] for stage in said["stages"][:3]} == {"CANCELLED"}


def test_a_living_head_process_ends_first_and_a_job_without_an_id_is_found(run: Run) -> None:
    with run.drive("train") as head:
        (id_,) = run.ids()
        lines = (run.out / JOBS).read_text().splitlines(keepends=True)
        (run.out / JOBS).write_text(lines[0])  # as if it was killed right after the submission
        (job,) = [stage["job"] for stage in run.status()["stages"] if stage["job"]]
        assert (job["id"], job["verb"]) == (id_, "train")
        code, words = run.lumipipe("cancel", run.out)
        assert head.wait() == -signal.SIGTERM
    assert code == 0, words
    assert words.startswith("the head process has ended: ")
    assert run.cluster.squeue_ids() == set()


def test_a_head_process_that_is_a_batch_job_is_cancelled_with_its_jobs(run: Run) -> None:
    place = ("--parsable", "-A", ACCOUNT, "-p", "small", "--mem=300", "-o", run.out / "head.log")
    words = ("sbatch", *place, "-t", "5", "--wrap", f"exec {shlex.join(run.driver('train'))}")
    done = run.cluster.run(*words, extra=run.environment)
    head = done.stdout.strip()
    wait_until(lambda: (run.out / JOBS).exists() and run.ids(), "the head job has submitted")
    said = run.status()
    assert (said["head"]["job"], said["head"]["state"]) == (head, "running")
    code, said = run.lumipipe("cancel", run.out)
    assert code == 0, said
    assert run.cluster.squeue_ids() == set()
    assert {run.cluster.state(id_) for id_ in (head, *run.ids())} == {"CANCELLED"}


def test_states_reasons_and_exit_codes_are_slurms_own(run: Run) -> None:
    place = ("-A", ACCOUNT, "-p", "small", "--mem=100")
    failing = run.cluster.submit("exit 3", *place)
    held = run.cluster.submit("true", "--hold", *place)
    array = run.cluster.submit("sleep 60", "--array=0-2%1", *place)
    run.cluster.wait_for_state(failing, "FAILED")
    run.cluster.wait_for_state(f"{array}_0", "RUNNING")
    found = jobs([failing, held, array, "1"])
    assert [job.state for job in found.values()] == [
        State.ENDED,
        State.PENDING,
        State.RUNNING,
        State.ENDED,
    ]
    ended = ending(found[failing])
    assert (ended.said, ended.reason, ended.exit_code) == ("FAILED", "NonZeroExitCode", "3:0")
    assert found[held].reason == "JobHeldUser"
    assert ending(found["1"]).said == ""


def test_what_the_controller_allocated_is_told_while_it_remembers(run: Run) -> None:
    place = ("-A", ACCOUNT, "-p", "small-g", "-N", "2", "--gpus-per-node=3", "--mem=1G")
    id_ = run.cluster.submit("sleep 1", *place)
    run.cluster.wait_for_state(id_, "COMPLETED")
    one = billed_allocations([id_])[id_]
    assert one is not None
    assert (one.nodes, one.cpus, one.memory_mib, one.gpus) == (2, 2, 2048, 6)
    assert (one.source, one.partition, one.cores) == ("scontrol", "small-g", 2)
    assert one.seconds > 0


def test_the_database_adds_up_what_a_job_had_and_survives_the_controllers_memory(
    cluster_with_accounting: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_with_accounting
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    id_ = cluster.submit("sleep 2", "-A", ACCOUNT, "-p", "standard", "--requeue", "--mem=100")
    cluster.wait_for_state(id_, "RUNNING")
    cluster.ask("scontrol", "requeue", id_)
    cluster.start_now(id_)
    cluster.wait_for_state(id_, "COMPLETED")

    def summed() -> bool:
        one = billed_allocations([id_])[id_]
        return one is not None and one.source == "sacct" and one.state == "COMPLETED"

    wait_until(summed, "the database knows the end")
    one = billed_allocations([id_])[id_]
    assert one is not None
    assert (one.restarts, one.nodes, one.cpus) == (1, 1, 128)  # whole nodes are billed whole
    assert one.seconds >= 2


@pytest.mark.faults
def test_while_the_controller_is_down_nothing_is_known_cancelled_or_submitted(run: Run) -> None:
    with run.drive("train") as head:
        head.kill()
    short = Patience(answer_s=1, attempts=2, pause_s=0.1, longest_pause_s=0.1, limit_s=3)
    run.cluster.lab("kill-slurmctld")
    try:
        assert set(states(run.ids(), short).values()) == {State.UNKNOWN}
        lines: list[str] = []
        assert cancel_run(run.out, lines.append, short) == 1
        assert "Slurm does not say what became of" in lines[-1]
        with pytest.raises(Exception, match="nothing was submitted"):
            wait_for_live_jobs(run.out, nothing, short)
    finally:
        run.cluster.lab("start")
    assert set(states(run.ids()).values()) <= {State.RUNNING, State.PENDING}
    assert run.lumipipe("cancel", run.out)[0] == 0
    assert run.cluster.squeue_ids() == set()


def test_snakemake_ends_with_a_killed_head_process_and_its_jobs_can_be_cancelled(
    cluster: Cluster, tmp_path: Path
) -> None:
    request, out, machine = monitoring(tmp_path), tmp_path / "out", machine_folder(tmp_path / "m")
    run = Run(out, cluster)
    variables = head_environment(cluster.environment, machine)
    with subprocess.Popen(
        head_command(request, out, machine), env=variables, stdout=subprocess.DEVNULL
    ) as head:
        wait_until(lambda: run.ids() or head.poll() is not None, "prepare is submitted", 200)
        assert lock_holders(out / LOCK)
        head.kill()
    wait_until(lambda: not lock_holders(out / LOCK), "Snakemake has ended")
    assert run.status()["head"]["state"] == "ended"
    code, said = run.lumipipe("cancel", out)
    assert code == 0, said
    assert "cancelled 1 job(s)" in said
    assert cluster.squeue_ids() == set()
