"""Remaining lives: units held out, intervals, and no number where nothing was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError
from lumipipe.families.life_scores import life_by_age
from lumipipe.reporting.parts import Interval
from running import answer
from small_requests import DROP, change, remaining_life, worn_pumps, write_csv, write_pumps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.reporting.result import Result, Unit

pytestmark = pytest.mark.slow
LEFT = "remaining life, days"


def metric(result: Result, name: str) -> float | None:
    """Value of a metric."""
    (found,) = [m.value for m in result.metrics if m.name == name]
    return found


def unit(result: Result, name: str) -> Unit:
    """The entry of a unit."""
    (found,) = [u for u in result.units if u.id == name]
    return found


def edited(folder: Path, edit: Callable[[np.ndarray], None], **changes: Any) -> Result:
    """The answer when the rows of the pump 02 that runs are changed."""
    request = remaining_life(folder, **changes)
    file = folder / "raw" / "running.csv"
    rows = np.loadtxt(file, delimiter=",", skiprows=1)
    mine = rows[rows[:, 0] == 2]
    edit(mine)
    rows[rows[:, 0] == 2] = mine
    write_pumps(file, rows)
    return answer(request, folder / "out").result


def test_lives_of_stopped_units_are_found(tmp_path: Path) -> None:
    done = answer(remaining_life(tmp_path), tmp_path / "out")
    result = done.result
    assert len(result.units) == 6
    # Wear grows as exp(-days / 20), and its noise of 0.1 is half a day to two at these lives.
    assert (metric(result, "rmse") or 99) < 3
    # Pump 00 has 52 days left and pump 05 43: 12 and 3 above the cap.
    whole, clipped = metric(result, "rmse_unclipped"), metric(result, "rmse")
    assert (whole or 0) > (clipped or 0)
    found = unit(result, "running-02").values[LEFT]
    assert isinstance(found, Interval)
    assert (found.lower or 99) <= 19 <= (found.upper or 0)
    assert unit(result, "running-02").verdict.endswith("days")
    assert unit(result, "running-00").verdict.startswith("at least")
    assert {test.status for test in result.leakage} <= {"none", "not_tested"}


def test_a_short_history_is_answered_by_short_windows(tmp_path: Path) -> None:
    done = answer(remaining_life(tmp_path), tmp_path / "out")
    lives = pq.read_table(done.product("score") / "lives.parquet").to_pandas()
    assert set(lives["window_rows"]) == {4, 10}
    assert (lives["window_rows"] == np.where(lives["age"] < 10, 4, 10)).all()
    assert lives["age"].min() == 4
    assert not lives.duplicated(["unit", "age"]).any()
    # Running-00 has five rows, and still its answer.
    assert isinstance(unit(done.result, "running-00").values[LEFT], Interval)
    none = answer(remaining_life(tmp_path / "b", train={"shorter_windows": []}), tmp_path / "o")
    assert unit(none.result, "running-00").verdict == "history too short"
    reasons = [n.question for n in none.result.not_answered]
    assert "How long does each of these last: running-00, running-05?" in reasons


@pytest.mark.parametrize(
    ("column", "shift"),
    [
        (1, 0.5),  # another load: the model does not predict from it, but it is watched
        (3, 8.0),  # an input past its range
        (4, 0.5),  # a constant that is not what it was
    ],
)
def test_another_regime_gets_no_number(tmp_path: Path, column: int, shift: float) -> None:
    def edit(rows: np.ndarray) -> None:
        rows[:, column] += shift

    found = unit(edited(tmp_path, edit), "running-02")
    assert found.verdict == "outside the trained range"
    assert LEFT not in found.values


def test_a_load_that_is_not_watched_is_not_seen(tmp_path: Path) -> None:
    """So that the test before this one can fail."""

    def edit(rows: np.ndarray) -> None:
        rows[:, 1] += 0.5

    found = unit(edited(tmp_path, edit, train={"watched": []}), "running-02")
    assert found.verdict.endswith("days")


def test_a_missing_reading_gets_no_number(tmp_path: Path) -> None:
    def edit(rows: np.ndarray) -> None:
        rows[-2, 2] = np.nan

    result = edited(tmp_path, edit)
    assert unit(result, "running-02").verdict == "no reading"
    assert result.counts["rows with a missing reading"] == 2  # the last windows of ten rows


def test_labels_of_tested_units_change_no_prediction(tmp_path: Path) -> None:
    first = answer(remaining_life(tmp_path), tmp_path / "a")
    file = tmp_path / "raw" / "left.txt"
    lives = np.loadtxt(file)
    file.write_text("".join(f"{life + 30:g}\n" for life in lives), encoding="utf-8")
    second = answer(tmp_path / "request.yaml", tmp_path / "b")
    one, two = (
        pq.read_table(d.product("score") / "lives.parquet").to_pandas() for d in (first, second)
    )
    columns = ["predicted", "half_width", "inside_envelope"]
    assert one[columns].equals(two[columns])
    # All lives are longer than was predicted, so all errors are early ones.
    assert metric(second.result, "late") is None
    assert (metric(second.result, "early") or 0) > 0
    assert (metric(second.result, "phm08") or 0) > (metric(first.result, "phm08") or 0)


def test_lives_that_nobody_knows_are_predicted_and_not_judged(tmp_path: Path) -> None:
    request = remaining_life(tmp_path, train={"remaining": DROP})
    result = answer(request, tmp_path / "out").result
    assert metric(result, "rmse") is None
    assert isinstance(unit(result, "running-02").values[LEFT], Interval)
    assert "nothing says how right they are" in result.answer
    assert any("How right" in item.question for item in result.not_answered)
    assert result.verdict == "inconclusive"


def test_each_unit_can_be_held_out_in_turn(tmp_path: Path) -> None:
    lives = np.random.default_rng(23).integers(30, 60, size=24)
    request = remaining_life(tmp_path, evaluation={"split": {"kind": "group", "by": "unit"}})
    write_pumps(tmp_path / "raw" / "failed.csv", worn_pumps(lives, lives, 0))
    request = change(request, evaluation={"split": {"train": DROP, "test": DROP}})
    done = answer(
        change(request, data={1: {"labels": {"left": {"spare": DROP}}}}), tmp_path / "out"
    )
    result = done.result
    assert len(result.units) == 30
    assert (metric(result, "rmse") or 99) < 4
    assert {test.status for test in result.leakage} <= {"none", "not_tested"}
    coverage = result.coverage
    assert coverage is not None
    assert (coverage.upper or 0) >= 0.9


def test_one_run_is_not_enough(tmp_path: Path) -> None:
    request = remaining_life(tmp_path)
    lives = np.array([40])
    write_pumps(tmp_path / "raw" / "failed.csv", worn_pumps(lives, lives, 0))
    result = answer(request, tmp_path / "out").result
    assert result.verdict == "not_supported"
    assert not result.metrics
    assert {u.verdict for u in result.units} == {"not supported: one run"}
    assert not any(u.values for u in result.units)
    section = next(s for s in result.sections if s.title == "Health indicators")
    table = section.figures[0]
    assert table.rows[0][0] == "wear"
    assert "Constant, so without rank: level." in section.paragraphs


def test_indicators_are_ranked(tmp_path: Path) -> None:
    result = answer(remaining_life(tmp_path), tmp_path / "out").result
    section = next(s for s in result.sections if s.title == "Health indicators")
    assert section.figures[0].rows[0][:2] == [1, "wear"]
    assert "Constant, so without rank: level." in section.paragraphs


def test_lives_by_recording(tmp_path: Path) -> None:
    """Bearings that are listened to each ten seconds, louder and louder."""
    rng = np.random.default_rng(29)
    for bearing in range(8):
        life = int(rng.integers(12, 20))
        for snapshot in range(life):
            loud = np.exp(-(life - 1 - snapshot) / 5)
            signal = loud * rng.normal(size=(64, 1))
            write_csv(tmp_path / "raw" / f"b{bearing}" / f"s_{snapshot + 1:03}.csv", "v", signal)
    request = remaining_life(
        tmp_path,
        data=[
            {
                "id": "shots",
                "source": "raw/b*/s_*.csv",
                "format": "csv",
                "read": {"delimiter": ",", "decimal": "."},
                "recordings": {
                    "pattern": r"(?P<bearing>b\d)/s_(?P<shot>\d+)",
                    "id": "{bearing}-{shot}",
                    "unit": "{bearing}",
                },
                "time": {"kind": "regular", "rate_hz": 1000},
                "channels": [{"name": "v", "quantity": "acceleration", "unit": "m/s2"}],
            }
        ],
        evaluation={"split": {"kind": "group", "by": "unit", "train": DROP, "test": DROP}},
        train={
            "life": {"per": "recording", "order": "shot", "step": 10, "unit": "s"},
            "cap": 100,
            "edges": DROP,
            "remaining": DROP,
            "inputs": DROP,
            "watched": DROP,
            "window_rows": 64,
            "hop_rows": 64,
            "shorter_windows": DROP,
            "features": {"statistics": {}, "trend": DROP, "random_fourier": DROP},
            "indicators": {"statistics": {}},
            "indicator_rows": 64,
        },
    )
    done = answer(request, tmp_path / "out")
    lives = pq.read_table(done.product("score") / "lives.parquet").to_pandas()
    b0 = lives[lives["unit"] == "b0"]
    count = len(b0)
    assert b0["age"].tolist() == [10.0 * (n + 1) for n in range(count)]
    assert b0["life"].tolist() == [10.0 * (count - 1 - n) for n in range(count)]
    # 64 samples tell the level to 9 %, which is half a step of 10 s.
    error = lives["predicted"] - np.minimum(lives["life"], 100)
    assert np.sqrt((error**2).mean()) < 15
    section = next(s for s in done.result.sections if s.title == "Health indicators")
    assert section.figures[0].rows[0][1] in {"v:rms", "v:sd", "v:log_sd"}


def test_what_age_alone_says() -> None:
    lives = np.array([10.0, 20.0, 200.0])
    found = life_by_age(lives, np.array([0.0, 10.0, 20.0, 300.0]), 100.0)
    # Lives as long as the age are over; the rest is capped before the mean.
    np.testing.assert_allclose(found, [130 / 3, (10 + 100) / 2, 100.0, 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": {"split": {"kind": "none", "train": DROP, "test": DROP}}}, "hold units"),
        (
            {"evaluation": {"split": {"train": ["failed"], "calibrate": ["running"]}}},
            "calibrates while it is held out",
        ),
        ({"train": {"remaining": "rest"}}, "no label rest"),
        ({"train": {"watched": ["speed"]}}, "no channel speed"),
        ({"train": {"fold_by": "source"}}, "fold_by is not for remaining lives"),
        ({"train": {"shorter_windows": [4, 5]}}, "do not fall"),
        ({"train": {"edges": [20, 50]}}, "do not rise up to the cap"),
        ({"train": {"life": {"per": "recording"}}}, "needs the order"),
        ({"train": {"inputs": ["speed"]}}, "no channel speed"),
        ({"evaluation": {"metrics": {"phm08": ">= 10"}}}, "asks for the bad side"),
        ({"data": {1: {"recordings": {"unit": "failed-{pump:02}"}}}}, "both teaches and tests"),
        ({"data": {0: {"recordings": {"unit": "all"}}}}, "has several recordings"),
    ],
)
def test_what_cannot_be_answered_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        answer(remaining_life(tmp_path, **changes), tmp_path / "out")


def test_a_label_that_is_no_life_is_refused(tmp_path: Path) -> None:
    request = remaining_life(tmp_path)
    (tmp_path / "raw" / "left.txt").write_text("1\n2\n-3\n4\n5\n6\n", encoding="utf-8")
    with pytest.raises(InputError, match="'-3' is no remaining life"):
        answer(request, tmp_path / "out")
