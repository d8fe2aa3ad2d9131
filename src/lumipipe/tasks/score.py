"""The verb ``score``: fold the family's metrics over the dataset and judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.families.interface import Model
from lumipipe.families.page_one import with_page_one
from lumipipe.families.pages.build import with_pages
from lumipipe.language import speaking
from lumipipe.store.artifact import read_arrays, write_arrays, write_table
from lumipipe.store.files import remove_tree, write_json
from lumipipe.store.manifest import is_published, publishing, read_manifest
from lumipipe.store.sharing import agreed
from lumipipe.tasks.registered import begin_scoring
from lumipipe.tasks.shown import RESULT
from lumipipe.tasks.train import MODEL, fold_folder, folded, open_job, run_record, tell
from lumipipe.timing import Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Backend
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Job, Outcome
    from lumipipe.fold import Leaves
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

SCORER = "scorer"
"""What of the score stage's product answers new rows; of families that have such a thing."""


def score(loaded: Loaded, stages: dict[str, Stage], comm: Comm, backend: Backend, log: Log) -> int:
    """Test the model and publish the answer with its tables.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : dict of str to Stage
        The plan.
    comm : Comm
        The ranks.
    backend : Backend
        Where it is computed.
    log : callable of str
        Progress.

    Returns
    -------
    int
        0.

    Raises
    ------
    StoreError
        If the dataset or the model is not there or is damaged.
    InputError
        If the registered plan or its log was changed; put back a copy.
    """
    stage, timer = stages["score"], Timer()
    out, plan = stage.manifest.parent.parent, None
    if comm.rank == 0:
        plan = begin_scoring(loaded, stages, out, log)
    # One answer for all, and none looks at the test slice before the plan is on the disk.
    if agreed(comm, lambda: is_published(stage.manifest)):
        log("score: nothing to do")
        return 0
    trained = read_manifest(stages["train"].manifest)
    model = Model(*read_arrays(trained.product / MODEL))
    # Limits belong to the judgement: what was trained does not know them.
    job = replace(open_job(loaded, stages, backend), rules=loaded.rules)
    leaves = folded(
        loaded, stage, loaded.family.score_passes(job, model), comm, backend, timer, log
    )
    if comm.rank == 0:
        with timer.part("judge"):
            with speaking(loaded.request.language):
                found = with_page_one(job, loaded.family.judge(job, model, leaves))
                outcome = with_pages(job, model, found)
            scorer = _scorer(loaded, job, model, leaves)
        with timer.part("write"):
            run = run_record(backend, comm, timer) | ({} if plan is None else {"plan": plan})
            _publish(stage, outcome, scorer, run, log)
        tell(timer, "score", comm, log)
    comm.barrier()
    return 0


def _scorer(loaded: Loaded, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model | None:
    """What answers new rows without the data; None where the family has no such thing."""
    made: Callable[..., Model | None] | None = getattr(loaded.family, "scorer", None)
    return None if made is None else made(job, model, leaves)


def _publish(
    stage: Stage, outcome: Outcome, scorer: Model | None, run: dict[str, object], log: Log
) -> None:
    """Write the answer, its tables and the manifest, and drop the checkpoints."""
    record, product = {"ingredients": stage.ingredients}, stage.manifest.with_suffix("")
    with publishing(stage.manifest, product, record, run=run, log=log) as staging:
        write_json(staging / RESULT, outcome.result.model_dump(mode="json"))
        for name, columns in outcome.tables.items():
            write_table(staging / f"{name}.parquet", columns)
        if scorer is not None:
            write_arrays(staging / SCORER, scorer.arrays, scorer.card)
    remove_tree(fold_folder(stage))
