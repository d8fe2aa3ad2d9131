"""Head processes as tests start them: where they are, and the machine they submit to.

The machine is a copy of slurm/lumi. It differs from LUMI in what the cluster of the tests cannot
be: it takes data of persons (the demonstration's), its nodes are all of one size, and its files
appear at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from slurm.cluster import ACCOUNT

ROOT = Path(__file__).resolve().parents[2]
KERNEL = f"{sys.executable} -m lumipipe"
_UNLIKE = {
    "personal_data: refused": "personal_data: allowed",
    "nodes: [lumi-c, lumi-c-512, lumi-c-1024]": "nodes: [lumi-c]",
}
_SLOW = {"latency-wait: 60": "latency-wait: 5", "status-checks: 30": "status-checks: 1"}


def head_folder() -> Path:
    """Folder of the head environment: Snakemake with its Slurm plugin, no numeric library."""
    return Path(os.environ.get("LUMIPIPE_HEAD", ROOT / ".venv-head"))


def head_python() -> str:
    """The interpreter of the head environment."""
    return str(head_folder() / "bin" / "python")


def machine_folder(folder: Path) -> Path:
    """A copy of slurm/lumi for the cluster of the tests."""
    machine = folder / "slurm" / "lumi"
    shutil.copytree(ROOT / "slurm" / "lumi", machine)
    shutil.copy(ROOT / "slurm" / "bind.sh", machine.parent)
    _change(machine / "machine.yaml", _UNLIKE)
    _change(machine / "profile.v9+.yaml", _SLOW)
    return machine


def _change(file: Path, changes: dict[str, str]) -> None:
    """Put other words into a file; each must be there."""
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, (file, old)
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def head_environment(environment: dict[str, str], machine: Path) -> dict[str, str]:
    """The environment of a head process or of ``slurm/workflow.sbatch``."""
    return environment | {
        "LUMIPIPE_HEAD": str(head_folder()),
        "LUMIPIPE_KERNEL": KERNEL,
        "LUMIPIPE_MACHINE": str(machine),
        "SBATCH_ACCOUNT": ACCOUNT,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{Path(__file__).with_name('polling')}{os.pathsep}{ROOT / 'src'}",
    }


def head_command(request: Path, out: Path, machine: Path, *options: object) -> list[str]:
    """``lumipipe run`` of the head environment."""
    lumipipe = head_folder() / "bin" / "lumipipe"
    place = ("--profile", machine, "--kernel", KERNEL, "--target", "lumi-small")
    words = [lumipipe, "run", request, "--out", out, *place, *options]
    return [str(word) for word in words]


def run_head(
    environment: dict[str, str], request: Path, out: Path, machine: Path, *options: object
) -> subprocess.CompletedProcess[str]:
    """How ``lumipipe run`` ended on the cluster."""
    return subprocess.run(
        head_command(request, out, machine, *options),
        env=head_environment(environment, machine),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def products(out: Path) -> dict[str, bytes]:
    """Every byte of a run that must not depend on where and how often it ran, by path.

    Of a folder that has answered several requests, the last.
    """
    answer = json.loads((out / "result.json").read_text(encoding="utf-8"))
    found = {"result.json": json.dumps(answer | {"run": None}).encode()}
    for verb in ("prepare", "train", "score"):
        manifest = max((out / verb).glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        content = json.loads(manifest.read_text(encoding="utf-8"))["content"]
        found[manifest.name] = json.dumps(content).encode()
        product = manifest.parent / content["product"]
        found |= {
            str(path.relative_to(out)): path.read_bytes()
            for path in sorted(product.rglob("*"))
            if path.is_file()
        }
    return found


def submissions(out: Path, verb: str) -> list[str]:
    """Ids of all jobs that were submitted for a verb."""
    record = out / "jobs.jsonl"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    entries = [json.loads(line) for line in lines]
    of_verb = {entry["key"] for entry in entries if entry.get("verb") == verb}
    return [e["id"] for e in entries if e.get("id") and e["key"] in of_verb]
