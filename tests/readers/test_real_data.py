"""Each format on files that instruments and their users wrote."""

from __future__ import annotations

import hashlib
import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lumipipe.config import Label, Prepare, Source
from lumipipe.errors import InputError
from lumipipe.readers.files import find_files, glob_root
from lumipipe.readers.grid import on_grid
from lumipipe.readers.labelfiles import labels_from_file
from lumipipe.readers.recording import Recording, read_recordings

pytestmark = pytest.mark.real

REGULAR_12K = {"kind": "regular", "rate_hz": 12000}


def load(base: Path, most: int | None = None, **keys: object) -> list[Recording]:
    """All recordings of a source below `base`, or those of its first files."""
    source = Source.model_validate({"id": "s"} | keys)
    root = glob_root(source, base)
    return [
        recording
        for file in find_files(source, base)[:most]
        for recording in read_recordings(source, file, Prepare(), "r.yaml:1", root)
    ]


def channels(quantity: str, unit: str, **columns: str) -> list[dict[str, str]]:
    """Channels of one quantity from columns of a file."""
    return [
        {"name": name, "column": column, "quantity": quantity, "unit": unit}
        for name, column in columns.items()
    ]


def test_cwru_by_ending(real_data: Path) -> None:
    found = load(
        real_data,
        source="cwru-bearing/*.mat",
        format="mat5",
        read={"variables": {"DE": "*_DE_time"}, "scalars": {"rpm?": "*RPM"}},
        time=REGULAR_12K,
        channels=channels("acceleration", "g", DE="DE"),
        recordings={"pattern": r"(?P<fault>normal|B|IR|OR)(?P<size>\d{3})?"},
    )
    assert len(found) == 14
    rows = {recording.id: len(recording.streams["main"].values) for recording in found}
    assert rows["normal_0_97"] == 243938
    assert rows["12k_Drive_End_B028_0_3005"] == 120801
    assert sum("rpm" in recording.attributes for recording in found) == 10
    normal = next(item for item in found if item.id == "normal_0_97")
    # Healthy bearing: RMS below 0.1 g, in m/s2 here.
    assert 0.05 < np.sqrt(np.mean(normal.streams["main"].values ** 2)) / 9.80665 < 0.1
    assert {item.attributes["fault"] for item in found} == {"normal", "B", "IR", "OR"}


def test_tep_with_its_transposed_file(real_data: Path) -> None:
    names = [f"xmeas{k}" for k in range(1, 42)] + [f"xmv{k}" for k in range(1, 12)]
    plain = {
        "format": "text",
        "time": {"kind": "regular", "rate_hz": 1 / 180},
        "channels": [
            {"name": "feed", "column": "xmeas1", "quantity": "volume_flow", "unit": "kscmh"},
            {"name": "level", "column": "xmv11", "quantity": "valve_position", "unit": "%"},
        ],
    }
    (normal,) = load(
        real_data, source="tep/d00.dat", read={"names": names, "transpose": True}, **plain
    )
    assert normal.streams["main"].values.shape == (500, 2)
    assert normal.streams["main"].units == ("kscmh", "%")
    with pytest.raises(InputError, match="has 500 columns, names has 52"):
        load(real_data, source="tep/d00.dat", read={"names": names}, **plain)
    tests = load(real_data, source="tep/*_te.dat*", read={"names": names}, rows=[160, 960], **plain)
    assert len(tests) == 17
    assert {item.streams["main"].values.shape for item in tests} == {(800, 2)}
    assert 0.2 < np.mean(normal.streams["main"].values[:, 0]) < 0.3


def test_skab_with_text_stamps_and_labels(real_data: Path) -> None:
    keys = {
        "format": "csv",
        "time": {
            "kind": "column",
            "column": "datetime",
            "format": "%Y-%m-%d %H:%M:%S",
        },
        "channels": channels("acceleration_rms", "g", a1="Accelerometer1RMS")
        + channels("volume_flow", "l/min", flow="Volume Flow RateRMS"),
    }
    label = {"column": "anomaly", "meaning": "set by the rig", "values": {"0": "ok", "1": "bad"}}
    found = load(
        real_data,
        source="skab/valve1/*.csv",
        labels={"anomaly": label},
        recordings={"pattern": r"(?P<run>\d+)\.csv", "id": "valve1-{run}", "unit": "rig"},
        **keys,
    )
    assert len(found) == 12
    first = next(item for item in found if item.id == "valve1-0")
    stream = first.streams["main"]
    assert stream.values.shape == (1147, 2)
    assert stream.start_ns == 1583748873 * 10**9  # 2020-03-09 10:14:33 UTC
    assert 0.9 < stream.rate_hz < 1.0
    assert Counter(stream.labels["anomaly"].tolist())["bad"] == 401
    (free,) = load(real_data, source="skab/anomaly-free/*.csv", **keys)
    assert free.streams["main"].values.shape == (9405, 2)


def test_phone_and_watch_are_joined(real_data: Path) -> None:
    def device(name: str) -> list[Recording]:
        prefix = "p" if name == "sp" else "w"
        return load(
            real_data,
            6,
            source=f"har-phone-watch/s01/*_{name}.csv.gz",
            format="csv",
            stream=name,
            time={"kind": "column", "column": "timestamp", "unit": "ms"},
            channels=channels(
                "acceleration",
                "m/s2",
                **{f"{prefix}_{axis}": f"{axis}_acc" for axis in "xyz"},
            )
            + channels(
                "angular_velocity",
                "rad/s",
                **{f"{prefix}_g{axis}": f"{axis}_gyro" for axis in "xyz"},
            ),
            labels={"activity": {"column": "label", "meaning": "seen on video"}},
            recordings={
                "pattern": r"(?P<person>s\d+)_(?P<run>\d+)_s[pw]",
                "id": "{person}-{run}",
                "unit": "{person}",
            },
        )

    phone, watch = device("sp"), device("sw")
    assert len(phone) == len(watch) == 6
    assert watch[0].streams["sw"].values.shape == (1377, 6)
    assert watch[0].file == "s01_01_sw.csv.gz"
    assert any("have the time stamp of the row before" in note for note in phone[0].notes)
    grid = Prepare.model_validate({"grid": {"rate_hz": 100, "longest_gap_s": 0.2}}).grid
    assert grid is not None
    joined = on_grid([phone[0], watch[0]], grid).streams["main"]
    assert joined.values.shape[1] == 12
    assert set(joined.labels["activity"].tolist()) <= {
        "SEATED",
        "STANDING_UP",
        "WALKING",
        "TURNING",
        "SITTING_DOWN",
    }
    covered = np.concatenate([joined.values[a : a + n] for a, n in joined.segments])
    assert np.isfinite(covered).all()
    assert len(covered) > 0.9 * len(joined.values)
    # Gravity is in the data: the median length is near 9.81 m/s2 on both devices (case C58).
    for first in (0, 6):
        length = np.median(np.linalg.norm(covered[:, first : first + 3], axis=1))
        assert 9.0 < length < 10.6


def test_barbell_sensors_are_joined(real_data: Path) -> None:
    def sensor(word: str, quantity: str, unit: str) -> list[Recording]:
        return load(
            real_data,
            source=f"barbell-imu/*_{word}_*.csv",
            format="csv",
            stream=word,
            time={"kind": "column", "column": "epoch (ms)", "unit": "ms"},
            channels=channels(
                quantity, unit, **{f"{word}_{axis}": f"{axis}-axis ({unit})" for axis in "xyz"}
            ),
            recordings={
                "pattern": r"^(?P<person>[A-D])-(?P<set>\w+-.*)_MetaWear_(?P<time>[^_]+)_[^_]+_"
                r"[A-Za-z]+_[\d.]+Hz_(?P<copy>[\d.]+)\.csv$",
                "id": "{person}-{set}-{time}-{copy}",
                "unit": "{person}",
            },
        )

    acceleration = sensor("Accelerometer", "acceleration", "g")
    rotation = sensor("Gyroscope", "angular_velocity", "deg/s")
    assert len(acceleration) == len(rotation) == 64
    assert acceleration[0].streams["Accelerometer"].rate_hz == pytest.approx(12.5, rel=1e-3)
    grid = Prepare.model_validate({"grid": {"rate_hz": 25, "longest_gap_s": 0.2}}).grid
    assert grid is not None
    other = {item.id: item for item in rotation}
    for item in acceleration[:8]:
        joined = on_grid([item, other[item.id]], grid).streams["main"]
        assert joined.units == ("m/s2",) * 3 + ("rad/s",) * 3
        covered = np.concatenate([joined.values[a : a + n] for a, n in joined.segments])
        assert np.isfinite(covered).all()
        length = np.median(np.linalg.norm(covered[:, :3], axis=1))
        assert 9.0 < length < 10.6


def test_ts_archives(real_data: Path) -> None:
    found = load(
        real_data,
        source="uea-ts/BasicMotions_*.ts",
        format="ts",
        time={"kind": "regular", "rate_hz": 10},
        channels=channels("acceleration", "m/s2", x="c1", y="c2", z="c3"),
        labels={"activity": {"attribute": "class", "meaning": "given by the archive"}},
        recordings={"id": "{file}-{name}", "unit": "{file}"},
    )
    assert len({item.id for item in found}) == 80
    assert {item.streams["main"].values.shape for item in found} == {(100, 3)}
    assert len(Counter(item.labels["activity"] for item in found)) == 4
    gesture = load(
        real_data,
        source="uea-ts/PickupGestureWiimoteZ_TRAIN.ts",
        format="ts",
        time={"kind": "order", "row": "sample"},
        channels=channels("acceleration", "g", z="c1"),
    )
    assert len(gesture) == 50
    assert len({len(item.streams["main"].values) for item in gesture}) > 10


def test_femto_snapshots(real_data: Path) -> None:
    keys = {
        "format": "csv",
        "read": {"header": 0},
        "channels": channels("acceleration", "g", horizontal="c5"),
        "time": {"kind": "regular", "rate_hz": 25600},
    }
    folder = "femto-bearing/Bearing2_7"
    first = load(real_data, source=f"{folder}/acc_00001.csv.gz", **keys)
    last = load(real_data, source=f"{folder}/acc_00230.csv.gz", **keys)
    rms = [np.sqrt(np.mean(item.streams["main"].values ** 2)) / 9.80665 for item in (*first, *last)]
    np.testing.assert_allclose(rms, [0.41, 5.40], atol=0.005)  # README of the data, two decimals
    assert first[0].id == "acc_00001"
    keys["channels"] = channels("raw_reading", "1", thermocouple="c5")
    (temperature,) = load(real_data, source=f"{folder}/temp_00001.csv.gz", **keys)
    assert temperature.streams["main"].values.shape == (600, 1)
    assert "delimiter ';'" in temperature.attributes["dialect"]


def test_femto_snapshots_follow_their_numbers_within_the_bearing(real_data: Path) -> None:
    found = load(
        real_data,
        most=12,
        source="femto-bearing/*/acc_*.csv.gz",
        format="csv",
        read={"header": 0, "names": ["h", "min", "s", "us", "horizontal", "vertical"]},
        recordings={
            "pattern": r"(?P<bearing>[^/]+)/acc_(?P<snapshot>\d+)",
            "id": "{bearing}-{snapshot}",
            "unit": "{bearing}",
        },
        time={"kind": "regular", "rate_hz": 25600},
        channels=channels("acceleration", "g", x="horizontal", y="vertical"),
    )
    assert {item.unit for item in found} == {"Bearing2_7"}
    # The order of text is that of the snapshots, because their numbers have one width.
    ordered = sorted(found, key=lambda item: (item.unit, item.id))
    assert [int(item.attributes["snapshot"]) for item in ordered] == list(range(1, 13))
    assert {item.streams["main"].values.shape for item in found} == {(2560, 2)}


def cmapss(base: Path, part: str) -> list[Recording]:
    """Engines of one file of FD001, with all its columns."""
    names = ["engine", "cycle", "c1", "c2", "c3", *(f"s{number}" for number in range(1, 22))]
    return load(
        base,
        source=f"cmapss/{part}_FD001.txt",
        format="text",
        read={"names": names},
        recordings={"column": "engine", "id": f"{part}-{{engine:03}}", "unit": "{engine}"},
        time={"kind": "order", "row": "one flight"},
        channels=channels("raw_reading", "1", cycle="cycle", last="s21"),
    )


@pytest.mark.parametrize(("part", "rows", "longest"), [("train", 20631, 362), ("test", 13096, 303)])
def test_cmapss_engines_share_a_table(real_data: Path, part: str, rows: int, longest: int) -> None:
    found = cmapss(real_data, part)
    assert [item.unit for item in found] == [str(number) for number in range(1, 101)]
    assert (found[6].id, found[99].id) == (f"{part}-007", f"{part}-100")
    lengths = [len(item.streams["main"].values) for item in found]
    assert (sum(lengths), max(lengths)) == (rows, longest)
    for item, length in zip(found, lengths, strict=True):
        cycles = item.streams["main"].values[:, 0]
        np.testing.assert_array_equal(cycles, np.arange(1, length + 1))


def test_cmapss_lives_stand_in_the_order_of_engines(real_data: Path) -> None:
    file = real_data / "cmapss" / "RUL_FD001.txt"
    label = Label(file="RUL_FD001.txt", meaning="flights left after the last row")
    known = [
        {"recording": item.id, "unit": item.unit, **item.attributes}
        for item in cmapss(real_data, "test")
    ]
    told = labels_from_file(label, file, known, "source test: label remaining")
    assert told == file.read_text().split()
    assert (told[0], told[99], len(told)) == ("112", "20", 100)
    with pytest.raises(InputError, match="has 100 rows for 99 recordings"):
        labels_from_file(label, file, known[:99], "source test: label remaining")


def test_watch_data_of_an_installed_package(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("seglearn")
    if spec is None or spec.origin is None:
        pytest.skip("the package seglearn (extra demo) is not installed")
    path = Path(spec.origin).parent / "data" / "watch_dataset.npy"
    keys = {
        "source": "package:seglearn/data/watch_dataset.npy",
        "format": "npy",
        "read": {
            "pickle": True,
            "layout": {
                "series": "X",
                "channels": "X_labels",
                "attributes": ["y", "subject", "side"],
                "names": {"y": "y_labels"},
            },
        },
        "time": {"kind": "regular", "rate_hz": 50},
        "channels": channels("acceleration", "g", x="ax", y="ay", z="az"),
        "recordings": {"id": "{subject}-{side}-{name}", "unit": "{subject}"},
        "labels": {"exercise": {"attribute": "y", "meaning": "asked for"}},
    }
    with pytest.raises(InputError, match="declares no sha256"):
        load(tmp_path, **keys)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    found = load(tmp_path, **keys, sha256={"watch_dataset.npy": digest})
    assert len(found) == 140
    assert found[0].file == "watch_dataset.npy"
    assert len({item.unit for item in found}) == 10
    assert Counter(item.labels["exercise"] for item in found).total() == 140
    assert len({item.labels["exercise"] for item in found}) == 7
