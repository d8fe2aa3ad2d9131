"""Every activity file of the real data: its rows, or the reason why it is refused.

Nothing of a single trace is printed or kept here: counts, and figures that the data's own
description gives.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.duplicates import duplicate_groups
from readers.test_duplicates import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.readers.tables import Table

pytestmark = pytest.mark.real
for name, extra in {
    "fitdecode": "activity-files",
    "gpxpy": "activity-files",
    "wfdb": "ecg",
}.items():
    pytest.importorskip(name, reason=f"these files are the extra {extra}")

FORMATS = {".fit": "fit", ".gpx": "gpx", ".tcx": "tcx", ".hrm": "hrm", ".hea": "wfdb"}
# Rows of each leg, as the format's library counts them (records, track points), a golden table
# beside the file says, or lines of the file say; or words of the refusal. (rows, repeated): rows
# that repeat another to the last digit are read once.
NO_RECORDS, NO_TRACK, NO_TIME = "holds no records", "holds no track with points", "has a time"
LAKE = [173, 52, 2, 44, 2, 2, 21]
FILES: dict[str, int | list[int] | str] = {
    "fit/2013-02-06-12-11-14.fit": 590,
    "fit/2015-10-13-08-43-15.fit": 221,
    "fit/20170518-191602-1740899583.fit": 1641,
    "fit/Activity.fit": 14,
    "fit/DeveloperData.fit": 3,
    "fit/Edge810-Vector-2013-08-16-15-35-10.fit": 4700,
    "fit/MonitoringFile.fit": NO_RECORDS,
    "fit/Settings.fit": NO_RECORDS,
    "fit/WeightScaleMultiUser.fit": NO_RECORDS,
    "fit/WorkoutRepeatSteps.fit": NO_RECORDS,
    "fit/activity-large-fenxi2-multisport.fit": [11683, 284, 2199, 6, 6695, 241, 3131],
    "fit/antfs-dump.63.fit": 686,
    "fit/compressed-speed-distance.fit": 755,
    "fit/damaged/activity-filecrc.fit": "mismatching CRC in FIT footer",
    "fit/damaged/activity-settings-corruptheader.fit": "not a FIT file @ 771",
    "fit/damaged/activity-settings-nodata.fit": "expected 5 bytes, got 2",
    "fit/damaged/activity-unexpected-eof.fit": "expected 1 bytes, got 0",
    "fit/damaged/coros-pace-2-cycling-misaligned-fields.fit": "a field of 1 bytes is no uint32",
    "fit/damaged/elemnt-bolt-no-application-id-inside-developer-data-id.fit": 132,
    "fit/damaged/nick.fit": "expected 2 bytes, got 0 @ 403456",
    "fit/damaged/strava-android-app-201.10-b1218918.fit": "local message 11 not defined",
    "fit/developer-types-sample.fit": 3424,
    "fit/garmin-edge-500-activity.fit": 10686,
    "fit/garmin-edge-820-bike.fit": 15,
    "fit/garmin-fenix-5-run.fit": 21,
    "fit/garmin-fr935-cr.fit": 7515,
    "fit/goldencheetah/10kUNLP2014-Garmin15.fit": 686,
    "fit/goldencheetah/2012_02_05_09_03_59.fit": NO_RECORDS,
    "fit/goldencheetah/20130716_202738.fit": 437,
    "fit/goldencheetah/2016-05-23_18-14-30_4_25.fit": 88,
    "fit/goldencheetah/2017_hrv.FIT": 3822,
    "fit/goldencheetah/2018-10-03-07-45-28.fit": 928,
    "fit/goldencheetah/2024-10-20-104352-Pool_Swim-BingiWatch.fit": 3137,
    "fit/goldencheetah/FR55-CoreTemp-Walk.fit": 582,
    "fit/goldencheetah/Garmin920_withFirstbeat.fit": 2125,
    "fit/goldencheetah/GarminHRMswim.FIT": 2630,
    "fit/goldencheetah/HRV-Data.fit": 4242,
    "fit/goldencheetah/Indoor_Cycling2smO2sensors.fit": 16,
    "fit/goldencheetah/Karoo-Botley_BW_Swanmore_Wickham-2025-05-09-1238.fit": 4314,
    "fit/goldencheetah/Move_2020_01_15_19_27_16_Running.fit": 1473,
    "fit/goldencheetah/RowingCIQspeed.FIT": 1414,
    "fit/goldencheetah/moxy.fit": 175,
    "fit/null_compressed_speed_dist.fit": 1808,
    "fit/sample-activity.fit": 3098,
    "fit/sample_mulitple_header.fit": [349, 38, 854, 14, 518],
    "fit/sweat/6471559601_ACTIVITY.fit": [24, 12, 24],
    "fit/triathlon_summary_first.fit": [676, 156, 1566, 70, 1575],
    "fit/triathlon_summary_last.fit": [676, 156, 1566, 70, 1575],
    "gpx/MetadataOnly.gpx": NO_TRACK,
    "gpx/Mojstrovka.gpx": 184,
    "gpx/Move_2014_01_16_19_48_44.gpx": 669,
    "gpx/around-visnjan-with-car.gpx": 104,
    "gpx/cerknicko-jezero-no-creator.gpx": LAKE,
    "gpx/cerknicko-jezero-with-elevations-zero.gpx": LAKE,
    "gpx/cerknicko-jezero-without-elevations.gpx": [*LAKE[:-1], 20],  # one point has no time
    "gpx/cerknicko-jezero.gpx": LAKE,
    "gpx/custom_schema_locations.gpx": NO_TRACK,
    "gpx/default_schema_locations.gpx": NO_TRACK,
    "gpx/first_and_last_elevation.gpx": 10,
    "gpx/gpx-with-node-with-comments.gpx": 1,
    "gpx/gpx1.1_with_all_fields.gpx": 1,
    "gpx/gpx1.1_with_extensions.gpx": NO_TRACK,
    "gpx/gpx1.1_with_extensions_without_namespaces.gpx": NO_TRACK,
    "gpx/runner_session/00978fad-85f8-4f1c-be44-2b7146ccbf76.gpx": 1858,
    "gpx/runner_session/038a22f7-eb5e-44f9-a551-de14d84d8524.gpx": 798,
    "gpx/runner_session/0c97d8a7-8081-4609-b92c-5932468d7b8e.gpx": 727,
    "gpx/runner_session/1368f9a8-cdbe-4528-a1dc-af90dfddd6fb.gpx": 913,
    "gpx/runner_session/16aebccf-cf92-4b85-bf64-b7d2d219396b.gpx": 644,
    "gpx/runner_session/1d5a49c5-e16b-4ec0-b57a-3a7d52271de3.gpx": 820,
    "gpx/runner_session/221871b9-78b8-41b5-8bf5-9aceb58b79b9.gpx": 792,
    "gpx/runner_session/26004849-dc57-4e48-bc16-11196ca043ad.gpx": 85,
    "gpx/runner_session/270c2243-780c-44c3-8b7f-d5652e3c98c8.gpx": 350,
    "gpx/runner_session/2a96942c-0441-4dfa-b5c6-9ef5d0fc5a44.gpx": 365,
    "gpx/runner_session/2d44350c-ca74-4d2e-b3af-77139b0ca3ea.gpx": 747,
    "gpx/runner_session/31836c9f-4cc1-431f-81ca-4943e313aa10.gpx": 153,
    "gpx/track-with-empty-segment.gpx": 9,
    "gpx/track-with-less-sec-time.gpx": 2,
    "gpx/track-with-small-floats.gpx": NO_TIME,
    "gpx/track_with_dilution_errors.gpx": NO_TIME,
    "gpx/track_with_speed.gpx": 3,
    "gpx/unicode.gpx": NO_TRACK,
    "gpx/unicode2.gpx": NO_TRACK,
    "gpx/unicode_with_bom_noencoding.gpx": NO_TRACK,
    "tcx/10kUNLP2014-Garmin15.tcx": 686,
    "tcx/2009_01_09_11_13_14.tcx": 1439,
    "tcx/2009_09_19_09_22_42.tcx": 1863,
    "tcx/activity_165850259_multi-session.tcx": [656, 235, 733, 269],
    "tcx/argmac_Garmin_FR910XT_2015_01_31_10_17_02.tcx": 85,
    "tcx/runpandas_basic.tcx": 383,
    "hr-rr/04010301.hrm": 3894,
    "hr-rr/06021201.hrm": 2150,
    "hr-rr/09052101.hrm": 843,
    "hr-rr/10092501.hrm": 1012,
    "hr-rr/exercise_rri.hrm": 4117,
    "hr-rr/rest_rri.txt": 910,
    "hr-rr/rr-2017-08-03_08-28-50.txt": 979,
    "hr-rr/pyhrv_SampleNNISeriesShort.npy": 337,
    "hr-rr/pyhrv_SampleECG.txt.gz": 22350,
    "ecg/100.hea": 2273,
}
OTHERS: dict[str, tuple[str, dict[str, object]]] = {
    "hr-rr/rest_rri.txt": ("rr", {}),
    "hr-rr/rr-2017-08-03_08-28-50.txt": ("rr", {}),
    "hr-rr/pyhrv_SampleNNISeriesShort.npy": ("npy", {}),
    "hr-rr/pyhrv_SampleECG.txt.gz": ("text", {"header": 3}),
}
BESIDE = {"ecg/100.atr", "ecg/100.dat"}  # parts of ecg/100.hea


def tables(file: Path, form: str | None = None, **options: object) -> list[Table]:
    reader = READERS[form or FORMATS[file.suffix.lower()]]
    return list(reader.read(file, reader.Options.model_validate(options)))


def rows_of(found: Iterable[Table]) -> list[int]:
    """Rows of each table, with those that repeated another."""
    counts = []
    for table in found:
        repeated = [note.split()[0] for note in table.notes if "that repeat another" in note]
        length = len(next(iter(table.columns.values())))
        counts.append(length + sum(map(int, repeated)))
    return counts


@pytest.mark.parametrize("name", FILES)
def test_rows_or_the_reason(real_data: Path, name: str) -> None:
    form, options = OTHERS.get(name, (None, {}))
    expected = FILES[name]
    if isinstance(expected, str):
        with pytest.raises(RecordingError, match=expected):
            tables(real_data / name, form, **options)
        return
    found = tables(real_data / name, form, **options)
    assert rows_of(found) == ([expected] if isinstance(expected, int) else expected)
    assert not {"latitude", "longitude", "device"} & {*found[0].columns, *found[0].attributes}


def test_no_file_is_left_out_of_the_table(real_data: Path) -> None:
    there = {
        path.relative_to(real_data).as_posix()
        for folder in ("fit", "gpx", "tcx", "hr-rr", "ecg")
        for path in (real_data / folder).rglob("*")
        if path.is_file() and "-records.csv" not in path.name
    }
    assert there - BESIDE == set(FILES)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("activity-filecrc", 14),
        ("activity-settings-corruptheader", 14),
        ("activity-settings-nodata", 14),
        ("activity-unexpected-eof", 14),
        ("coros-pace-2-cycling-misaligned-fields", 11272),
        ("nick", 14391),
        ("strava-android-app-201.10-b1218918", 473),
    ],
)
def test_damaged_files_are_salvaged(real_data: Path, name: str, rows: int) -> None:
    file = real_data / "fit" / "damaged" / f"{name}.fit"
    (table,) = tables(file, salvage=True)
    assert rows_of([table]) == [rows]
    assert f"of {file.stat().st_size} bytes read" in table.attributes["salvaged"]


@pytest.mark.parametrize(
    ("name", "unprinted"),
    [
        ("compressed-speed-distance", 1),  # the first record, which holds a time alone
        ("garmin-edge-500-activity", 0),
        ("garmin-edge-820-bike", 0),
        ("garmin-fenix-5-run", 0),
    ],
)
def test_golden_tables_of_the_vendor(real_data: Path, name: str, unprinted: int) -> None:
    golden = pd.read_csv(next((real_data / "fit").glob(f"{name}-records.csv*")))
    golden.columns = [
        column.split("[")[0].strip().lower().replace(" ", "_") for column in golden.columns
    ]
    (table,) = tables(real_data / "fit" / f"{name}.fit")
    assert len(golden) == len(table.columns["time"]) - unprinted
    for column in ("heart_rate", "distance", "speed"):
        values = pd.to_numeric(golden[column], errors="coerce").to_numpy()
        np.testing.assert_allclose(table.columns[column][unprinted:], values, rtol=1e-12)


def test_summary_first_and_last_are_one_race(real_data: Path) -> None:
    first, last = (
        tables(real_data / f"fit/triathlon_summary_{at}.fit") for at in ("first", "last")
    )
    assert [leg.attributes["sport"] for leg in first] == [
        "swimming",
        "transition",
        "cycling",
        "transition",
        "running",
    ]
    for one, other in zip(first, last, strict=True):
        assert one.attributes == other.attributes
        assert one.columns.keys() == other.columns.keys()
        for name in one.columns:
            np.testing.assert_array_equal(one.columns[name], other.columns[name])


def test_tcx_and_fit_of_one_run_agree(real_data: Path) -> None:
    (tcx,) = tables(real_data / "tcx/10kUNLP2014-Garmin15.tcx")
    (fit,) = tables(real_data / "fit/goldencheetah/10kUNLP2014-Garmin15.fit")
    assert len(tcx.columns["time"]) == len(fit.columns["time"]) == 686
    np.testing.assert_array_equal(tcx.columns["time"], fit.columns["time"])
    np.testing.assert_array_equal(tcx.columns["heart_rate"], fit.columns["heart_rate"])
    # TCX holds float32: of 10 km, half a unit in its last place is 0.5 mm.
    np.testing.assert_allclose(tcx.columns["distance"], fit.columns["distance"], atol=5e-4)
    pair = [Recorded(at, table.attributes, at) for at, table in (("tcx", tcx), ("fit", fit))]
    assert len(duplicate_groups(pair)) == 1


def test_reference_beats_of_the_ecg(real_data: Path) -> None:
    (table,) = tables(real_data / "ecg/100.hea")
    normal = table.columns["nn"]
    between = normal[np.isfinite(normal)]
    successive = np.diff(normal)
    successive = successive[np.isfinite(successive)]
    assert len(table.columns["time"]) == 2273
    assert len(between) == 2204
    assert round(float(between.mean()), 2) == 795.01
    assert round(float(between.std(ddof=1)), 2) == 35.96
    assert round(float(np.sqrt((successive**2).mean())), 2) == 27.48
    (signals,) = tables(real_data / "ecg/100.hea", table="signals")
    assert len(signals.columns["time"]) == 650_000


@pytest.mark.parametrize(
    ("name", "beats"),
    [
        ("goldencheetah/2017_hrv.FIT", 8174),
        ("goldencheetah/HRV-Data.fit", 9350),
        ("goldencheetah/Move_2020_01_15_19_27_16_Running.fit", 2335),
        ("garmin-fenix-5-run.fit", 113),
        ("garmin-edge-820-bike.fit", 126),
    ],
)
def test_times_between_beats_of_watches(real_data: Path, name: str, beats: int) -> None:
    file = real_data / "fit" / name
    fitdecode = pytest.importorskip("fitdecode")
    counted = 0
    with fitdecode.FitReader(file) as frames:
        for frame in frames:
            if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "hrv":
                value = frame.get_value("time")
                values = value if isinstance(value, tuple) else (value,)
                counted += sum(item is not None for item in values)
    (table,) = tables(file, table="rr")
    assert len(table.columns["rr"]) == counted == beats


def rides() -> Path:
    """Files of one ride from several exporters, which the package sweat ships."""
    spec = importlib.util.find_spec("sweat")
    if spec is None or spec.origin is None:
        pytest.skip("the package sweat is not installed (its ride is one of two in many formats)")
    return Path(spec.origin).parent / "examples" / "data"


def test_one_ride_in_four_files() -> None:
    folder = rides()
    names = ["4078723797.fit", "4078723797_strava.gpx", "activity_4078723797.tcx"]
    found = {name: tables(folder / name)[0] for name in names}
    (without_power,) = tables(folder / "activity_4078723797.gpx")
    fit = found[names[0]].columns
    power = fit["power"]
    sums = np.concatenate([[0.0], np.cumsum(power)])
    best = [float((sums[n:] - sums[:-n]).max() / n) for n in (5, 60, 300, 1200)]
    smooth = (sums[30:] - sums[:-30]) / 30
    assert (len(power), float(fit["time"][-1] - fit["time"][0])) == (8357, 8356.0)
    assert round(float(power.mean()), 2) == 219.07
    assert np.round(best, 1).tolist() == [721.6, 392.3, 340.4, 306.8]
    assert round(float((smooth**4).mean() ** 0.25), 1) == 267.4
    for table in found.values():
        np.testing.assert_array_equal(table.columns["power"], power)
        np.testing.assert_array_equal(table.columns["heart_rate"], fit["heart_rate"])
    assert np.isnan(without_power.columns["power"]).all()
    every = [Recorded(n, t.attributes, n) for n, t in found.items()]
    every.append(Recorded("no power", without_power.attributes, "no power"))
    (group,) = duplicate_groups(every)
    assert len(group) == 4


def test_all_rides_of_the_package_are_told_apart() -> None:
    folder = rides()
    found = [
        Recorded(f"{file.name} {table.name}", table.attributes, f"{file.name} {table.name}")
        for file in sorted(folder.iterdir())
        if file.suffix in FORMATS
        for table in tables(file)
    ]
    assert sorted(len(group) for group in duplicate_groups(found)) == [3, 4, 4]
