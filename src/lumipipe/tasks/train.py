"""The verb ``train``: fold the family's reducer over the dataset and fit the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.backend import choose_backend
from lumipipe.families.interface import Job
from lumipipe.families.merging import joined_sites
from lumipipe.store.artifact import write_arrays
from lumipipe.store.checkpoint import FolderCheckpoint
from lumipipe.store.dataset import open_dataset
from lumipipe.store.files import remove_tree
from lumipipe.store.manifest import is_published, publishing
from lumipipe.store.sharing import agreed
from lumipipe.tasks.folding import run_pass
from lumipipe.tasks.leaves import Kept, write_leaves
from lumipipe.timing import Timer, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.backend import Backend
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Model, Pass
    from lumipipe.fold import Leaves
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

MODEL = "model"


def train(loaded: Loaded, stages: dict[str, Stage], comm: Comm, backend: Backend, log: Log) -> int:
    """Fit the model and publish it.

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
        If the dataset is not there or is damaged.
    """
    stage, timer = stages["train"], Timer()
    # One answer for all: a slow rank may look when the others have published already.
    if agreed(comm, lambda: is_published(stage.manifest)):
        log("train: nothing to do")
        return 0
    job = open_job(loaded, stages, backend)
    leaves = folded(loaded, stage, loaded.family.train_passes(job), comm, backend, timer, log)
    with timer.part("fit"):
        # The states are on the host, and eigenvalues are found there: CuPy lists its solvers as
        # unsupported on ROCm (docs/source/install.rst, 14.2).
        model = _fitted(loaded, replace(job, backend=choose_backend("numpy")), leaves, comm)
    if comm.rank == 0:
        with timer.part("write"):
            kept = _kept(loaded, job, leaves)
            publish_model(stage, model, run_record(backend, comm, timer), log, kept)
        tell(timer, "train", comm, log)
    comm.barrier()
    return 0


def _fitted(loaded: Loaded, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
    """The model, from states of units or, where the request names what sites are, of sites."""
    by = loaded.request.rights.site
    if by is None:
        return loaded.family.fit(job, leaves, comm)
    return joined_sites(loaded.family, job, leaves, by, comm)


def open_job(loaded: Loaded, stages: dict[str, Stage], backend: Backend) -> Job:
    """What the family works on, with the dataset opened and checked."""
    dataset = open_dataset(stages["prepare"].manifest)
    return Job(loaded.request, loaded.train, loaded.score, loaded.asset, dataset, backend)


def folded(  # wires one verb to every seam
    loaded: Loaded,
    stage: Stage,
    passes: dict[str, Pass],
    comm: Comm,
    backend: Backend,
    timer: Timer,
    log: Log,
) -> dict[str, Leaves]:
    """The leaves of the pass over each stream, resumed from what a killed run finished."""
    compute = loaded.request.compute
    leaves: dict[str, Leaves] = {}
    for name, work in passes.items():
        folder = fold_folder(stage) / name
        if comm.rank == 0:
            left = sorted(folder.glob("*-*"))
            if left:
                log(f"{stage.verb}: resumes from {len(left)} finished sub-trees of a killed run")
            chunks, windows = len(work.plan.chunks), len(work.plan.start)
            log(f"{stage.verb} {name}: {windows} windows in {chunks} chunks, {comm.size} rank(s)")
        checkpoint = FolderCheckpoint(folder, compute.checkpoint_s)
        leaves[name] = run_pass(work, backend, comm, checkpoint, compute.batch_bytes, timer, log)
    return leaves


def fold_folder(stage: Stage) -> Path:
    """Where the finished sub-trees of a stage's folds are kept until it is published."""
    return stage.manifest.parent / f".{stage.key}.fold"


def run_record(backend: Backend, comm: Comm, timer: Timer) -> dict[str, object]:
    """How a stage was run; nothing here may change a number of the answer."""
    return {
        "backend": backend.name,
        "device": backend.device,
        "ranks": comm.size,
        **timer.record(),
        "versions": versions(),
    }


def tell(timer: Timer, verb: str, comm: Comm, log: Log) -> None:
    """What the time of this rank went to."""
    for line in timer.table(verb if comm.size == 1 else f"{verb}, rank {comm.rank}"):
        log(line)


def _kept(loaded: Loaded, job: Job, leaves: dict[str, Leaves]) -> Kept | None:
    """What is kept beside the model of a request with a pool."""
    if loaded.request.rights.pool is None:
        return None
    return Kept(leaves, job.dataset.manifest.record["units"])


def publish_model(
    stage: Stage,
    model: Model,
    run: dict[str, object],
    log: Log,
    kept: Kept | None = None,
) -> None:
    """Write the model, leaves if they are kept, and the manifest; drop the checkpoints."""
    record: dict[str, object] = {"ingredients": stage.ingredients}
    if kept is not None:
        record["units"] = kept.units
    product: Path = stage.manifest.with_suffix("")
    with publishing(stage.manifest, product, record, run=run, log=log) as staging:
        write_arrays(staging / MODEL, model.arrays, model.card)
        if kept is not None:
            write_leaves(staging, kept.leaves)
    remove_tree(fold_folder(stage))
