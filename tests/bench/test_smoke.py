"""Each race runs, small and once, so that it cannot rot; `make bench` runs them in full."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.rivals import Outcome, Race, Rival
from bench.table import markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.rivals import Run

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
RACES = [
    pytest.param(
        getattr(module, name),
        id=f"{module.__name__.removeprefix('bench.')}:{name}",
        # The peer compiles its loops first.
        marks=[pytest.mark.slow] if module.__name__.endswith("convolution") else [],
    )
    for module in (importlib.import_module(f"bench.{name}") for name in MODULES)
    for name in vars(module)
    if name.startswith("bench_")
]


def twice(run: Run) -> None:
    """A warm-up and a round."""
    run()
    run()


@pytest.mark.parametrize("bench", RACES)
def test_contenders_agree(bench: Callable[[Race], None], tmp_path: Path) -> None:
    race = Race(twice, tmp_path, small=True)
    bench(race)
    (outcome,) = race.outcomes
    assert outcome.difference <= outcome.tolerance
    assert outcome.name in markdown(race.outcomes)


def test_wrong_answer_fails(tmp_path: Path) -> None:
    race = Race(twice, tmp_path, small=True)
    with pytest.raises(pytest.fail.Exception, match="differs from peer by 2"):
        race("x", "1", lambda: 3, Rival("p", lambda: 1), Rival("l", int), lambda a, b: a - b, 0.5)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ([1.0, 1.0, 9.0], "ahead, target met"),
        ([2.0, 2.0, 2.0], "tie, target missed"),
        ([9.0, 9.0, 1.0], "behind, target missed"),
    ],
)
def test_ratio_is_the_median_within_rounds(ours: list[float], verdict: str) -> None:
    seconds = {"ours": ours, "peer": [2.0, 2.0, 2.0], "limit": [0.5, 0.5, 0.5]}
    outcome = Outcome("n", "s", "p", "l", seconds, 1.5, 0.0, 0.0, "peer", "")
    assert outcome.verdict == verdict
    assert outcome.fraction == pytest.approx(0.5 / sorted(ours)[1])
