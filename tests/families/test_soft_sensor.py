"""The family `soft_sensor` from files to answer, on rows whose causes are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError
from lumipipe.tasks.request import load_request
from running import answer
from small_requests import DROP, soft_sensor, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result, Unit
    from running import Done

INPUTS = ("a", "b", "c", "d", "e")


def metric(result: Result, name: str) -> Metric:
    return next(item for item in result.metrics if item.name == name)


def unit(result: Result, name: str) -> Unit:
    return next(item for item in result.units if item.id == name)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("small")
    return answer(soft_sensor(folder), folder / "out")


def test_what_is_missing_is_counted_and_no_row_is_dropped(small: Done) -> None:
    counts = small.result.counts
    assert counts["rows"] == 70
    assert counts["missing values in these rows, set to their mean"] == 10
    assert counts["rows with a missing input"] == 10
    assert counts["rows without a measured target"] == 8
    assert counts["rows that train"] == 45
    rows = pq.read_table(small.product("score") / "rows.parquet").to_pandas()
    assert np.isfinite(rows[["predicted_y", "predicted_z"]]).all(axis=None)
    assert rows["missing"].sum() == 10


def test_rows_unlike_the_training_rows_are_named_and_get_no_interval(small: Done) -> None:
    rows = pq.read_table(small.product("score") / "rows.parquet").to_pandas()
    odd = rows["row"] >= 60
    # Noise of 4 in each of five inputs, against 0.02 off the plane of the causes.
    assert not rows.loc[odd, "inside_envelope"].any()
    verdicts = {item.id: item for item in small.result.units}
    assert verdicts["plant row 65"].verdict == "outside the known data"
    assert isinstance(verdicts["plant row 65"].values["y predicted, 1"], float)
    questions = [item.question for item in small.result.not_answered]
    assert "What is y, z of the rows outside the known data?" in questions


def test_intervals_hold_inside_the_known_data(small: Done) -> None:
    groups = {group.name: group for group in small.result.coverage.groups}
    inside = groups["inside the envelope"]
    assert inside.lower <= 0.9 <= inside.upper
    assert set(groups) >= {"y", "z", "outside the envelope"}
    assert groups["y"].width > 0


def test_settings_for_what_the_data_hold_and_none_for_what_they_do_not(small: Done) -> None:
    found, far = unit(small.result, "middle"), unit(small.result, "far")
    assert found.verdict == "settings found"
    for label, wanted in (("y predicted, 1", 0.2), ("z predicted, K", 1010.0)):
        value = found.values[label]
        assert value.lower <= wanted <= value.upper
        assert value.value == pytest.approx(wanted, rel=1e-9)
    assert far.verdict == "no supported settings"
    assert far.values == {}
    assert any("Which settings give far?" in item.question for item in small.result.not_answered)
    settings = pq.read_table(small.product("score") / "settings.parquet").to_pandas()
    assert set(settings["wanted"]) == {"middle"}
    assert settings["input"].tolist() == [f"x[{name}]" for name in INPUTS]


def test_settings_do_what_the_causes_do(tmp_path: Path) -> None:
    """Rows without noise: the mixing that made them says what the settings would give."""
    rng = np.random.default_rng(3)
    causes, mixing = rng.normal(size=(60, 3)), rng.normal(size=(3, 5))
    quality = causes[:, :1] * 2.0 - causes[:, 1:2]
    write_csv(tmp_path / "raw" / "t.csv", "a,b,c,d,e,q", np.c_[causes @ mixing, quality])
    channels = [{"name": n, "quantity": "ratio", "unit": "1"} for n in (*INPUTS, "q")]
    source = {"source": "raw/t.csv", "channels": channels, "stream": "main"}
    request = soft_sensor(
        tmp_path,
        data={0: source | {"time": {"kind": "order", "row": "one run", "rate_hz": DROP}}, 1: {}},
        train={"stream": "main", "targets": ["q"], "reference": DROP},
        score={
            "inversion": [
                {"id": "near", "quality": {"q": 1.5}},
                {
                    "id": "cheap",
                    "quality": {"q": 1.5},
                    "objective": {"name": "cost", "unit": "EUR", "weights": {"a": 1.0, "c": 2.0}},
                },
            ]
        },
    )
    done = answer(request, tmp_path / "out")
    table = pq.read_table(done.product("score") / "settings.parquet").to_pandas()
    got = {name: part["setting"].to_numpy() for name, part in table.groupby("wanted")}
    for settings in got.values():
        made = settings @ np.linalg.pinv(mixing)
        # Files have five decimals.
        assert made[0] * 2.0 - made[1] == pytest.approx(1.5, abs=1e-3)
        np.testing.assert_allclose(made @ mixing, settings, rtol=0, atol=1e-3)
    price = np.array([1.0, 0, 2.0, 0, 0])
    assert price @ got["cheap"] < price @ got["near"] - 0.1
    assert done.result.metrics[0].name == "rmse"
    assert metric(done.result, "reproduced").value > 0.8
    assert metric(done.result, "rmse").value < 1e-3


def test_the_units_of_a_target_do_not_matter(tmp_path: Path, small: Done) -> None:
    """Errors of several targets are added up in variances, so grams may become milligrams."""
    request = soft_sensor(tmp_path)
    file = tmp_path / "raw" / "lab.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    scaled = [f"{h},{y},{float(z) * 1000}" for h, y, z in (line.split(",") for line in lines[1:])]
    file.write_text("\n".join([lines[0], *scaled]) + "\n", encoding="utf-8")
    other = answer(request, tmp_path / "out").result
    for name, factor in (("rmse_y", 1.0), ("rmse_z", 1000.0)):
        before = metric(small.result, name).value * factor
        assert metric(other, name).value == pytest.approx(before, rel=1e-6)
    assert other.counts["latent variables"] == small.result.counts["latent variables"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"reference": DROP}}, "train: no channel y; use x"),
        ({"train": {"targets": ["w"]}}, "train.targets: no channel w; use"),
        ({"train": {"reference": {"stream": "plant"}}}, "no other stream plant; use .*lab"),
        ({"score": {"inversion": [{"id": "g", "quality": {"w": 1}}]}}, "w is no target; use y, z"),
        (
            {"score": {"inversion": [{"id": "g", "quality": {"y": 1}, "fixed": {"x": 1}}]}},
            "x is no input",
        ),
        ({"train": {"window_rows": 3}}, "settings can be found for the values of inputs alone"),
        ({"evaluation": {"metrics": {"rmse": "<= 1"}}}, "no metric rmse; use .*rmse_y"),
        ({"evaluation": {"metrics": {"r2_y": "<= 1"}}}, 'write it like ">= 1"'),
    ],
)
def test_what_cannot_be_answered_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_request(soft_sensor(tmp_path, **changes))


def test_a_condition_on_one_of_several_targets_decides(tmp_path: Path) -> None:
    done = answer(
        soft_sensor(tmp_path, evaluation={"metrics": {"mae_z": "<= 0.001"}}), tmp_path / "out"
    )
    assert metric(done.result, "mae_z").met is False
    assert done.result.verdict == "not_supported"
