"""A request run in this process from its files to its answer, for tests of what comes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from threadpoolctl import threadpool_limits

from conftest import ROOT
from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.reporting.result import Result
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.request import load_request
from lumipipe.tasks.score import score
from lumipipe.tasks.shown import RESULT
from lumipipe.tasks.train import train

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.comm import Comm
    from lumipipe.tasks.stages import Stage


class Done(NamedTuple):
    """A finished run: its answer and where its products are."""

    result: Result
    stages: dict[str, Stage]

    def product(self, verb: str) -> Path:
        """Folder of a verb's product."""
        return self.stages[verb].manifest.with_suffix("")


def ready_request(name: str, folder: Path, data: Path, **replaced: str) -> Path:
    """A copy of config/requests/NAME.yaml whose data paths lead to `data`."""
    text = (ROOT / "config" / "requests" / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace("source: data/", f"source: {data}/")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def answer(request: Path, out: Path, comm: Comm | None = None) -> Done:
    """Prepare, train and score on one rank, or on the ranks of `comm`."""
    loaded, ranks = load_request(request), comm or SerialComm()
    stages = plan_run(loaded, out, _quiet)
    backend = choose_backend("numpy")
    with threadpool_limits(1):
        prepare(loaded.request, loaded.base, stages["prepare"], ranks, _quiet)
        train(loaded, stages, ranks, backend, _quiet)
        score(loaded, stages, ranks, backend, _quiet)
    text = (stages["score"].manifest.with_suffix("") / RESULT).read_text(encoding="utf-8")
    return Done(Result.model_validate(json.loads(text)), stages)


def _quiet(line: str) -> None:
    """Ignore a line of progress."""
