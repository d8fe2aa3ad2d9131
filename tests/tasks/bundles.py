"""Runs that bundles are made of, and a Python that has NumPy and nothing else."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from command import Said
from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.families.interface import Model
from lumipipe.store.artifact import read_arrays
from lumipipe.tasks.bundle import bundle
from lumipipe.tasks.folding import run_pass
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import Plan, Start
from lumipipe.tasks.train import MODEL, open_job
from lumipipe.timing import Timer
from running import answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves

MADE, LAST = date(2024, 1, 1), "2999-12-31"
_ALONE = """
import sys
sys.path[:0] = [sys.argv[1]]
for name in ("scipy", "pydantic", "array_api_compat", "lumipipe", "yaml"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} is there")
import runpy
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Run(NamedTuple):
    """A finished run, with what the family works on."""

    out: Path
    job: Job
    model: Model
    leaves: dict[str, Leaves]


def finished(request: Path, out: Path) -> Run:
    """A run up to its report, and the scores that its answer is made of."""
    done, loaded = answer(request, out), load_request(request)
    backend, comm = choose_backend("numpy"), SerialComm()
    report(loaded, done.stages, comm, backend, lambda _: None)
    starts = {verb: Start() for verb in done.stages}
    plan = Plan(request, out, "", 1, done.stages, starts)
    (out / "plan.json").write_text(json.dumps(plan.as_json()), encoding="utf-8")
    job = open_job(loaded, done.stages, backend)
    model = Model(*read_arrays(done.product("train") / MODEL))
    leaves = {
        name: run_pass(work, backend, comm, None, 2**26, Timer(), lambda _: None)
        for name, work in loaded.family.score_passes(job, model).items()
    }
    return Run(out, job, model, leaves)


def bundled(out: Path, folder: Path) -> Path:
    """The bundle of a run, of an early day, so that tests may choose what today is."""
    said: list[str] = []
    assert bundle(out, folder, LAST, said.append, MADE) == 0
    return folder


def alone(site: Path, *words: object) -> Said:
    """``python WORDS`` where only the standard library and NumPy can be imported."""
    site.mkdir(exist_ok=True)
    home = Path(np.__file__).resolve().parent
    for name in (home, home.with_name("numpy.libs")):
        if name.exists() and not (site / name.name).exists():
            (site / name.name).symlink_to(name)
    command = [sys.executable, "-I", "-S", "-c", _ALONE, str(site), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def write_columns(path: Path, columns: Mapping[str, Any], units: Mapping[str, str]) -> Path:
    """A CSV with all digits, its header as a bundle wants it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"{name} [{units[name]}]" for name in columns])
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if np.isnan(value) else repr(float(value)) for value in row])
    return path


def read_answers(text: str) -> dict[str, np.ndarray]:
    """Columns of what ``score.py`` printed; NaN where there is no answer."""
    head, *lines = list(csv.reader(text.splitlines()))
    columns: dict[str, np.ndarray] = {}
    for name, cells in zip(head, zip(*lines, strict=True), strict=True):
        columns[name] = np.array(cells, dtype=object) if name in TEXTS else _numbers(cells)
    return columns


TEXTS = ("refused", "class", "set", "act")


def _numbers(cells: Sequence[str]) -> np.ndarray:
    return np.array([float(cell) if cell else np.nan for cell in cells])
