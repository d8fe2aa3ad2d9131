"""A sensor beside a reference: one that drifts expires, one that does not is supported."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from command import call, one_line
from lumipipe.errors import InputError
from lumipipe.families.ambient_report import EXPIRED
from lumipipe.tasks.request import load_request
from running import Done, answer, ready_request
from small_requests import DROP, ambient, change

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result

FILE = "AirQualityUCI.csv"
ORDER = {"kind": "order", "row": "one hour", "column": DROP, "unit": DROP}


def run(folder: Path, drift: float = 0.0, **changes: Any) -> Done:
    return answer(ambient(folder, drift, **changes), folder / "out")


def metric(result: Result, name: str) -> Metric:
    return next(one for one in result.metrics if one.name == name)


def _split(**split: Any) -> dict[str, Any]:
    return {"evaluation": {"split": {"train_first_s": DROP, **split}}}


BUDGET = "Uncertainty budget of ref"


def table(result: Result, title: str) -> dict[str, list[Any]]:
    """Rows of a table of the report by their first cell."""
    figures = [figure for section in result.sections for figure in section.figures]
    (found,) = [figure for figure in figures if figure.title == title]
    return {row[0]: row[1:] for row in found.rows}


def test_a_sensor_that_stays_is_supported(tmp_path: Path) -> None:
    result = run(tmp_path).result
    assert result.verdict == "supported"
    assert result.answer.startswith("The calibration held from 2023-11-18 to 2023-11-30")
    assert [unit.verdict for unit in result.units] == ["within the band"] * 4
    assert metric(result, "largest_bias").met is True
    # The noise of the sensor, 5 / 50, is what is left of a calibration that fits.
    assert metric(result, "calibration_rmse").value == pytest.approx(0.1, abs=0.02)
    assert result.coverage.lower <= result.coverage.nominal <= result.coverage.upper


def test_a_sensor_that_drifts_expires_with_a_date(tmp_path: Path) -> None:
    done = run(tmp_path, drift=0.1)
    result = done.result
    assert result.verdict == "not_supported"
    # 0.1 a day from 18 November on: 0.15 in the middle of the first period, 0.45 of the second.
    assert [unit.verdict for unit in result.units] == ["undecided", *[EXPIRED] * 3]
    assert "it holds no longer since 2023-11-21 22:13" in result.answer
    assert "known on 2023-11-24 22:13" in result.answer
    biases = [unit.values["bias, mg/m3"] for unit in result.units]
    for number, bias in enumerate(biases):
        assert bias.lower < 0.15 + 0.3 * number < bias.upper
    parts = table(result, BUDGET)
    assert parts["drift"][4] > 80
    assert parts["reference"][-1] == "not stated: asset.reference_u"
    assert parts["reference"][3] is None
    rows = pq.read_table(done.product("score") / "periods.parquet").to_pydict()
    assert rows["verdict"] == [unit.verdict for unit in result.units]
    assert np.diff(rows["bias"]).min() > 0


def test_a_bias_that_may_lie_on_either_side_is_inconclusive(tmp_path: Path) -> None:
    result = run(tmp_path, score={"largest_bias": 0.01}).result
    assert result.verdict == "inconclusive"
    assert "Nothing shows that the calibration expired" in result.answer


def test_a_target_of_relative_uncertainty_is_a_band_too(tmp_path: Path) -> None:
    target = {"largest_bias": None, "relative_uncertainty": 0.15}
    result = run(tmp_path, drift=0.1, score=target).result
    assert result.verdict == "not_supported"
    assert "relative expanded uncertainty at 3 mg/m3" in result.answer
    # Noise of 0.1 alone is 2 * 0.1 / 3 = 7 %.
    kept = run(tmp_path, score=target).result
    assert kept.verdict == "supported"
    assert metric(kept, "relative_uncertainty").value == pytest.approx(0.067, abs=0.02)


def test_what_is_missing_is_counted_and_not_filled(tmp_path: Path) -> None:
    done = run(tmp_path)
    said = [item.what for item in done.result.left_out]
    assert said == ["23 of 382 rows (6.0%) of ref", "2 rows that the rate lets expect"]
    hours = np.setdiff1d(np.arange(384), [130, 131])
    tested = hours >= 96
    assert metric(done.result, "capture_sensor").value == pytest.approx(tested.sum() / 288)
    captured = (tested & (hours % 17 != 3)).sum()
    assert metric(done.result, "capture_reference").value == pytest.approx(captured / 288)
    rows = pq.read_table(done.product("score") / "rows.parquet").to_pandas()
    assert rows["measured"].isna().sum() == 23
    assert len(rows) == 382


@pytest.mark.slow
def test_chunks_change_the_last_digits_at_most(tmp_path: Path) -> None:
    """Sums of 382 rows in another order: far below 1e-9 of an error of 0.1 at a level of 2."""
    found = []
    for size in (1, 7, 64, 1000):
        (tmp_path / str(size)).mkdir()
        done = run(tmp_path / str(size), 0.03, train={"windows_per_chunk": size})
        rows = pq.read_table(done.product("score") / "periods.parquet").to_pandas()
        found.append((done.result.verdict, done.result.answer, rows))
    for verdict, words, rows in found[1:]:
        assert (verdict, words) == found[0][:2]
        for name in ("bias", "bias_lower", "spread", "relative_upper", "outside"):
            np.testing.assert_allclose(rows[name], found[0][2][name], rtol=0, atol=1e-9)


def test_conditions_join_the_band(tmp_path: Path) -> None:
    wanted = {"metrics": {"capture_reference": ">= 0.99"}}
    result = run(tmp_path, evaluation=wanted).result
    assert metric(result, "largest_bias").met is True
    assert result.verdict == "not_supported"


def test_a_stated_reference_takes_its_part(tmp_path: Path) -> None:
    parts = table(run(tmp_path, asset={"reference_u": 0.05}).result, BUDGET)
    assert parts["reference"][0] == "B, not assumed"
    assert parts["reference"][3] == 0.05
    assert parts["reference"][5] == "independent"
    alone = table(run(tmp_path).result, BUDGET)
    with_it, without = parts["calibration model"][3], alone["calibration model"][3]
    # Printed with two digits: each is off by a twentieth at most.
    assert with_it == pytest.approx(np.sqrt(without**2 - 0.05**2), rel=0.1)
    assert with_it < without


def test_no_class_without_a_number(tmp_path: Path) -> None:
    result = run(tmp_path).result
    (question,) = [item for item in result.not_answered if "class" in item.question]
    assert "CEN/TS 17660-1" in question.question
    assert "no number of its limit is entered" in question.reason
    assert "limits not verified" in question.reason


@pytest.mark.parametrize(("checked_by", "words"), [("Z", "met"), (None, "limits not verified")])
def test_numbers_of_a_table_are_judged(tmp_path: Path, checked_by: str | None, words: str) -> None:
    row = {
        "standard": "A made-up standard",
        "edition": "1",
        "quantity": "relative expanded uncertainty",
        "unit": "%",
        "limits": {"most": 30},
        "source": "a test",
        "entered_by": "Y",
    }
    if checked_by:
        row |= {"checked_by": checked_by, "checked_on": "2020-01-01"}
    form = {"lumipipe_rules": 1, "title": "made up", "rules": [row]}
    (tmp_path / "classes.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    result = run(tmp_path, score={"rules": "classes.yaml"}).result
    ((_, statement),) = table(result, "Objectives of a class").values()
    assert statement.endswith(words)
    asked = any("class" in item.question for item in result.not_answered)
    assert asked == (checked_by is None)
    worse = run(tmp_path, drift=0.1, score={"rules": "classes.yaml"}).result
    ((_, statement),) = table(worse, "Objectives of a class").values()
    assert statement.startswith("not met")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (_split(kind="group", by="unit"), "shows no drift"),
        (_split(kind="random", because="x"), "shows no drift"),
        ({"train": {"sensor": "ref"}}, "train.sensor: ref is no input"),
        ({"train": {"target": "co"}}, "no channel co"),
        ({"train": {"window_rows": 2}}, "give averages as rows"),
        ({"score": {"largest_bias": None}}, "give largest_bias or relative_uncertainty"),
        ({"score": {"relative_uncertainty": 0.2, "level": None}}, "give level"),
        ({"score": {"block_s": 86400}}, "fewer than 4 blocks"),
        ({"data": {0: {"time": ORDER}}}, "has no time"),
        ({"evaluation": {"metrics": {"capture_sensor": "<= 0.5"}}}, "asks for the bad side"),
    ],
)
def test_wrong_requests_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_request(ambient(tmp_path, **changes))


def test_a_calibration_is_of_one_sensor(tmp_path: Path) -> None:
    request = ambient(tmp_path, data={0: {"source": "raw/*.csv", "recordings": {"id": "{name}"}}})
    lines = (tmp_path / "raw" / "road.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "raw" / "street.csv").write_bytes(b"".join(lines[:-1]))  # equal bytes are a copy
    with pytest.raises(InputError, match="one request for each sensor"):
        answer(request, tmp_path / "out")


@pytest.mark.slow
def test_other_copies_of_a_file_are_refused(tmp_path: Path) -> None:
    """The same readings with other marks are another file: its digest must be listed."""
    request = ambient(tmp_path)
    first = tmp_path / "raw" / "road.csv"
    known = hashlib.sha256(first.read_bytes()).hexdigest()
    wanted = answer(change(request, data={0: {"sha256": known}}), tmp_path / "out").result
    text = first.read_text().replace(",", ";").replace(".", ",")
    first.write_text(text, newline="\r\n")
    line = one_line(call("run", request, "--out", tmp_path / "other"))
    assert "its SHA-256 is" in line
    assert f"declared is {known}" in line
    other = hashlib.sha256(first.read_bytes()).hexdigest()
    marks = {"read": {"delimiter": ";", "decimal": ","}, "sha256": other}
    found = answer(change(request, data={0: marks}), tmp_path / "again").result
    assert found.model_dump(exclude={"run"}) == wanted.model_dump(exclude={"run"})


@pytest.mark.real
@pytest.mark.slow
def test_air_quality(tmp_path: Path, real_data: Path) -> None:
    """R05: 0.42 mg/m3 on 28 days, -0.50 in the next 28, then more; told by the second period."""
    result = answer(ready_request("air-quality", tmp_path, real_data), tmp_path / "out").result
    assert result.verdict == "not_supported"
    assert metric(result, "calibration_rmse").value == pytest.approx(0.42, abs=0.005)
    assert metric(result, "calibration_rmse").count == 602
    biases = [unit.values["bias, mg/m3"] for unit in result.units]
    assert len(biases) == 13
    assert biases[0].value == pytest.approx(-0.50, abs=0.005)
    assert biases[0].value > biases[1].value > biases[2].value
    assert biases[2].upper < -0.5
    assert [unit.verdict for unit in result.units] == [EXPIRED] * 13
    assert "Calibration expired" in result.answer
    assert "no longer since 2004-04-07 18:00" in result.answer
    assert "known on 2004-06-02 18:00, after 2 periods" in result.answer
    said = [item.what for item in result.left_out]
    assert "1683 of 9357 rows (18.0%) of co_reference" in said
    assert "8443 of 9357 rows (90.2%) of nmhc_reference" in said
    # An interval that promised 90 % in spring: the drift takes it away.
    assert result.coverage.upper < result.coverage.nominal


@pytest.mark.real
@pytest.mark.slow
def test_other_copies_of_the_air_quality_file(tmp_path: Path, real_data: Path) -> None:
    """A copy as first published: refused by its digest, and read alike once that is declared."""
    (tmp_path / "air-quality").mkdir()
    copy = tmp_path / "air-quality" / FILE
    lines = (real_data / "air-quality" / FILE).read_text(encoding="utf-8-sig").splitlines()
    written = [lines[0].replace(",", ";") + ";;"]
    for line in lines[1:]:
        date, time, *values = line.split(",")
        day, clock = "/".join(reversed(date.split("-"))), time.rjust(8, "0").replace(":", ".")
        numbers = [value.replace(".", ",") for value in values]
        written.append(";".join([day, clock, *numbers, "", ""]))
    copy.write_text("\r\n".join(written) + "\r\n", encoding="utf-8")
    request = ready_request("air-quality", tmp_path, tmp_path)
    line = one_line(call("run", request, "--out", tmp_path / "refused"))
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    assert f"its SHA-256 is {digest}, declared is bbbde91d" in line
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    form["data"][0] |= {
        "sha256": digest,
        "read": {"delimiter": ";", "decimal": ",", "empty_trailing": True},
        "time": form["data"][0]["time"] | {"format": "%d/%m/%Y %H.%M.%S"},
    }
    request.write_text(yaml.safe_dump(form), encoding="utf-8")
    result = answer(request, tmp_path / "out").result
    assert metric(result, "calibration_rmse").value == pytest.approx(0.4246, abs=0.0001)
