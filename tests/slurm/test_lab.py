"""The cluster that the tests start is what they take it for, and goes when it is told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slurm.cluster import ACCOUNT, LAB, NOT_HERE, MissingSlurmError, start, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slurm.cluster import Cluster

pytestmark = pytest.mark.slurm
WORLD = """
import os
from mpi4py import MPI
world = MPI.COMM_WORLD
print(world.size, world.allreduce(world.rank), os.environ["SLURMD_NODENAME"])
"""


@pytest.mark.parametrize("nodes", [1, 2])
def test_four_ranks_are_one_world(cluster: Cluster, nodes: int) -> None:
    where = ("--partition=small", f"--nodes={nodes}", "--ntasks=4", "--time=2", "--mpi=pmi2")
    netmod = "MPIR_CVAR_CH4_NETMOD=ofi"  # why: slurm/bind.sh
    lines = cluster.ask("env", netmod, "srun", *where, sys.executable, "-c", WORLD).splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines] == ["4 6"] * 4
    assert len({line.split()[-1] for line in lines}) == nodes


def test_two_nodes_have_eight_devices_each(cluster: Cluster) -> None:
    where = ("--partition=standard-g", "--nodes=2", "--ntasks=16", "--gpus-per-node=8", "--time=2")
    task = 'echo "$SLURMD_NODENAME $SLURM_LOCALID $ROCR_VISIBLE_DEVICES"'
    said = set(cluster.ask("srun", *where, "sh", "-c", task).splitlines())
    devices = "0,1,2,3,4,5,6,7"
    nodes = ("nid005001", "nid005002")
    assert said == {f"{node} {local} {devices}" for node in nodes for local in range(8)}


REFUSED = [
    ((), "No partition specified or system default partition"),
    (("--partition=debug", "--time=31"), "Requested time limit is invalid"),
    (("--partition=small", "--time=3-00:01:00"), "Requested time limit is invalid"),
    (("--partition=standard", "--time=2-00:01:00"), "Requested time limit is invalid"),
    (("--partition=dev-g", "--time=181"), "Requested time limit is invalid"),
    (("--partition=small", "--nodes=5"), "Node count specification invalid"),
    (("--partition=small-g", "--gpus-per-node=9"), "Requested node configuration"),
    (("--partition=standard-g", "--ntasks-per-node=57"), "Requested node configuration"),
    (("--partition=small", "--mem=225G"), "Requested node configuration"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_what_no_partition_gives_is_refused_at_once(
    cluster: Cluster, options: tuple[str, ...], said: str
) -> None:
    done = cluster.run("sbatch", "--output=/dev/null", *options, "--wrap", "true")
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("partition", "cores"), [("standard", 128), ("small", 1), ("standard-g", 56), ("small-g", 1)]
)
def test_standard_partitions_give_whole_nodes(cluster: Cluster, partition: str, cores: int) -> None:
    job = cluster.submit("true", f"--partition={partition}")
    cluster.wait_for_state(job, "COMPLETED")
    assert cluster.job(job)["NumCPUs"] == str(cores)


def test_a_job_without_variables_of_slurm_finds_its_cluster(cluster: Cluster) -> None:
    # So Snakemake's jobs start ranks: their environment has the ids and the PATH only.
    kept = 'PATH="$PATH" SLURM_JOB_ID="$SLURM_JOB_ID" SLURM_JOBID="$SLURM_JOB_ID"'
    script = f"env -i {kept} srun --ntasks=2 --mpi=none sh -c 'echo $SLURM_PROCID' | sort > ranks"
    options = ("--partition=small", "--ntasks=2", f"--chdir={cluster.folder}")
    cluster.wait_for_state(cluster.submit(script, *options), "COMPLETED", "FAILED")
    assert (cluster.folder / "ranks").read_text() == "0\n1\n"


def test_a_job_over_its_memory_is_killed(cluster: Cluster) -> None:
    hog = f"{sys.executable} -c 'b = bytearray(300_000_000); import time; time.sleep(60)'"
    job = cluster.submit(hog, "--partition=small", "--mem=100M")
    assert cluster.wait_for_state(job, "FAILED", "OUT_OF_MEMORY", "COMPLETED") != "COMPLETED"


def test_a_requeued_job_can_start_at_once(cluster: Cluster) -> None:
    job = cluster.submit("sleep 60", "--partition=small")
    cluster.wait_for_state(job, "RUNNING")
    cluster.ask("scontrol", "requeue", job)
    cluster.start_now(job)
    cluster.wait_for_state(job, "RUNNING", timeout_s=30)  # of itself it waits for 120 s
    assert cluster.job(job)["Restarts"] == "1"


def test_a_job_outlives_its_slurmd(cluster: Cluster) -> None:
    job = cluster.submit("sleep 4", "--partition=small", "--nodelist=nid001001")
    cluster.wait_for_state(job, "RUNNING")
    cluster.lab("kill-slurmd", "nid001001")
    cluster.lab("restart-slurmd", "nid001001")
    assert cluster.wait_for_state(job, "COMPLETED", "FAILED", "NODE_FAIL") == "COMPLETED"


@pytest.mark.faults
def test_jobs_of_a_dead_node_are_queued_again_or_failed(cluster: Cluster) -> None:
    where = ("--partition=small", "--nodelist=nid001001")
    again = cluster.submit("sleep 200", *where)
    once = cluster.submit("sleep 200", "--no-requeue", *where)
    for job in (again, once):
        cluster.wait_for_state(job, "RUNNING")
    cluster.lab("kill-node", "nid001001")
    cluster.wait_for_state(once, "NODE_FAIL", timeout_s=90)
    cluster.wait_for_state(again, "PENDING", timeout_s=90)


def test_a_refused_account_and_the_caps_of_jobs(cluster_with_accounting: Cluster) -> None:
    def said(*options: str) -> str:
        words = ("sbatch", "--output=/dev/null", "--time=2", *options, "--wrap", "sleep 60")
        return cluster_with_accounting.run(*words).stderr

    assert "job submit limit" in said("--partition=small")
    assert "Invalid account" in said("--partition=small", f"--account={ACCOUNT}1")
    ours = ("--partition=debug", f"--account={ACCOUNT}")
    assert [said(*ours) == "" for _ in range(3)] == [True, True, False]
    assert "job submit limit" in said(*ours)


def test_sacct_counts_devices_and_comes_back(cluster_with_accounting: Cluster) -> None:
    asked = cluster_with_accounting

    def allocated(job: str) -> str:
        words = ("sacct", "-X", "-n", "-P", "-j", job, "-o", "State,AllocTRES")
        return asked.run(*words).stdout.strip()

    def submit() -> str:
        return asked.submit(
            "true", "--partition=small-g", "--gpus-per-node=2", f"--account={ACCOUNT}"
        )

    first = submit()
    wait_until(lambda: allocated(first).startswith("COMPLETED"), "sacct knows the job")
    assert "gres/gpu=2" in allocated(first)
    asked.lab("stop-dbd")
    second = submit()
    asked.wait_for_state(second, "COMPLETED")
    assert allocated(second) == ""
    asked.lab("start-dbd")
    # slurmctld kept what it could not tell, and asks again every few seconds.
    wait_until(lambda: allocated(second).startswith("COMPLETED"), "sacct knows the job", 120)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for one more cluster, which stands beside the session's."""
    made = Path(tempfile.mkdtemp(prefix="lumipipe-slurm-"))
    yield made
    subprocess.run([LAB, "remove"], env={**os.environ, "LAB_FOLDER": str(made)}, check=True)
    shutil.rmtree(made, ignore_errors=True)


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that name the folder, in their words or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            known = words + (process / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
        if str(folder).encode() in known:
            found.append(words.replace(b"\0", b" ").decode())
    return found


@pytest.mark.parametrize("killed", ["munged", "slurmctld", "nid001001", None])
def test_stop_leaves_no_process_and_the_next_start_takes_over(
    cluster: Cluster, folder: Path, killed: str | None
) -> None:
    other = start(folder)
    job = other.submit("sleep 300 & srun sleep 300", "--partition=small", "--nodelist=nid001001")
    other.wait_for_state(job, "RUNNING")
    wait_until(lambda: sum("sleep" in words for words in processes_of(folder)) > 1, "both sleep")
    if killed:
        os.kill(int((folder / "pids" / killed).read_text().split()[0]), 9)
    other.lab("stop")
    assert processes_of(folder) == []
    start(folder)
    assert other.squeue_ids() == set()
    assert int(other.submit("true", "--partition=small")) > int(job)
    assert cluster.ask("sinfo", "-h", "-p", "small", "-o", "%D %T") == "2 idle"


def test_commands_of_another_cluster_on_the_path_change_nothing(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{cluster.folder / 'bin'}:{os.environ['PATH']}")
    start(folder)
    assert str(cluster.folder) not in (folder / "bin" / "srun").read_text()
    job = cluster.submit("sleep 60", "--partition=small")
    start(folder).lab("stop")
    assert cluster.squeue_ids() == {job}


def test_starting_twice_starts_nothing(cluster: Cluster) -> None:
    def daemons() -> dict[str, str]:
        return {file.name: file.read_text() for file in (cluster.folder / "pids").iterdir()}

    before = daemons()
    said = cluster.lab("start")
    assert said.splitlines()[0] == f"export SLURM_CONF={cluster.folder}/slurm.conf"
    assert daemons() == before


def test_a_drained_node_is_taken_back(cluster: Cluster) -> None:
    cluster.ask("scontrol", "update", "nodename=nid001002", "state=drain", "reason=test")
    cluster.lab("start")
    assert cluster.ask("sinfo", "-h", "-p", "small", "-o", "%D %T") == "2 idle"


def test_the_cluster_ends_with_its_owner(folder: Path) -> None:
    owner = subprocess.Popen(["sleep", "300"])
    environment = {**os.environ, "LAB_FOLDER": str(folder), "LAB_OWNER": str(owner.pid)}
    subprocess.run([LAB, "start"], env=environment, check=True, capture_output=True)
    owner.kill()
    owner.wait()
    wait_until(lambda: not folder.exists(), "the folder is removed")
    assert processes_of(folder) == []


def without_client(folder: Path) -> dict[str, str]:
    """An environment in which lab.sh finds its tools and Slurm's daemons, but no sbatch."""
    for tool in ("bash", "basename", "cksum", "cut", "dirname", "id", "mkdir", "flock"):
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return {"PATH": str(folder), "LAB_FOLDER": str(folder / "lab")}


def test_where_slurm_is_missing_one_line_says_so(tmp_path: Path) -> None:
    environment = without_client(tmp_path)
    done = subprocess.run(
        [LAB, "start"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == NOT_HERE
    assert done.stderr.count("\n") == 1
    assert "as root on Debian: apt-get install slurm-client" in done.stderr


def test_root_installs_what_is_missing_and_no_more(tmp_path: Path) -> None:
    environment = without_client(tmp_path)
    (tmp_path / "id").unlink()
    stand_ins = {"id": "echo 0", "apt-get": f'echo "$@" >> {tmp_path}/asked'}
    for name, line in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    subprocess.run([LAB, "install", "none"], env=environment, check=True)
    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert asked.endswith("--no-install-recommends install slurm-client")


def test_where_it_cannot_be_installed_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "lab.sh"
    stand_in.write_text(f"#!/bin/sh\necho 'lab.sh: missing: slurmd' >&2; exit {NOT_HERE}\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr("slurm.cluster.LAB", stand_in)
    with pytest.raises(MissingSlurmError, match="missing: slurmd"):
        start(tmp_path)
