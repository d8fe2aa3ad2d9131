"""What a rank sees below slurm/bind.sh, for made-up environments as Slurm gives them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import ROOT

if TYPE_CHECKING:
    from slurm.cluster import Cluster

BIND = ROOT / "slurm" / "bind.sh"
TMP = Path("/tmp")
ALL = "0,1,2,3,4,5,6,7"
HIDDEN = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL")
# On a machine with NVIDIA's driver bind.sh speaks to that; these tests are about LUMI's.
pytestmark = pytest.mark.skipif(
    Path("/dev/nvidiactl").exists() or shutil.which("flock") is None,
    reason="NVIDIA's driver is here, or flock is not",
)


@pytest.fixture
def job(request: pytest.FixtureRequest) -> str:
    """Number of a job that no other test has."""
    return f"test{os.getpid()}x{abs(hash(request.node.nodeid))}"


def slurm(job: str, rank: int, tasks: str, devices: int, shown: str, **more: str) -> dict[str, str]:
    """The environment of a task of a step; `shown` stands in all variables, as in the lab."""
    given = {
        "SLURM_JOB_ID": job,
        "SLURM_LOCALID": str(rank),
        "SLURM_NODEID": "0",
        "SLURM_STEP_TASKS_PER_NODE": tasks,
        "SLURMD_NODENAME": "nid005001",
    }
    if devices:
        given |= {"SLURM_GPUS_ON_NODE": str(devices)}
        given |= dict.fromkeys(("ROCR_VISIBLE_DEVICES", *HIDDEN), shown)
    return given | more


def bind(given: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """The answer of a command below bind.sh in a bare environment."""
    bare = {"PATH": os.environ["PATH"], "HOME": "/home/nobody"}
    return subprocess.run(
        [BIND, *(command or ("env",))],
        env=bare | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def variables(given: dict[str, str]) -> dict[str, str]:
    """The environment that a command has below bind.sh."""
    done = bind(given)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@pytest.mark.parametrize("rank", range(8))
def test_on_a_whole_node_the_local_rank_is_the_device(job: str, rank: int) -> None:
    seen = variables(slurm(job, rank, "8(x2)", 8, ALL))
    assert seen["ROCR_VISIBLE_DEVICES"] == str(rank)
    assert not seen.keys() & set(HIDDEN)  # HIP would count them within the one device left


@pytest.mark.parametrize(
    ("rank", "tasks", "devices", "shown", "device"),
    [
        # small-g: others have devices 0 to 2 of the node
        (0, "1", 1, "3", "3"),
        (0, "2", 2, "3,5", "3"),
        (1, "2", 2, "3,5", "5"),
        # fewer ranks than devices
        (1, "4", 8, ALL, "1"),
        # Slurm gave each rank its own: --gpus-per-task, with and without a group of its own
        (1, "2", 2, "1", "1"),
        (1, "2", 2, "0", "0"),
        (1, "2", 4, "2,3", "2,3"),
        # Slurm names nothing where it confines nothing
        (5, "8", 8, "", "5"),
    ],
)
def test_table(job: str, rank: int, tasks: str, devices: int, shown: str, device: str) -> None:
    seen = variables(slurm(job, rank, tasks, devices, shown))
    assert seen["ROCR_VISIBLE_DEVICES"] == device


@pytest.mark.parametrize(
    ("tasks", "node", "refused"),
    [
        ("2", "0", "2 ranks, 1 device on nid005001"),
        ("1,3", "1", "3 ranks, 1 device on nid005001"),
        ("1(x2),4(x2)", "3", "4 ranks, 1 device on nid005001"),
        ("4(x2),1", "2", None),
        ("3,1(x2)", "1", None),
    ],
)
def test_ranks_of_this_node_are_counted(job: str, tasks: str, node: str, refused: str) -> None:
    done = bind(slurm(job, 0, tasks, 1, "0", SLURM_NODEID=node))
    if refused is None:
        assert done.returncode == 0
        return
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bind.sh: {refused}; ask for as many\n"


def test_other_ranks_refuse_without_a_word(job: str) -> None:
    done = bind(slurm(job, 1, "2", 1, "0"))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize(
    ("planned", "devices", "refused"),
    [
        ("8", 1, "8 devices planned, 1 shown on nid005001"),
        ("1", 0, "1 device planned, 0 shown on nid005001"),
        ("8", 8, None),
        ("0", 0, None),
    ],
)
def test_devices_are_compared_with_the_plan(
    job: str, planned: str, devices: int, refused: str | None
) -> None:
    shown = ",".join(map(str, range(devices)))
    done = bind(slurm(job, 0, "1", devices, shown, LUMIPIPE_DEVICES=planned))
    assert done.returncode == (2 if refused else 0)
    assert done.stderr == (f"bind.sh: {refused}\n" if refused else "")


def test_cores_are_compared_with_the_plan(job: str) -> None:
    here = bind({}, "sed", "-n", "s/^Cpus_allowed_list:[[:space:]]*//p", "/proc/self/status")
    mine = here.stdout.strip()
    right = slurm(job, 1, "2", 0, "", LUMIPIPE_CORES=f"1000 {mine}")
    assert bind(right).returncode == 0
    for cores, told in ((f"{mine} 1000-1006", "1000-1006"), (mine, "none")):
        done = bind(right | {"LUMIPIPE_CORES": cores})
        assert done.returncode == 2
        assert done.stderr.startswith(
            f"bind.sh: local rank 1 has cores {mine} on nid005001, planned are {told}; "
        )


@pytest.mark.parametrize(
    "given",
    [
        {},  # a laptop
        {"ROCR_VISIBLE_DEVICES": "0,1", "CUDA_VISIBLE_DEVICES": "0,1"},
        # the script of a job, which is no rank
        {"SLURM_LOCALID": "0", "SLURM_GPUS_ON_NODE": "8", "ROCR_VISIBLE_DEVICES": ALL},
        # a node without devices
        {"SLURM_LOCALID": "3", "SLURM_STEP_TASKS_PER_NODE": "8", "SLURM_JOB_ID": "1"},
    ],
)
def test_elsewhere_only_threads_and_network_are_set(given: dict[str, str]) -> None:
    seen = variables(given)
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    ours = {key: value for key, value in seen.items() if key not in {"PATH", "HOME", "PWD"}}
    ours = {key: value for key, value in ours.items() if key not in {"SHLVL", "_", "OLDPWD"}}
    is_rank = "SLURM_STEP_TASKS_PER_NODE" in given
    assert ours == given | threads | ({"MPIR_CVAR_CH4_NETMOD": "ofi"} if is_rank else {})


def test_device_memory_goes_through_mpi_only_if_asked(job: str) -> None:
    given = slurm(job, 0, "8", 8, ALL, MPICH_GPU_SUPPORT_ENABLED="1", MPICH_OFI_NIC_POLICY="GPU")
    seen = variables(given)
    assert seen["MPICH_GPU_SUPPORT_ENABLED"] == "0"
    assert "MPICH_OFI_NIC_POLICY" not in seen  # NUMA would end ranks that are not bound
    seen = variables(given | {"SLURM_CPU_BIND_TYPE": "mask_cpu:"})
    assert seen["MPICH_OFI_NIC_POLICY"] == "NUMA"
    seen = variables(given | {"LUMIPIPE_GPU_AWARE": "1"})
    assert (seen["MPICH_GPU_SUPPORT_ENABLED"], seen["MPICH_OFI_NIC_POLICY"]) == ("1", "GPU")
    assert "LD_PRELOAD" not in seen


def test_mpich_takes_the_network_that_slurm_can_start(job: str) -> None:
    assert variables(slurm(job, 0, "2", 0, ""))["MPIR_CVAR_CH4_NETMOD"] == "ofi"
    chosen = slurm(job, 0, "2", 0, "", MPIR_CVAR_CH4_NETMOD="ucx")
    assert variables(chosen)["MPIR_CVAR_CH4_NETMOD"] == "ucx"


def test_the_gtl_is_loaded_by_the_rank_only(job: str) -> None:
    # Any library does; a name that is none would make each process complain.
    library = next(Path("/usr/lib").glob("*/libm.so.6"), None)
    if library is None:
        pytest.skip("no library to preload was found")
    given = slurm(job, 0, "8", 8, ALL, LUMIPIPE_GTL=str(library))
    assert "LD_PRELOAD" not in variables(given)
    assert variables(given | {"LUMIPIPE_GPU_AWARE": "1"})["LD_PRELOAD"] == str(library)


def test_the_command_gets_its_words_and_returns_its_code(job: str) -> None:
    done = bind(slurm(job, 0, "8", 8, ALL), "sh", "-c", 'printf "%s|" "$@"; exit 7', "-", "a b", "")
    assert (done.returncode, done.stdout) == (7, "a b||")
    done = bind({}, "")
    assert done.returncode == 127


def test_a_rank_becomes_the_command(job: str) -> None:
    script = f'exec "{BIND}" sh -c "echo \\$\\$" & echo $!; wait'
    given = {"PATH": os.environ["PATH"]} | slurm(job, 0, "8", 8, ALL)
    said = subprocess.run(
        ["sh", "-c", script], env=given, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said[0] == said[1]  # signals of Slurm reach it, nothing stands between


def gone(folder: Path) -> bool:
    """Whether a folder vanishes within some seconds."""
    for _ in range(100):
        if not folder.exists():
            return True
        time.sleep(0.05)
    return False


def test_kernels_are_cached_once_a_node(job: str, tmp_path: Path) -> None:
    watch = (
        "import os, pathlib, time, sys;"
        "folder = pathlib.Path(os.environ['CUPY_CACHE_DIR']);"
        "(folder / sys.argv[1]).touch();"
        "time.sleep(0.5);"  # all eight are there by then, or the count below is wrong
        "modes = [oct(p.stat().st_mode & 0o777) for p in (folder, folder.parent)];"
        "print(folder, *modes)"
    )
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ranks = [
        subprocess.Popen(
            [BIND, sys.executable, "-c", watch, str(rank)],
            env=bare | slurm(job, rank, "8", 8, ALL),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(8)
    ]
    said = {rank.communicate(timeout=60)[0] for rank in ranks}
    folder = TMP / f"lumipipe-kernels-{os.getuid()}-{job}"
    assert said == {f"{folder / 'cupy'} 0o700 0o700\n"}
    assert gone(folder)  # when the last has ended
    assert not list(tmp_path.iterdir())


def test_a_killed_step_leaves_its_cache_to_the_next_one(job: str) -> None:
    left = TMP / f"lumipipe-kernels-{os.getuid()}-{job}y"
    (left / "cupy").mkdir(parents=True)
    assert bind(slurm(job, 0, "8", 8, ALL)).returncode == 0
    assert gone(left)


def test_what_another_job_uses_stays(job: str) -> None:
    other = slurm(f"{job}y", 1, "8", 8, ALL)
    command = [BIND, "sh", "-c", "echo $CUPY_CACHE_DIR; exec cat"]
    with subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"]} | other,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        used = Path(running.stdout.readline().strip())
        assert variables(slurm(job, 0, "8", 8, ALL))["CUPY_CACHE_DIR"] != str(used)
        time.sleep(0.5)
        assert used.is_dir()
        running.communicate("")
    assert bind(slurm(job, 0, "8", 8, ALL)).returncode == 0
    assert gone(used)


def test_a_folder_that_is_not_ours_is_not_used(job: str, tmp_path: Path) -> None:
    name = f"lumipipe-kernels-{os.getuid()}-{job}"
    target = tmp_path / "elsewhere"
    target.mkdir()
    (TMP / name).symlink_to(target)
    try:
        done = bind(slurm(job, 0, "8", 8, ALL, TMPDIR=str(tmp_path)))
        assert done.stderr == f"bind.sh: kernel cache in {tmp_path / name} on nid005001\n"
        for line in ("CUPY_CACHE_DIR={}/cupy", "AMD_COMGR_CACHE_DIR={}/comgr"):
            assert f"{line.format(tmp_path / name)}\n" in done.stdout
        done = bind(slurm(job, 0, "8", 8, ALL))
        assert re.fullmatch("bind.sh: no folder .* on nid005001; .*\n", done.stderr)
        for line in ("CUPY_CACHE_IN_MEMORY=1", "AMD_COMGR_CACHE=0"):
            assert f"{line}\n" in done.stdout
        assert not re.search("(CUPY|COMGR)_CACHE_DIR", done.stdout)
        assert gone(tmp_path / name)
        assert not list(target.iterdir())
        assert stat.S_ISLNK((TMP / name).lstat().st_mode)
    finally:
        (TMP / name).unlink()


def test_no_command_is_refused() -> None:
    done = subprocess.run([BIND], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "bind.sh: no command; write: srun ... bind.sh COMMAND...\n"


NONE = "none"
TOLD = (
    'echo "$SLURMD_NODENAME $SLURM_LOCALID '
    f'${{ROCR_VISIBLE_DEVICES-{NONE}}} ${{CUDA_VISIBLE_DEVICES-{NONE}}}"'
)


def seen(cluster: Cluster, *options: str) -> list[str]:
    """Node, local rank and devices of each rank of a step below bind.sh."""
    words = ("srun", "--time=2", *options, BIND, "sh", "-c", TOLD)
    return sorted(cluster.ask(*words).splitlines())


@pytest.mark.slurm
def test_real_ranks_on_whole_nodes(cluster: Cluster) -> None:
    where = ("--partition=standard-g", "--nodes=2", "--ntasks=16", "--gpus-per-node=8")
    nodes = ("nid005001", "nid005002")
    assert seen(cluster, *where) == [f"{node} {n} {n} none" for node in nodes for n in range(8)]


@pytest.mark.slurm
def test_real_ranks_beside_another_job(cluster: Cluster) -> None:
    other = cluster.submit(
        "sleep 60", "--partition=small-g", "--gpus-per-node=3", "-w", "nid005001"
    )
    cluster.wait_for_state(other, "RUNNING")
    where = ("--partition=small-g", "--nodelist=nid005001", "--ntasks=2")
    assert seen(cluster, *where, "--gpus-per-node=2") == [
        "nid005001 0 3 none",
        "nid005001 1 4 none",
    ]
    # Slurm gave each its own, and bind.sh leaves it so.
    assert seen(cluster, *where, "--gpus-per-task=1") == [
        "nid005001 0 3 none",
        "nid005001 1 4 none",
    ]
    # Four ranks on one node and one on the other, as Slurm likes to lay them.
    uneven = ("--partition=small-g", "--nodes=2", "--ntasks=5", "--gpus-per-node=4")
    lines = seen(cluster, *uneven)
    assert lines[0] == "nid005001 0 3 none"
    assert len({tuple(line.split()[::2]) for line in lines}) == 5


@pytest.mark.slurm
def test_real_ranks_that_share_a_device_are_refused(cluster: Cluster) -> None:
    where = ("--partition=small-g", "--nodes=2", "--ntasks-per-node=2", "--gpus-per-node=1")
    done = cluster.run("srun", "--time=2", *where, BIND, "touch", cluster.folder / "was-run")
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if line.startswith("bind.sh")]
    assert sorted(told) == [
        f"bind.sh: 2 ranks, 1 device on {node}; ask for as many"
        for node in ("nid005001", "nid005002")
    ]
    assert not (cluster.folder / "was-run").exists()


@pytest.mark.slurm
def test_real_ranks_without_devices_are_left_alone(cluster: Cluster) -> None:
    where = ("--partition=small", "--ntasks=2", "--nodes=2")
    assert seen(cluster, *where) == ["nid001001 0 none none", "nid001002 0 none none"]


@pytest.mark.slurm
def test_the_cache_of_a_real_step_goes_with_it(cluster: Cluster) -> None:
    where = ("srun", "--time=2", "--partition=small-g", "--ntasks=2", "--gpus-per-node=2")
    started = time.monotonic()
    script = "test -d $CUPY_CACHE_DIR && echo ${CUPY_CACHE_DIR%/*} && sleep 1"
    folders = cluster.ask(*where, BIND, "sh", "-c", script).splitlines()
    assert time.monotonic() - started < 30  # what removes it does not hold the step
    assert len(folders) == 2
    assert len(set(folders)) == 1
    assert gone(Path(folders[0]))
