"""How long ranks take to start: one process of a verb with nothing to do, or all under MPI.

And what a job takes beside its verb, which the workflow's own process in it does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lumipipe.comm.probe import without_launcher

HEAD = "LUMIPIPE_HEAD"  # folder of the head environment, if told
STARTED = "LUMIPIPE_STARTED"  # seconds since 1970 at which the launcher was called, if told
_REQUEST = {
    "lumipipe_request": 1,
    "id": "start",
    "title": "How long does a verb take to start?",
    "question": {
        "family": "monitoring",
        "decision": "none",
        "unit_of_decision": "one row",
        "not_to_be_used_for": ["any decision"],
    },
    "data": [
        {
            "id": "rows",
            "source": "rows.csv",
            "format": "csv",
            "read": {"delimiter": ",", "decimal": "."},
            "time": {"kind": "order", "row": "one row"},
            "channels": [{"name": name, "quantity": "ratio", "unit": "1"} for name in "ab"],
        }
    ],
    "rights": {"owner": "nobody", "personal_data": "none"},
    "evaluation": {
        "split": {"kind": "time", "train_first_rows": 40},
        "metrics": {"alarm_rate": "<= 0.5"},
    },
    "train": {"models": {"main": {"kind": "pca", "components": 1}}},
}


def start_seconds(repeats: int) -> list[float]:
    """Seconds of a process that prepares what is prepared already.

    Parameters
    ----------
    repeats : int
        How often it is started, after a first time that has the work to do.

    Returns
    -------
    list of float, s
        From the call to the end of the process. Call it before this process meets MPI.
    """
    with tempfile.TemporaryDirectory(prefix="lumipipe-bench-") as name:
        folder = Path(name)
        rows = "".join(f"{row % 7},{row * row % 11}\n" for row in range(60))
        (folder / "rows.csv").write_text(f"a,b\n{rows}", encoding="utf-8")
        request = folder / "request.yaml"
        request.write_text(json.dumps(_REQUEST), encoding="utf-8")  # JSON is YAML
        plan = folder / "plan.json"
        plan.write_text(_said("plan", request, folder), encoding="utf-8")
        words = ("prepare", request, folder, "--plan", str(plan))
        _said(*words)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            _said(*words)
            seconds.append(time.perf_counter() - start)
    return seconds


def job_seconds(python: Path, repeats: int) -> list[float]:
    """Seconds that a job takes beside its verb: in each Snakemake starts twice.

    Parameters
    ----------
    python : Path
        The interpreter of the head environment.
    repeats : int
        How often it is done, after a first time that reads everything from the disk.

    Returns
    -------
    list of float, s
        Of two starts, each for one rule that has nothing to do.
    """
    with tempfile.TemporaryDirectory(prefix="lumipipe-bench-") as name:
        snakefile = Path(name) / "Snakefile"
        snakefile.write_text("rule nothing:\n    shell: 'true'\n", encoding="utf-8")
        line = [python, "-m", "snakemake", "--snakefile", snakefile, "--directory", name]
        seconds = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            for _ in range(2):
                _ran([*map(str, line), "--cores", "1", "--quiet", "all"])
            seconds.append(time.perf_counter() - start)
    return seconds[1:]


def _said(verb: str, request: Path, out: Path, *options: str) -> str:
    """What a verb said."""
    line = [sys.executable, "-m", "lumipipe", verb, str(request), "--out", str(out / "out")]
    return _ran([*line, *options])


def _ran(line: list[str]) -> str:
    """What a command said; it must succeed."""
    done = subprocess.run(line, env=without_launcher(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def seconds_since_start() -> float:
    """Seconds since the launcher was called, if it was noted; else since this process began."""
    told = os.environ.get(STARTED)
    if told:
        return time.time() - float(told)
    # Field 22 of stat: ticks from boot to the start of the process (proc(5)).
    ticks = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
