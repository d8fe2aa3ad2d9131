"""The price before against Slurm's own accounting after, on a machine that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.tasks.cost import cost_of_run
from slurm.heads import ROOT, head_environment, machine_folder, run_head

if TYPE_CHECKING:
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.faults, pytest.mark.timeout(900)]
OFF = 0.3  # share by which a quote may be off


@pytest.fixture(scope="module")
def machine(
    session_cluster_with_accounting: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The machine folder of the cluster, with constants that ``slurm/bench.sbatch`` measured."""
    folder = machine_folder(tmp_path_factory.mktemp("machine"))
    cluster = session_cluster_with_accounting
    known = head_environment(cluster.environment, folder)
    size = ("--partition=small", "--gpus-per-node=0", "--cpus-per-task=1", "--mem=3G", "--wait")
    script = ROOT / "slurm" / "bench.sbatch"
    done = cluster.run(
        *("sbatch", *size, "--ntasks-per-node=2", script), cwd=folder, extra=known, timeout_s=400
    )
    assert done.returncode == 0, [log.read_text() for log in folder.glob("bench-*.log")]
    return folder


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("name", ["demo-watch", "demo-process"])
def test_the_quote_is_near_what_slurm_accounted_for(
    cluster_with_accounting: Cluster, machine: Path, tmp_path: Path, name: str, ranks: int
) -> None:
    request, out = ROOT / "config" / "requests" / f"{name}.yaml", tmp_path / "out"
    known = cluster_with_accounting.environment
    done = run_head(known, request, out, machine, "--ranks", ranks)
    assert done.returncode == 0, done.stderr
    cost = cost_of_run(out)
    assert cost is not None
    total = cost.total()
    told = "\n".join(map(str, [*cost.stages, total]))
    print(f"{name}, {ranks} rank(s): quoted {total.quoted}, billed {total.billed}", told, sep="\n")
    assert total.quoted is not None
    assert total.billed is not None
    assert total.quoted.keys() == total.billed.keys() == {"core-h"}
    assert abs(total.billed["core-h"] / total.quoted["core-h"] - 1) <= OFF, told
