"""Device memory in MPI is tried in processes that may die for it; their ends are understood."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from command import environment
from lumipipe.backend import Backend
from lumipipe.comm import probe
from lumipipe.comm.probe import probe_alone, read_answer

MPIEXEC = Path(sys.executable).with_name("mpiexec")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", "the probe died of SIGSEGV"),
        ("raise SystemExit('no, thanks')", "the probe ended with 1 and said: no, thanks"),
        ("raise SystemExit(3)", "the probe ended with 3 and said: nothing"),
        ("import time; time.sleep(60)", "the probe did not end within 0.5 s"),
    ],
)
def test_a_probe_that_does_not_come_through(
    monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    if "sleep" in code:
        monkeypatch.setattr(probe, "_LONGEST_S", 0.5)
    assert probe_alone(command=[sys.executable, "-c", code]) == (False, reason)


def test_a_probe_knows_of_no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("PMI_RANK", "PMIX_RANK", "PALS_RANKID", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")
    kept = ("ROCR_VISIBLE_DEVICES", "MPICH_GPU_SUPPORT_ENABLED", "LD_PRELOAD")
    for name in told + kept:
        monkeypatch.setenv(name, "" if name == "LD_PRELOAD" else "0")
    code = f"import os; raise SystemExit(str([n for n in {told + kept} if n in os.environ]))"
    assert probe_alone(command=[sys.executable, "-c", code]).reason.endswith(str(list(kept)))


@pytest.mark.mpi
def test_one_process_alone_comes_through_with_host_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    assert probe_alone("numpy").available


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_together_come_through_with_host_memory(tmp_path: Path, ranks: int) -> None:
    file = tmp_path / "probe.json"
    done = run("-m", "lumipipe.comm.probe", "numpy", file, ranks=ranks)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read_answer(file, ranks).available
    assert not read_answer(file, ranks + 1).available


WRONG = """
import sys
from lumipipe.backend import Backend, choose_backend
from lumipipe.comm import probe

class Lossy(Backend):
    def to_host(self, array):
        return array + (len(array) == 2**18)

host = choose_backend("numpy")
probe.choose_backend = lambda *_: Lossy("numpy", host.xp, host.device)
probe.main("numpy", sys.argv[1])
"""


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2])
def test_wrong_numbers_end_all_ranks_and_leave_no_file(tmp_path: Path, ranks: int) -> None:
    file = tmp_path / "probe.json"
    file.write_text('{"ranks": 99}', encoding="utf-8")  # of an earlier try
    done = run("-c", WRONG, file, ranks=ranks)
    assert done.returncode != 0
    assert "a send of 262144 numbers in device memory came out wrong" in done.stderr
    answer = read_answer(file, ranks)
    assert answer == (
        False,
        f"the ranks that tried it together left no {file}: crashed or wrong",
    )


def run(*words: object, ranks: int) -> subprocess.CompletedProcess[str]:
    """The answer of Python on some ranks."""
    return subprocess.run(
        [*map(str, (MPIEXEC, "-n", ranks, sys.executable, *words))],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class _World:
    """An MPI world of one rank that notes when it is handed memory."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def Get_rank(self) -> int:  # noqa: N802
        return 0

    def Get_size(self) -> int:  # noqa: N802
        return 1

    def Sendrecv(self, mine: Any, _to: int, recvbuf: Any, source: int) -> None:  # noqa: N802
        assert source == 0
        self._calls.append("send")
        recvbuf[...] = mine

    def Bcast(self, _buffer: Any, root: int) -> None:  # noqa: N802
        assert root == 0
        self._calls.append("broadcast")

    def Allreduce(self, mine: Any, total: Any) -> None:  # noqa: N802
        self._calls.append("sum")
        total[...] = mine


def test_the_device_is_waited_for_before_mpi_gets_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    stream = SimpleNamespace(synchronize=lambda: calls.append("wait"))
    xp = SimpleNamespace(
        asarray=np.array,
        asnumpy=np.asarray,
        cuda=SimpleNamespace(get_current_stream=lambda: stream),
    )
    monkeypatch.setattr(probe, "_mpi", lambda: SimpleNamespace(COMM_WORLD=_World(calls)))
    probe.exchange(Backend("cupy", xp, "pretended"))  # type: ignore[arg-type]
    assert calls == ["wait", "send", "wait", "broadcast", "wait", "sum"] * 2
