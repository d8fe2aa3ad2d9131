"""The figures of features.md (R01, R02, R09) and of the main job on real data sets.

Sets that packages ship are read from the packages; the others are skipped, and said so, where
they are absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.features.slopes import Slopes, SlopesSettings
from lumipipe.kernels.moments import pair_comoments
from lumipipe.models.pls import coefficient_path, fit_latent, predict_with_gaps
from lumipipe.store.dataset import open_dataset
from running import answer, ready_request

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result

pytestmark = [pytest.mark.real, pytest.mark.slow]


def _metric(result: Result, name: str) -> Metric:
    return next(metric for metric in result.metrics if metric.name == name)


def _covers(result: Result) -> None:
    """Achieved coverage of the sets lies in the binomial band of the nominal, over persons."""
    coverage = result.coverage
    assert coverage is not None
    assert coverage.lower is not None
    assert coverage.upper is not None
    assert coverage.lower <= coverage.nominal <= coverage.upper


def test_watch_persons_held_out(tmp_path: Path) -> None:
    pytest.importorskip("seglearn", reason="the package with the watch data is not installed")
    done = answer(ready_request("demo-watch", tmp_path, tmp_path), tmp_path / "out")
    assert _metric(done.result, "macro_f1").value >= 0.89
    assert _metric(done.result, "recording_macro_f1").value >= 0.92
    assert _metric(done.result, "macro_f1").count == 10
    assert done.result.counts["recordings"] == 140
    _covers(done.result)


def test_har_beats_a_random_forest_on_window_statistics(tmp_path: Path, real_data: Path) -> None:
    """Persons held out, the same windows for both."""
    forests = pytest.importorskip("sklearn.ensemble")
    f1_score = pytest.importorskip("sklearn.metrics").f1_score
    done = answer(ready_request("har-phone-watch", tmp_path, real_data), tmp_path / "out")
    windows = pq.read_table(done.product("score") / "windows.parquet").to_pandas()
    x, persons = _window_statistics(done, windows)
    truth = windows["truth"].to_numpy()
    predicted = np.empty_like(truth)
    for person in np.unique(persons):
        train = persons != person
        forest = forests.RandomForestClassifier(200, random_state=0, n_jobs=2)
        predicted[~train] = forest.fit(x[train], truth[train]).predict(x[~train])
    forest_f1 = f1_score(truth, predicted, average="macro")
    assert _metric(done.result, "macro_f1").value >= forest_f1
    assert forest_f1 > 0.7  # a baseline that cannot do its work would prove nothing
    _covers(done.result)


def _window_statistics(done, windows) -> tuple[np.ndarray, np.ndarray]:
    """Mean, deviation, minimum, maximum and quartiles of each channel of each window."""
    dataset = open_dataset(done.stages["prepare"].manifest)
    unit = {row.id: row.unit for row in dataset.recordings}
    stream = dataset.streams["main"]
    rows = stream.read_rows(0, stream.row_count)
    x = rows[windows["first_row"].to_numpy()[:, None] + np.arange(50)]
    quartiles = np.quantile(x, [0.25, 0.5, 0.75], axis=1)
    statistics = [x.mean(1), x.std(1), x.min(1), x.max(1), *quartiles]
    return np.concatenate(statistics, axis=1), windows["recording"].map(unit).to_numpy()


def test_barbell_joins_two_sensors_of_two_rates(tmp_path: Path, real_data: Path) -> None:
    done = answer(ready_request("barbell", tmp_path, real_data), tmp_path / "out")
    assert done.result.counts["groups held out"] == 4
    assert done.result.counts["classes"] == 6
    # Four persons, one of whom has most sets: the figure is recorded, its interval is wide.
    assert _metric(done.result, "recording_accuracy").value > 0.75
    _covers(done.result)


def test_tennessee_eastman(tmp_path: Path, real_data: Path) -> None:
    """R01, check 2: 11 components, limits at 1 % on the normal test run."""
    done = answer(ready_request("tep", tmp_path, real_data), tmp_path / "out")
    missed = {unit.id: unit.values.get("missed by spe") for unit in done.result.units}
    assert missed["fault-01"] <= 0.01
    assert missed["fault-04"] <= 0.05
    assert missed["fault-05"] == pytest.approx(0.74, abs=0.02)
    assert missed["fault-14"] == 0.0
    assert missed["fault-09"] > 0.95
    verdicts = {unit.id: unit.verdict for unit in done.result.units}
    assert verdicts["fault-03"] == verdicts["fault-09"] == "not detectable"
    reasons = [item.reason for item in done.result.not_answered]
    assert sum("not detectable with this model" in reason for reason in reasons) == 2
    limits = next(s for s in done.result.sections if s.title == "Limits").figures[0]
    above = {row[1]: row[-2] for row in limits.rows}
    # Limits by theory from the training rows let through 1.7 % and 7.1 % instead of 1 %.
    assert above["T²"] == pytest.approx(1.7, abs=0.05)
    assert above["SPE"] == pytest.approx(7.1, abs=0.05)


def test_skab(tmp_path: Path, real_data: Path) -> None:
    """R01, check 3, on the 25 of 34 files that are here."""
    request = ready_request(
        "skab", tmp_path, real_data, **{"score:\n": "score:\n  limits: theoretical\n"}
    )
    done = answer(request, tmp_path / "out")
    f1, false_alarms = (_metric(done.result, name) for name in ("f1", "false_alarm_rate"))
    assert done.result.counts["recordings tested"] == 25
    # The full set gives 0.76 with 46 to 54 % false alarms; the files that are here 0.74.
    assert f1.value == pytest.approx(0.74, abs=0.01)
    assert 0.46 <= false_alarms.value <= 0.54
    names = [metric.name for metric in done.result.metrics]
    assert names.index("false_alarm_rate") < names.index("f1")
    assert "false-alarm rate" in f1.note


def test_ldpe_and_kamyr(tmp_path: Path) -> None:
    pytest.importorskip("process_improve", reason="the package with the data is not installed")
    done = answer(ready_request("demo-process", tmp_path, tmp_path), tmp_path / "out")
    # Seven values of UCZAA, two others and 44 of the white liquor's alkali are missing.
    assert done.result.counts["values missing"] == 53
    units = {unit.id: unit for unit in done.result.units}
    # 9 of 46 later rows in alarm: too many for chance alone, too few and too alike to be sure.
    assert units["kamyr"].verdict == "unclear"
    assert [metric.name for metric in done.result.metrics][:2] == [
        "alarm_rate",
        "missed_detection_rate",
    ]
    assert units["ldpe"].values["detected"] == 0.5


def test_cwru(tmp_path: Path, real_data: Path) -> None:
    """R02: inner race (105), outer race (130), and a ball fault that the signal does not show."""
    done = answer(ready_request("cwru", tmp_path, real_data), tmp_path / "out")
    table = pq.read_table(done.product("score") / "diagnoses.parquet").to_pandas()
    rows = {name.rsplit("-", 1)[-1]: row for name, row in table.set_index("recording").iterrows()}
    inner, outer, ball = rows["105"], rows["130"], rows["118"]
    assert (inner["verdict"], inner["fault"]) == ("fault", "inner race")
    assert (outer["verdict"], outer["fault"]) == ("fault", "outer race")
    # Spectra have lines each 1 Hz.
    assert inner["expected_hz_BPFI"] == pytest.approx(162.2, abs=0.1)
    assert inner["found_hz_BPFI"] == pytest.approx(161.9, abs=0.5)
    assert outer["expected_hz_BPFO"] == pytest.approx(107.3, abs=0.1)
    assert outer["found_hz_BPFO"] == pytest.approx(107.7, abs=0.5)
    for row, right in ((inner, "BPFI"), (outer, "BPFO")):
        others = [
            row[f"score_{name}"] for name in ("BPFI", "BPFO", "2xBSF", "FTF") if name != right
        ]
        assert row[f"score_{right}"] > 20 * max(others)
    assert ball["verdict"] == "inconclusive"
    assert max(ball[f"score_{name}"] for name in ("BPFI", "BPFO", "2xBSF", "FTF")) <= 12
    # No recording is given a fault that it does not have.
    assert _metric(done.result, "wrong_verdicts").value == 0
    section = next(s for s in done.result.sections if s.title.startswith("The classifier"))
    shares = {row[0]: row[2] for row in section.figures[0].rows}
    held_out = [share for name, share in shares.items() if "held out" in name]
    claimed = [share for name, share in shares.items() if name.startswith("random")]
    assert len(held_out) == 4
    assert np.mean(claimed) > 0.95
    assert np.mean(held_out) < 0.75
    assert "Do not believe" in section.paragraphs[0]


def test_steel_works(tmp_path: Path, real_data: Path) -> None:
    """R09: a year of quarter-hours, a filed column with eight values, two ways to its factor."""
    done = answer(ready_request("steel-energy", tmp_path, real_data), tmp_path / "out")
    result = done.result
    assert result.counts["rows counted"] == 35_040
    assert result.counts["duplicate rows"] == result.counts["gaps"] == 0
    assert _metric(result, "data_capture").value == 1.0
    column = next(s for s in result.sections if s.title == "The filed column")
    assert column.paragraphs[0].startswith("8 distinct values in")
    assert "resolution 0.01 t is 87% of the mean" in result.answer
    ways = [row[1] for row in column.figures[1].rows]
    assert ways[:2] == pytest.approx([0.421, 0.477], abs=0.0005)
    assert ways[1] / ways[0] == pytest.approx(1.13, abs=0.005)
    assert any("single interval of 900 s" in item.question for item in result.not_answered)
    # The sum is allowed. Its rounding is not independent from row to row: most rows lie below
    # half a step, so the sum lies 8 % below activity times factor, and the bounds are given.
    filed, total = _metric(result, "filed_total"), _metric(result, "emission")
    assert filed.value == pytest.approx(403.81, abs=0.005)
    assert filed.lower == pytest.approx(403.81 - 0.005 * (35_040 - 20_990))
    assert filed.upper == pytest.approx(403.81 + 0.005 * 35_040)
    sums = next(s for s in result.sections if s.title == "The sum of the filed values")
    amounts = {row[0]: row[1] for row in sums.figures[0].rows}
    independent = "standard uncertainty, were rounding independent from row to row"
    assert amounts[independent] == pytest.approx(0.01 / np.sqrt(12) * np.sqrt(35_040))
    # 959,636.71 kWh times 0.4585 kg/kWh, with 1 % and 5 % (k = 2).
    assert total.value == pytest.approx(439.993, abs=0.001)
    half = (total.upper - total.lower) / 2
    assert half / total.value == pytest.approx(1.96 * np.hypot(0.005, 0.01145 / 0.4585), rel=1e-3)
    # Rounding and 47 rows of one day, filed as 0, explain the difference to 0.05 t.
    assert sums.figures[1].rows[0][3].startswith("2018-01-02")
    assert sum(row[2] for row in sums.figures[1].rows) == 47
    rounding = amounts["what rounding does to the sum, at the stated factor"]
    assert filed.value - total.value - rounding == pytest.approx(-1.71, abs=0.05)
    months = [unit for unit in result.units if unit.id.startswith("2018-")]
    assert len(months) == 12
    assert sum(unit.values["CO2 (t)"].value for unit in months) == pytest.approx(total.value)


def test_soft_sensor_of_a_reactor_and_settings_for_grades(tmp_path: Path) -> None:
    """R07: five qualities at once, the fault outside, settings for a product that was not seen."""
    pytest.importorskip("process_improve", reason="the package with the data is not installed")
    done = answer(ready_request("demo-soft-sensor", tmp_path, tmp_path), tmp_path / "out")
    result = done.result
    for target in ("Conv", "Mn", "Mw", "LCB", "SCB"):
        assert _metric(result, f"r2_{target}").value > 0.9
    rows = pq.read_table(done.product("score") / "rows.parquet").to_pandas()
    assert not rows.loc[rows["row"] >= 50, "inside_envelope"].any()
    groups = {group.name: group for group in result.coverage.groups}
    assert groups["inside the envelope"].lower <= 0.9 <= groups["inside the envelope"].upper
    units = {unit.id: unit for unit in result.units}
    grade = units["grade of run 40"]
    assert grade.verdict == "settings found"
    measured = {"Conv": 0.1313, "Mn": 27505, "Mw": 162223, "LCB": 0.783, "SCB": 26.01}
    for name, value in measured.items():
        (label,) = [key for key in grade.values if key.startswith(f"{name} predicted")]
        assert grade.values[label].lower <= value <= grade.values[label].upper
    assert units["conversion 0.16"].verdict == "no supported settings"
    assert units["conversion 0.16"].values == {}
    cheap = pq.read_table(done.product("score") / "settings.parquet").to_pandas()
    cheap = cheap.set_index(["wanted", "input"])["setting"]["conversion 0.13 with least initiator"]
    assert cheap["Press"] == pytest.approx(3000, abs=1e-6)
    # A tenth less than the mean of the known runs, 0.93 g/s.
    assert cheap["Fi1"] + cheap["Fi2"] < 0.88


def test_soft_sensor_of_a_digester_with_gaps(tmp_path: Path) -> None:
    """R18: gaps stay in the rows that have them, and are counted."""
    pytest.importorskip("process_improve", reason="the package with the data is not installed")
    done = answer(ready_request("demo-digester", tmp_path, tmp_path), tmp_path / "out")
    rows = pq.read_table(done.product("score") / "rows.parquet").to_pandas()
    # Windows of four rows: 57 of the first 60 rows and 33 of the last 36 end one; none is dropped.
    assert len(rows) == 90
    assert np.isfinite(rows["predicted"]).all()
    assert done.result.counts["missing values in these rows, set to their mean"] == 49
    assert done.result.counts["rows with a missing input"] == 48
    assert _metric(done.result, "rmse").value < 2.3
    assert rows.loc[rows["phase"] == "test", "measured"].std() > 2.6
    assert done.result.verdict == "inconclusive"
    assert done.result.coverage.achieved >= 0.85


def test_spectra_of_a_fermentation_that_the_mixtures_do_not_cover(
    tmp_path: Path, real_data: Path
) -> None:
    """Learnt well on 21 mixtures, and honest about a run whose spectra are unlike them."""
    done = answer(ready_request("fermentation", tmp_path, real_data), tmp_path / "out")
    result = done.result
    assert result.counts["rows that train"] == 21
    assert result.counts["rows tested"] == 1629
    assert result.counts["tested rows with a measured target"] == 34
    errors = next(s for s in result.sections if s.title.startswith("Errors")).figures[0].rows[0]
    # Nested: folds are left out of the choice, too. The set's guide, with six components: 0.92.
    assert errors[2] < 1.3
    assert _metric(result, "mae").value > 2
    assert result.verdict == "not_supported"
    assert _metric(result, "outside").value > 0.99
    assert result.coverage.upper < result.coverage.nominal
    assert "outside the known data" in result.not_answered[0].question


def test_six_components_of_the_mixtures_have_the_error_of_their_guide(real_data: Path) -> None:
    """0.92 g/L, cross-validated on the 21, with the band and the slopes of the guide."""
    folder = real_data / "fermentation-spectra"
    names = (folder / "train_spectra.csv").read_text().splitlines()[0].split(",")
    band = [950 <= float(name) <= 1500 for name in names]
    spectra = np.loadtxt(folder / "train_spectra.csv", delimiter=",", skiprows=1)[:, band]
    glucose = np.loadtxt(folder / "train_hplc.csv", skiprows=1)[:, None]
    slopes = Slopes.build(
        tuple(n for n, kept in zip(names, band, strict=True) if kept),
        (1.0,) * spectra.shape[1],
        1,
        1.0,
        SlopesSettings(points=15),
        1,
    )(spectra.T[None], 1.0)
    errors = []
    for row in range(21):
        others = np.delete(np.arange(21), row)
        pairs = pair_comoments(np.concatenate([slopes, glucose], axis=1)[others])
        latent = fit_latent(pairs, slopes.shape[1], 6, is_scaled=False)
        path = coefficient_path(latent)
        errors.append(predict_with_gaps(path, slopes[row : row + 1])[5, 0, 0] - glucose[row, 0])
    assert np.abs(errors).mean() == pytest.approx(0.92, abs=0.05)


@pytest.mark.parametrize("kind", ["block", "random"])
def test_hydraulic_blocks_are_held_out_and_a_random_split_is_told(
    tmp_path: Path, real_data: Path, kind: str
) -> None:
    """Neighbouring cycles are nearly alike: dealt at random they flatter, and support nothing."""
    replaced = {"file: data/": f"file: {real_data}/"}
    if kind == "random":
        replaced["kind: group, by: block, folds: 7"] = "kind: random, because: to compare, folds: 7"
    request = ready_request("hydraulic-rig", tmp_path, real_data, **replaced)
    result = answer(request, tmp_path / "out").result
    assert result.counts["recordings"] == 2205
    found = {test.name: test.status for test in result.leakage}
    if kind == "random":
        assert _metric(result, "accuracy").value > 0.97  # 0.945 by blocks
        assert found["neighbours"] == "found"
        assert result.verdict == "inconclusive"
        assert result.split.because == "to compare"
    else:
        # 0.92 by trees on four numbers of each channel (data README); these are sixteen.
        assert 0.85 < _metric(result, "accuracy").value < 0.97
        assert found["unit"] == "not_tested"  # one rig
        _covers(result)
