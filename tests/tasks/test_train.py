"""Train and score on ranks that are threads: the same bytes for any number, for each family.

The same on real MPI ranks is in `tests/mpi/test_ranks.py`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.comm.threads import run_ranks
from lumipipe.errors import StoreError
from lumipipe.store.manifest import is_published, read_manifest
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.request import load_request
from lumipipe.tasks.score import score
from lumipipe.tasks.train import fold_folder, train
from small_requests import FAMILIES, activity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.comm import Comm
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

NUMPY = choose_backend("numpy")
SILENT: Callable[[str], None] = lambda _: None  # noqa: E731


def verbs(loaded: Loaded, stages: dict[str, Stage], comm: Comm) -> None:
    """Prepare, train and score on one rank of several."""
    prepare(loaded.request, loaded.base, stages["prepare"], comm, SILENT)
    train(loaded, stages, comm, NUMPY, SILENT)
    score(loaded, stages, comm, NUMPY, SILENT)


def digests(request: Path, ranks: int) -> dict[str, str]:
    """The digest of each verb's product, files and record, made on some ranks."""
    loaded = load_request(request)
    stages = plan_run(loaded, request.parent / f"out{ranks}", SILENT)
    run_ranks(ranks, lambda comm: verbs(loaded, stages, comm))
    return {
        verb: read_manifest(stages[verb].manifest, checksums=True).digest
        for verb in ("prepare", "train", "score")
    }


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_ranks_change_no_byte(tmp_path: Path, family: str) -> None:
    request = FAMILIES[family](tmp_path)
    assert digests(request, 3) == digests(request, 1)


@pytest.mark.slow
def test_more_ranks_than_chunks_change_no_byte(tmp_path: Path) -> None:
    request = FAMILIES["monitoring"](tmp_path, train={"rows_per_chunk": 64})
    alone = digests(request, 1)
    assert all(digests(request, ranks) == alone for ranks in (2, 5))


@pytest.mark.parametrize("slow", [1, 2])
@pytest.mark.parametrize("verb", [train, score])
def test_a_slow_rank_does_not_leave_the_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: Callable[..., int], slow: int
) -> None:
    """It looks for the product when rank 0, which had all the work, has published it."""
    loaded = load_request(FAMILIES["monitoring"](tmp_path, train={"rows_per_chunk": 64}))
    stages = plan_run(loaded, tmp_path / "out", SILENT)
    prepare(loaded.request, loaded.base, stages["prepare"], SerialComm(), SILENT)
    if verb is score:
        train(loaded, stages, SerialComm(), NUMPY, SILENT)
    here = threading.local()

    def late(manifest: Path, key: str | None = None) -> bool:
        until = time.monotonic() + 20
        while here.rank == slow and not manifest.exists() and time.monotonic() < until:
            time.sleep(0.01)
        return is_published(manifest, key)

    def run(comm: Comm) -> int:
        here.rank = comm.rank
        return verb(loaded, stages, comm, NUMPY, SILENT)

    monkeypatch.setattr(f"{verb.__module__}.is_published", late)
    assert run_ranks(4, run) == [0] * 4


def test_a_model_without_its_dataset_is_refused(tmp_path: Path) -> None:
    loaded = load_request(activity(tmp_path))
    stages = plan_run(loaded, tmp_path / "out", SILENT)
    for verb in (train, score):
        with pytest.raises(StoreError, match="no finished product; run the stage first"):
            run_ranks(1, lambda comm, verb=verb: verb(loaded, stages, comm, NUMPY, SILENT))
    assert not (tmp_path / "out").exists()


def test_a_published_model_is_left_as_it_is(tmp_path: Path) -> None:
    request = FAMILIES["monitoring"](tmp_path)
    before = digests(request, 1)
    loaded = load_request(request)
    stages = plan_run(loaded, tmp_path / "out1", SILENT)
    said: list[str] = []
    run_ranks(1, lambda comm: train(loaded, stages, comm, NUMPY, said.append))
    assert said == ["train: nothing to do"]
    assert not fold_folder(stages["train"]).exists()
    assert digests(request, 1) == before
