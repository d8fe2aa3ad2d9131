"""One verb run on a sample in a process of its own, with a note of what it costs.

The family is watched from outside: it is called as ever, and what it declares and how long it
takes is noted, so a new family needs nothing to be quoted. Which data are sampled and how often
is in `lumipipe.tasks.quoting.sampling`; this module imports no more than the verb itself would.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import pairwise, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from threadpoolctl import threadpool_limits

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm, pack, unpack
from lumipipe.comm.threads import AbortedError, run_ranks
from lumipipe.errors import InputError
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.quoting.costs import PassCost, StageCost
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import Stage

if TYPE_CHECKING:
    from lumipipe.backend import Backend
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Block, Family, Job, Model, Outcome, Pass
    from lumipipe.fold import Leaves, Reducer
    from lumipipe.store.manifest import Manifest
    from lumipipe.tasks.request import Loaded

SAMPLE = "sample.json"
# Linux gives KiB, macOS bytes (man 2 getrusage of each).
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
_FIT_RANKS = 2  # how much of a fit ranks share is seen with two


class _Moment(NamedTuple):
    """A time on the clock, and how long this process has computed by then."""

    clock_s: float
    computed_s: float

    def until(self, later: _Moment) -> float:
        """Seconds of computing: waiting for a disk or for a core that others have is none.

        Threads that compute side by side count as long as they took.
        """
        return min(later.clock_s - self.clock_s, later.computed_s - self.computed_s)


def _now() -> _Moment:
    return _Moment(time.perf_counter(), time.process_time())


@dataclass
class _Watched:
    """A family that notes what it is asked and when.

    Parameters
    ----------
    family : Family
        What answers.
    """

    family: Family
    begun: dict[str, dict[str, _Moment]] = field(default_factory=dict)
    passes: dict[str, dict[str, Pass]] = field(default_factory=dict)
    leaves: dict[str, dict[str, Leaves]] = field(default_factory=dict)
    folded: dict[str, _Moment] = field(default_factory=dict)
    fit_s: float = 0.0
    fit_shared_s: float = 0.0
    fit_took_s: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.family, name)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """The family's passes, watched."""
        return self._watch("train", self.family.train_passes(job))

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """The family's passes, watched."""
        return self._watch("score", self.family.score_passes(job, model))

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The family's model, fitted by two ranks to see what they share."""
        del comm
        self._note("train", leaves)
        before = _now()
        model, self.fit_s, self.fit_shared_s = _fitted(self.family, job, leaves)
        self.fit_took_s = before.until(_now())
        return model

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """The family's answer."""
        self._note("score", leaves)
        return self.family.judge(job, model, leaves)

    def _watch(self, verb: str, passes: dict[str, Pass]) -> dict[str, Pass]:
        self.passes[verb] = passes
        self.begun[verb] = {}
        return {name: self._watched(verb, name, work) for name, work in passes.items()}

    def _watched(self, verb: str, name: str, work: Pass) -> Pass:
        """A pass that notes when its first chunk is measured."""

        def measure(block: Block) -> Any:
            self.begun[verb].setdefault(name, _now())
            return work.measure(block)

        return replace(work, measure=measure)

    def _note(self, verb: str, leaves: dict[str, Leaves]) -> None:
        self.folded[verb] = _now()
        self.leaves[verb] = leaves


def _fitted(family: Family, job: Job, leaves: dict[str, Leaves]) -> tuple[Model, float, float]:
    """The model, seconds of work of the fit on one rank, and those that ranks share.

    The ranks are threads: what each computes is told by its own clock, on any number of cores.
    """

    def one_rank(comm: Comm) -> tuple[Model, float]:
        before = time.thread_time()
        own = leaves if comm.rank == 0 else dict.fromkeys(leaves, cast("Leaves", {}))
        return family.fit(job, own, comm), time.thread_time() - before

    try:
        (model, first_s), *others = run_ranks(_FIT_RANKS, one_rank)
    except AbortedError:  # one waited too long for the other: then nothing counts as shared
        model, alone_s = one_rank(SerialComm())
        return model, alone_s, 0.0
    total_s = first_s + sum(seconds for _, seconds in others)
    longest_s = max(first_s, *(seconds for _, seconds in others))
    shared_s = (total_s - longest_s) * _FIT_RANKS / (_FIT_RANKS - 1)
    return model, total_s, min(shared_s, total_s)


def cost_of(loaded: Loaded, verb: str, folder: Path, backend: Backend) -> StageCost:
    """What one verb costs on the data that a request names.

    Parameters
    ----------
    loaded : Loaded
        The request about a sample.
    verb : str
        The verb; the products of those before it stand in `folder`.
    folder : Path
        Where its product goes.
    backend : Backend
        What computes.

    Returns
    -------
    StageCost
        Seconds of work, shapes and bytes.

    Raises
    ------
    InputError
        If the sample is too little for the family, such as too few groups to hold out.
    """
    # As on the command line: one module a verb, for those of the others take long to import.
    work = getattr(import_module(f"lumipipe.tasks.{verb}"), verb)
    watched = _Watched(loaded.family)
    sample = replace(loaded, family=cast("Family", watched))
    stages, comm = sample_stages(folder), SerialComm()
    before = _now()
    if verb == "prepare":
        work(sample.request, sample.base, stages[verb], comm, _unheard, is_sample=True)
    else:
        work(sample, stages, comm, backend, _unheard)
    spent_s = before.until(_now())
    return _stage_cost(watched, verb, spent_s, read_manifest(stages[verb].manifest), backend)


def sample_stages(folder: Path) -> dict[str, Stage]:
    """Stages whose products go into a folder."""
    return {
        verb: Stage(verb, "sample", {"code": "sample"}, folder / verb / "sample.json", "a sample")
        for verb in ("prepare", "train", "score")
    }


def _unheard(line: str) -> None:
    """Ignore a line of progress."""


def _stage_cost(
    watched: _Watched, verb: str, spent_s: float, done: Manifest, backend: Backend
) -> StageCost:
    """The cost of one stage from what was noted."""
    written = sum(file.size for file in done.files.values())
    facts = {"spent_s": spent_s, "written_bytes": written, "written_files": len(done.files)}
    if verb == "prepare":
        return StageCost(
            passes={
                "files": PassCost(seconds=spent_s, chunks=1, trees=0, state_bytes=0, merge_s=0)
            },
            **facts,
        )
    edges = [*watched.begun[verb].values(), watched.folded[verb]]
    took = dict(zip(watched.begun[verb], starmap(_Moment.until, pairwise(edges)), strict=True))
    passes = {
        name: _pass_cost(work, watched.leaves[verb][name], took.get(name, 0.0), backend)
        for name, work in watched.passes[verb].items()
    }
    fits = verb == "train"
    rest = spent_s - sum(item.seconds for item in passes.values())
    return StageCost(
        passes=passes,
        fit_s=watched.fit_s if fits else 0.0,
        fit_shared_s=watched.fit_shared_s if fits else 0.0,
        once_s=max(0.0, rest - (watched.fit_took_s if fits else 0.0)),
        **facts,
    )


def _pass_cost(work: Pass, leaves: Leaves, seconds: float, backend: Backend) -> PassCost:
    """The cost of one pass."""
    trees = len(work.plan.trees)
    state_bytes = sum(array.nbytes for state in leaves.values() for array in state.values())
    largest = max(leaves.values(), key=_bytes_of, default={})
    return PassCost(
        seconds=seconds,
        chunks=len(work.plan.chunks),
        trees=trees,
        state_bytes=state_bytes / max(1, trees),
        merge_s=_merge_s(work.reducer, largest, backend) if largest else 0.0,
    )


def _bytes_of(state: dict[str, Any]) -> int:
    return sum(int(array.nbytes) for array in state.values())


def _merge_s(reducer: Reducer, state: dict[str, Any], backend: Backend) -> float:
    """Seconds of sending a state as bytes, but for the way, and merging it with another."""
    before = _now()
    arrived = unpack(pack(state))
    merged = reducer.merge(backend.state_to_device(state), backend.state_to_device(arrived))
    backend.state_to_host(merged)  # sync: a device answers when it is done
    return before.until(_now())


def main(folder: Path, verb: str) -> int:
    """Run a verb on the sample in a folder and leave there what it costs, or why it cannot run."""
    form = json.loads((folder / SAMPLE).read_text(encoding="utf-8"))
    loaded = load_request(Path(form["request"]))
    update = {
        "data": [
            type(source).model_validate(source.model_dump(exclude_unset=True) | changed)
            for source, changed in zip(loaded.request.data, form["sources"], strict=True)
        ]
    }
    loaded = replace(loaded, request=loaded.request.model_copy(update=update))
    try:
        with threadpool_limits(1):
            cost = cost_of(loaded, verb, folder, choose_backend(form["backend"]))
    except InputError as error:
        words = [type(error).__name__, error.place, error.problem, error.remedy]
        (folder / f"{verb}.refused.json").write_text(json.dumps(words), encoding="utf-8")
        return InputError.exit_code
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = cost.model_copy(update={"peak_bytes": peak * _MAXRSS_BYTES}).model_dump_json()
    (folder / f"{verb}.cost.json").write_text(told, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
