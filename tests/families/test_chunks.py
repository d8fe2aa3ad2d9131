"""What is computed together and what is stored together is nobody's business but ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from running import answer
from small_requests import FAMILIES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
_WHOLE = 10_000  # more than any small request has


def chunk_settings(request: Path) -> list[tuple[str, ...]]:
    """Where the request of a family says how much is computed together."""
    loaded = yaml.safe_load(request.read_text(encoding="utf-8"))["train"]
    found = [(name,) for name in loaded if name.endswith("_per_chunk")]
    inner = {key: loaded.get(key, {}) for key in ("classifier", "events", "intensity")}
    return found + [
        (key, name) for key in inner for name in inner[key] if name.endswith("_per_chunk")
    ]


def set_chunks(family: str, folder: Path, size: int) -> Path:
    """The small request of a family with another number of windows in a chunk."""
    folder.mkdir()
    changes: dict[str, Any] = {}
    for place in chunk_settings(FAMILIES[family](folder)):
        inside = changes
        for name in place[:-1]:
            inside = inside.setdefault(name, {})
        inside[place[-1]] = size
    assert changes, "no setting tells how much is computed together"
    return FAMILIES[family](folder, train=changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_any_chunks_give_the_same_answer(tmp_path: Path, family: str) -> None:
    """Equal up to rounding: sums are made in another order (1e-16 a sum, thousands of them)."""
    found = [
        answer(set_chunks(family, tmp_path / str(size), size), tmp_path / str(size) / "out").result
        for size in (1, 7, 64, _WHOLE)
    ]
    for other in found[1:]:
        assert (other.verdict, other.counts) == (found[0].verdict, found[0].counts)
        for one, two in zip(found[0].metrics, other.metrics, strict=True):
            for name in ("value", "lower", "upper"):
                a, b = getattr(one, name), getattr(two, name)
                np.testing.assert_allclose(
                    np.asarray(a, float), np.asarray(b, float), rtol=1e-6, atol=1e-9
                )
        units = [[(u.id, u.verdict) for u in result.units] for result in (found[0], other)]
        assert units[0] == units[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_any_chunks_of_the_store_give_the_same_bytes(tmp_path: Path, family: str) -> None:
    answers = []
    for size in (1024, 7000, 2**20):
        folder = tmp_path / str(size)
        folder.mkdir()
        settings = {"chunk_bytes": size, "shard_bytes": 2**20, "workers": 1}
        done = answer(FAMILIES[family](folder, prepare=settings), folder / "out")
        answers.append(json.dumps(done.result.model_dump(mode="json", exclude={"run"})))
    assert answers[0] == answers[1] == answers[2]
