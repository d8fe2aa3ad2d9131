"""The exact lines that leave for LUMI, each accepted by a real sbatch, each flag with its reason.

The files in golden/ hold one flag a line and, after two blanks, why it is there; section numbers
are those of the sources named at their top.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import call
from lumipipe.tasks.workflow import workflow_folder
from slurm.cluster import ACCOUNT
from slurm.heads import head_python
from small_requests import monitoring

if TYPE_CHECKING:
    from slurm.cluster import Cluster

GOLDEN = Path(__file__).with_name("golden")
ROOT = Path(__file__).resolve().parents[2]
SHAPES = {
    "standard-g-2x8": ("lumi-standard-g", 16),
    "small-g-1": ("lumi-small-g", 1),
    "standard": ("lumi-standard", 128),
    "small": ("lumi-small", 4),
    "dev-g": ("lumi-dev-g", 8),
}
# Records what it was called with, asks the real sbatch whether it would take it, submits nothing.
RECORDER = """#!/usr/bin/env python3
import json, os, pathlib, subprocess, sys
asked = [word for word in sys.argv[1:] if not word.startswith("--wrap=")]
real = [sbatch for folder in os.environ["PATH"].split(os.pathsep)[1:]
        if (sbatch := pathlib.Path(folder, "sbatch")).is_file()]
test = [str(real[-1]), "--test-only", *asked, "--wrap=true"]
done = subprocess.run(test, capture_output=True, text=True)
wrapped = len(sys.argv) - 1 - len(asked)
said = {"words": asked, "wrapped": wrapped, "code": done.returncode, "stderr": done.stderr}
pathlib.Path(os.environ["SUBMITTED"]).write_text(json.dumps(said))
sys.exit(1)
"""


def submitted(cluster: Cluster, folder: Path, target: str, ranks: int) -> dict[str, object]:
    """What leaves for the job that trains."""
    request, out = monitoring(folder, compute={"minutes": 60, "backend": "auto"}), folder / "out"
    place = ("--target", target, "--ranks", ranks, "--account", ACCOUNT)
    said = call("plan", request, "--out", out, "--machine", ROOT / "slurm" / "lumi", *place)
    assert said.code == 0, said
    plan = json.loads(said.out)
    prepared, trained = (Path(plan["stages"][verb]["manifest"]) for verb in ("prepare", "train"))
    prepared.parent.mkdir(parents=True)
    prepared.write_text("{}")  # Snakemake looks at nothing but its name
    (out / "plan.json").write_text(said.out)
    fake = folder / "bin"
    fake.mkdir()
    (fake / "sbatch").write_text(RECORDER)
    (fake / "sbatch").chmod(0o755)
    path = f"{fake}:{cluster.environment['PATH']}"
    environment = cluster.environment | {"PATH": path, "SUBMITTED": str(folder / "submitted.json")}
    subprocess.run(
        [
            *(head_python(), "-m", "snakemake", trained, "--directory", out),
            *("--snakefile", workflow_folder() / "Snakefile"),
            *("--profile", ROOT / "slurm" / "lumi"),
            *("--slurm-init-seconds-before-status-checks", "1"),
            *("--slurm-jobname-prefix", "lumipipe-0123456789ab", "--slurm-logdir", out / "logs"),
            *("--config", f"plan={out / 'plan.json'}", "lumipipe=lumipipe"),
        ],
        env=environment,
        capture_output=True,
        check=False,
    )
    content: dict[str, object] = json.loads((folder / "submitted.json").read_text())
    return content


def flags(words: list[str], folder: Path) -> list[str]:
    """One text a flag, with the word that follows a flag without an equals sign."""
    found: list[str] = []
    for word in words:
        if word.startswith("-") or not found:
            found.append(word)
        else:
            found[-1] += f" {word}"
    run_id = re.compile(r"_[0-9a-f]{8}-[0-9a-f-]{27}")
    plain = [run_id.sub("_RUN", flag.replace(str(folder), "FOLDER")) for flag in found]
    return [flag.replace(ACCOUNT, "PROJECT") for flag in plain]


def golden(name: str) -> list[str]:
    """The flags of a golden file; each must say why it is there."""
    lines = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"\S.*?  +\S.*", line) for line in told), name
    return [re.split(r"  +", line)[0] for line in told]


@pytest.mark.slurm
@pytest.mark.parametrize("name", SHAPES)
def test_the_line_that_leaves_is_the_golden_one(
    cluster: Cluster, tmp_path: Path, name: str
) -> None:
    target, ranks = SHAPES[name]
    left = submitted(cluster, tmp_path, target, ranks)
    assert flags(list(left["words"]), tmp_path) == golden(name)  # type: ignore[call-overload]
    assert left["code"] == 0, left["stderr"]  # the real one would take it
    assert left["wrapped"] == 1


@pytest.mark.parametrize("name", SHAPES)
def test_no_line_holds_a_trap(name: str) -> None:
    line = " ".join(golden(name))
    assert "--ntasks-per-gpu" not in line  # refused on LUMI together with --ntasks
    assert re.search(r"--mem \d{4,}", line)  # left out, Snakemake asks for 1 to 8 GB
    assert "--no-requeue" in line
    assert "--array" not in line
