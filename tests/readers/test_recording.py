"""The channel contract: from a file to values in stored units with time and labels."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from lumipipe.config import Prepare, Source
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import recording
from lumipipe.readers.recording import Recording, beside_digests, read_recordings
from lumipipe.readers.tables import ReaderOptions, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CSV = "t;ax;temp;state\n" + "".join(
    f"{1657533977810 + 10 * row};{0.5 + 0.25 * row};{20 + row % 2};{'run' if row < 3 else 'stop'}\n"
    for row in range(6)
)
CHANNEL = {"name": "ax", "quantity": "acceleration", "unit": "g"}
STAMPS = {"kind": "column", "column": "t", "unit": "ms", "rate_hz": 100.0}


def make(tmp_path: Path, content: str = CSV, name: str = "p1-s2.csv", **changes: object) -> Source:
    """A source for one small file."""
    (tmp_path / name).write_text(content)
    plain = {
        "id": "imu",
        "source": name,
        "format": "csv",
        "time": STAMPS,
        "channels": [CHANNEL],
        "recordings": {
            "pattern": r"(?P<person>p\d+)-(?P<set>s\d+)",
            "id": "{person}/{set}",
            "unit": "{person}",
        },
    }
    return Source.model_validate(plain | changes)


def load(tmp_path: Path, source: Source, **prepare: object) -> Recording:
    """The one recording of the source."""
    found = read_recordings(
        source, tmp_path / source.source, Prepare.model_validate(prepare), "r.yaml:7"
    )
    (recording,) = found
    return recording


def test_values_time_identity_and_labels(tmp_path: Path) -> None:
    labels = {
        "state": {"column": "state", "meaning": "m", "values": {"run": "running", "stop": "rest"}},
        "who": {"attribute": "person", "meaning": "m"},
        "site": {"value": "mill", "meaning": "m"},
    }
    channels = [CHANNEL, {"name": "T", "column": "temp", "quantity": "temperature", "unit": "degC"}]
    recording = load(tmp_path, make(tmp_path, labels=labels, channels=channels, stream="acc"))
    assert (recording.id, recording.unit, recording.source) == ("p1/s2", "p1", "imu")
    assert (recording.file, len(recording.sha256)) == ("p1-s2.csv", 64)
    assert recording.labels == {"who": "p1", "site": "mill"}
    stream = recording.streams["acc"]
    expected = np.array([0.5 + 0.25 * row for row in range(6)]) * 9.80665
    np.testing.assert_array_equal(stream.values[:, 0], expected)
    np.testing.assert_array_equal(stream.values[:, 1], [20, 21, 20, 21, 20, 21])
    assert stream.units == ("m/s2", "degC")
    assert stream.channels == ("ax", "T")
    assert stream.values.dtype == np.float64
    assert stream.start_ns == 1657533977810_000_000
    assert stream.time_ns is not None
    assert stream.time_ns[5] == 1657533977860_000_000
    assert stream.rate_hz == pytest.approx(100.0, rel=1e-12)
    assert stream.labels["state"].tolist() == ["running"] * 3 + ["rest"] * 3
    assert stream.segments.tolist() == [[0, 6]]


def test_rows_invalid_codes_and_range(tmp_path: Path) -> None:
    content = "ax;t\n-200;1\n1;2\n-200;3\n50;4\n5;5\n"
    channel = CHANNEL | {"invalid": [-200], "range": [0, 10]}
    regular = {"kind": "regular", "rate_hz": 10}
    source = make(tmp_path, content, channels=[channel], time=regular)
    with pytest.raises(RecordingError) as caught:
        load(tmp_path, source)
    assert str(caught.value).startswith(
        "p1-s2.csv: channel ax: line 5 has 50, outside the range [0, 10] g; 1 such rows"
    )
    recording = load(tmp_path, source.model_copy(update={"rows": (0, 3)}))
    stream = recording.streams["main"]
    np.testing.assert_array_equal(stream.values[:, 0], [np.nan, 9.80665, np.nan])
    assert (stream.rate_hz, stream.nominal_hz, stream.start_ns) == (10.0, 10.0, None)
    assert np.isnan(stream.rate_u_hz)
    assert "channel ax: 2 rows without reading" in recording.notes
    assert "channel ax: constant at 1 g" in recording.notes
    with pytest.raises(RecordingError, match="has no reading at all"):
        load(tmp_path, source.model_copy(update={"rows": (0, 1)}))
    with pytest.raises(RecordingError, match="has 5 rows, asked for are rows 2 to 9"):
        load(tmp_path, source.model_copy(update={"rows": (2, 9)}))
    last = load(tmp_path, source.model_copy(update={"rows": (4, None)}))
    assert last.streams["main"].values.shape == (1, 1)


@pytest.mark.parametrize("value", [14.62, 100.0, 1e6, 0.0, 1e-12])
def test_constant_channel_is_noted(tmp_path: Path, value: float) -> None:
    content = "ax\n" + f"{value!r}\n" * 50
    source = make(tmp_path, content, time={"kind": "order", "row": "batch"})
    recording = load(tmp_path, source)
    assert f"channel ax: constant at {value:.10g} g" in recording.notes
    assert np.isnan(recording.streams["main"].rate_hz)
    assert recording.streams["main"].time_ns is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "cvs"}, "r.yaml:7: no reader for format cvs; did you mean csv"),
        ({"read": {"headr": 1}}, "r.yaml:7: read.headr: Extra inputs"),
        ({"read": {"header": 2}}, "say which holds the names"),
        ({"channels": [CHANNEL | {"name": "axx"}]}, "has no column axx; did you mean ax?"),
        ({"channels": [CHANNEL | {"unit": "bar"}]}, "r.yaml:7: channel ax: the unit bar"),
        ({"channels": [CHANNEL | {"column": "state"}]}, "holds 'run', not a number"),
        ({"recordings": {"pattern": "q(?P<a>.)"}}, "does not match the file p1-s2.csv"),
        ({"recordings": {"id": "{person}"}}, "asks for person, which is not known; known are: dia"),
        ({"recordings": {"id": "{"}}, "is broken"),
        ({"labels": {"k": {"attribute": "rpm", "meaning": "m"}}}, "has no attribute rpm"),
        (
            {"labels": {"k": {"column": "state", "meaning": "m", "values": {"run": "r"}}}},
            "label k: p1-s2.csv has the value 'stop', which values does not name",
        ),
        ({"time": {"kind": "column", "column": "tt", "unit": "ms"}}, "has no column tt"),
        ({"time": {"kind": "column", "column": "t", "format": "%Y"}}, "not a time like %Y"),
        ({"time": {"kind": "column", "column": "state", "unit": "s"}}, "holds text, not numbers"),
        ({"sha256": "0" * 64}, "its SHA-256 is"),
    ],
)
def test_wrong_requests(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, make(tmp_path, **changes))
    assert message in str(caught.value)


def test_numeric_label_matches_however_it_is_written(tmp_path: Path) -> None:
    labels = {"k": {"column": "a", "meaning": "m", "values": {"0": "ok", "1": "bad"}}}
    source = make(tmp_path, "ax;a;t\n1;0.0;1\n2;1.0;2\n", labels=labels)
    assert load(tmp_path, source).streams["main"].labels["k"].tolist() == ["ok", "bad"]


def test_number_types(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(100, 1)).astype(np.float32)
    np.save(tmp_path / "p1-s2.npy", values)
    source = make(tmp_path, time={"kind": "regular", "rate_hz": 1}).model_copy(
        update={"source": "p1-s2.npy", "format": "npy", "read": {"names": ["ax"]}}
    )
    for dtype, expected in (("source", "f4"), ("float32", "f4"), ("float64", "f8")):
        found = load(tmp_path, source, dtype=dtype).streams["main"].values
        assert found.dtype == np.dtype(expected)
        # One rounding of the product in the stored type.
        np.testing.assert_allclose(found, values * np.float64(9.80665), rtol=2.0**-23)


def test_float32_is_refused_where_it_is_too_coarse(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    content = "ax\n" + "".join(f"{float(101325 + x)!r}\n" for x in rng.normal(size=50) * 0.05)
    order = {"kind": "order", "row": "day"}
    plain = {"name": "ax", "quantity": "pressure", "unit": "Pa"}
    source = make(tmp_path, content, time=order, channels=[plain])
    with pytest.raises(InputError, match=r"float32 is too coarse.*float64, or declare .* range"):
        load(tmp_path, source, dtype="float32")
    assert load(tmp_path, source, dtype="float64").streams["main"].values.dtype == np.float64
    # With a range, its midpoint is subtracted where the values are stored: float64 until then.
    ranged = make(tmp_path, content, time=order, channels=[plain | {"range": [101320, 101330]}])
    assert load(tmp_path, ranged, dtype="float32").streams["main"].values.dtype == np.float64
    fine = make(tmp_path, content, time=order, channels=[plain | {"resolution": 1e-3}])
    with pytest.raises(InputError, match=r"the resolution is 0.001"):
        load(tmp_path, fine, dtype="float32")
    small = make(tmp_path, "ax\n1.5\n2.5\n", time=order)
    assert load(tmp_path, small, dtype="float32").streams["main"].values.dtype == np.float32


def test_pickle_needs_a_declared_digest(tmp_path: Path) -> None:
    source = make(
        tmp_path,
        format="npy",
        read={"pickle": True, "layout": {"series": "X", "channels": ["ax"]}},
        time={"kind": "regular", "rate_hz": 1},
    )
    with pytest.raises(InputError, match="declares no sha256"):
        load(tmp_path, source)


@pytest.fixture
def process_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that puts this process into a time zone until the test ends."""

    def choose(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Helsinki", "Pacific/Kiritimati"])
def test_process_zone_does_not_matter(
    tmp_path: Path, process_zone: Callable[[str], None], zone: str
) -> None:
    process_zone(zone)
    content = "d;ax\n26.10.2025 03:30:00.25;1\n26.10.2025 03:45:00.5;2\n"
    stamps = {"kind": "column", "column": "d", "format": "%d.%m.%Y %H:%M:%S.%f"}
    found = load(tmp_path, make(tmp_path, content, time=stamps)).streams["main"]
    # 2025-10-26 03:30 UTC is 1761449400 s: 20387 days of 86400 s and 12600 s.
    assert found.time_ns is not None
    assert found.time_ns.tolist() == [1761449400_250_000_000, 1761450300_500_000_000]
    assert found.start_ns == 1761449400_250_000_000


def test_offset_in_text_is_taken_to_utc(tmp_path: Path) -> None:
    column = {"kind": "column", "column": "d", "format": "%Y-%m-%dT%H:%M:%S%z"}
    content = "d;ax\n2025-10-26T03:30:00+0300;1\n2025-10-26T03:30:00+0200;2\n"
    stamps = load(tmp_path, make(tmp_path, content, time=column)).streams["main"].time_ns
    assert stamps is not None
    assert stamps.tolist() == [1761438600_000_000_000, 1761442200_000_000_000]


def test_files_that_decide_what_another_means_are_told_with_their_digests(tmp_path: Path) -> None:
    source = make(tmp_path, "no bus", "a.mf4", format="mdf", read={"dbc": ["x.dbc"]})
    with pytest.raises(InputError, match=r"no database x\.dbc lies there"):
        beside_digests(source, tmp_path / "a.mf4")
    (tmp_path / "x.dbc").write_text("one")
    first = beside_digests(source, tmp_path / "a.mf4")
    assert list(first) == ["x.dbc"]
    (tmp_path / "x.dbc").write_text("two")
    assert beside_digests(source, tmp_path / "a.mf4") != first
    # A link stands for its file: a sample of a request is made of links.
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.mf4").symlink_to(tmp_path / "a.mf4")
    assert len(beside_digests(source, tmp_path / "links" / "a.mf4")) == 1
    assert beside_digests(make(tmp_path), tmp_path / "p1-s2.csv") == {}


def test_channels_go_by_name_in_whatever_order_a_file_has_them(tmp_path: Path) -> None:
    rows = [{"t": 10 * row, "x": row, "y": 2 * row + 1, "z": -row, "extra": 7} for row in range(8)]
    channels = [CHANNEL | {"name": name} for name in ("x", "y", "z")]
    found = []
    for order in (["t", "x", "y", "z"], ["z", "extra", "y", "t", "x"]):
        lines = [";".join(order), *(";".join(str(row[name]) for name in order) for row in rows)]
        source = make(tmp_path, "\n".join(lines) + "\n", channels=channels, time=STAMPS)
        found.append(load(tmp_path, source).streams["main"].values)
    np.testing.assert_array_equal(found[0], found[1])
    # Swapped in names only, values are swapped: a name is all that tells an axis.
    swapped = [";".join("yx"["xy".index(n)] if n in "xy" else n for n in order), *lines[1:]]
    other = load(tmp_path, make(tmp_path, "\n".join(swapped) + "\n", channels=channels))
    np.testing.assert_array_equal(other.streams["main"].values, found[0][:, [1, 0, 2]])
    for header, message in (
        ("t;x;y;Z", "has no column z; did you mean Z?"),
        ("t;x;y;w", "has no column z"),
        ("t;x;y;z;z", "the column name z stands twice"),
    ):
        width = header.count(";") + 1
        text = f"{header}\n" + "".join(f"{10 * row}{';1' * (width - 1)}\n" for row in range(4))
        with pytest.raises(InputError, match=re.escape(message)):
            load(tmp_path, make(tmp_path, text, channels=channels))


class _Stub(NamedTuple):
    """A reader that gives columns of different lengths."""

    Options: type[ReaderOptions] = ReaderOptions

    @staticmethod
    def read(_: Path, __: ReaderOptions) -> Iterator[Table]:
        yield Table("p1-s2", {"t": np.arange(58), "ax": np.arange(67.0)}, {}, None)


def test_values_without_a_time_each_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(tmp_path)
    monkeypatch.setattr(recording, "READERS", {"csv": _Stub()})
    with pytest.raises(RecordingError, match="column t has 58 rows, ax has 67"):
        load(tmp_path, source)
