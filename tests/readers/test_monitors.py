"""Activity monitors: readings, clocks without a zone, damage, and nobody's name."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.monitors import LOCAL_ONLY
from lumipipe.readers.privacy import KEY, pseudonym
from readers.monitor_files import PERSON, SERIAL, cwa, geneactiv

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

LIBRARIES = {"cwa": "cwa_reader_rs"}
SECRET = "a key of more than sixteen bytes"
# 10:00:00 of the monitor's clock on 2020-09-13, in s since 1970.
TEN = 1_599_991_200.0
pytestmark = pytest.mark.slow  # a process for each file


def load(file: Path, form: str, **options: object) -> Table:
    """The one table of a file."""
    if form in LIBRARIES:
        pytest.importorskip(LIBRARIES[form], reason="monitors are an extra")
    reader = READERS[form]
    (table,) = reader.read(file, reader.Options.model_validate(options))
    return table


def axes(table: Table) -> np.ndarray:
    return np.stack([table.columns[f"acc_{axis}"] for axis in "xyz"], axis=1)


def test_axivity(tmp_path: Path) -> None:
    counts = cwa(tmp_path / "a.cwa")
    table = load(tmp_path / "a.cwa", "cwa")
    # A count is 1/256 g: exact in float32.
    np.testing.assert_array_equal(axes(table), (counts / 256).astype(np.float32))
    # The monitor's clock has steps of a second: the library spreads 80 readings by 1/65536 s.
    np.testing.assert_allclose(table.columns["time"], np.arange(240) / 100, atol=2 / 65536)
    assert table.attributes["unit:acc_x"] == "g"
    assert table.attributes["rate_hz"] == "100"
    assert table.attributes["utc_offset"] == "unknown"
    assert "start" not in table.attributes
    assert LOCAL_ONLY in table.notes


def test_axivity_with_the_offset_of_its_clock(tmp_path: Path) -> None:
    cwa(tmp_path / "a.cwa")
    table = load(tmp_path / "a.cwa", "cwa", utc_offset_h=3)
    assert table.columns["time"][0] == TEN - 3 * 3600
    assert table.attributes["start"] == "2020-09-13T07:00:00Z"
    assert not table.notes


def test_damaged_blocks_are_refused_or_left_out_as_gaps(tmp_path: Path) -> None:
    file = tmp_path / "a.cwa"
    counts = cwa(file, broken=1)
    with pytest.raises(RecordingError, match="1 of 3 blocks have a wrong checksum"):
        load(file, "cwa")
    table = load(file, "cwa", salvage=True)
    kept = np.r_[0:80, 160:240]
    np.testing.assert_array_equal(axes(table), (counts[kept] / 256).astype(np.float32))
    np.testing.assert_allclose(table.columns["time"], kept / 100, atol=2 / 65536)
    assert table.attributes["salvaged"].startswith("2048 of 2560 bytes read, 1 of 3 blocks")
    whole = (cwa(file), file.read_bytes())[1]
    file.write_bytes(whole[:-100])
    with pytest.raises(RecordingError, match=r"0 of 2 blocks .*, 412 bytes at its end"):
        load(file, "cwa")
    assert len(axes(load(file, "cwa", salvage=True))) == 160
    for content in (b"", whole[:700], bytes(2048)):
        file.write_bytes(content)
        with pytest.raises(RecordingError, match="is damaged or no CWA file"):
            load(file, "cwa", salvage=True)


def test_geneactiv(tmp_path: Path) -> None:
    counts = geneactiv(tmp_path / "a.bin")
    table = load(tmp_path / "a.bin", "geneactiv")
    # The gains of the file make a count 100 / 25600 g.
    np.testing.assert_allclose(axes(table), counts / 256, rtol=1e-15)
    # Pages come every 3 s; float64 resolves 2.4e-7 s so long after 1970.
    expected = TEN - 2 * 3600 + np.arange(600) / 100
    np.testing.assert_allclose(table.columns["time"], expected, rtol=0, atol=1e-6)
    assert table.attributes["utc_offset"] == "+2 h"
    assert table.attributes["unit:light"] == "lux"
    assert set(table.columns["temperature"]) == {21.5}
    # 010 behind the axes: 4 counts of light, 800 lux at 300 volts, and no button.
    assert set(table.columns["light"]) == {10.0}
    assert set(table.columns["button"]) == {0}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"Page Time:2020", b"Page Time:x020", "a page has no time"),
        (b"Measurement Frequency:100.0", b"Measurement Frequency:0.0", "a page's rate is 0"),
        (b"Temperature:21.5", b"Temperature:hot", "Temperature is no number"),
        (b"x gain:25600", b"x gain:0", "a gain is 0"),
        (b"Lux:800", b"Lux:", "Lux is no number"),
        (b"Number of Pages:2", b"Number of Pages:0", "2 of 0 pages are whole"),
    ],
)
def test_a_damaged_head_or_page_is_refused(
    tmp_path: Path, old: bytes, new: bytes, words: str
) -> None:
    geneactiv(tmp_path / "a.bin")
    content = (tmp_path / "a.bin").read_bytes()
    assert old in content
    (tmp_path / "a.bin").write_bytes(content.replace(old, new))
    with pytest.raises(RecordingError, match=words):
        load(tmp_path / "a.bin", "geneactiv")


def test_a_geneactiv_clock_without_zone_takes_the_offset_of_the_request(tmp_path: Path) -> None:
    geneactiv(tmp_path / "a.bin", zone="somewhere")
    assert load(tmp_path / "a.bin", "geneactiv").attributes["utc_offset"] == "unknown"
    table = load(tmp_path / "a.bin", "geneactiv", utc_offset_h=-5)
    assert table.columns["time"][0] == pytest.approx(TEN + 5 * 3600, abs=1e-6)


def test_a_cut_geneactiv_file_is_refused_or_salvaged(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    counts = geneactiv(file, pages=3, promised=200_000)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(RecordingError, match="2 of 200000 pages are whole") as error:
        load(file, "geneactiv")
    assert "read.salvage: true" in str(error.value)
    table = load(file, "geneactiv", salvage=True)
    np.testing.assert_allclose(axes(table), counts[:600] / 256, rtol=1e-15)
    assert f"of {len(whole) - 100} bytes read" in table.attributes["salvaged"]
    file.write_bytes(whole.replace(b"Number of Pages", b"Pages"))
    with pytest.raises(RecordingError, match="is no GENEActiv file"):
        load(file, "geneactiv")
    # A page in the middle that is not whole is no end: nothing is salvaged around it.
    middle = whole.index(b"Recorded Data", whole.index(b"Recorded Data") + 1) - 20
    file.write_bytes(whole[: middle - 40] + whole[middle:])
    with pytest.raises(RecordingError, match="2 of 200000 pages"):
        load(file, "geneactiv", salvage=True)


FAKE = """
import contextlib, types
import numpy as np, pandas as pd

class FileReader:
    def __init__(self, name):
        self.info = types.SimpleNamespace(
            device_type={kind!r}, serial_number="MOS123", sample_rate=30, timezone="-05:00:00",
            subject_name="Aino Example", date_of_birth=1,
        )
    def __enter__(self):
        return self
    def __exit__(self, *_):
        return None
    def to_pandas(self):
        stamps = 1_599_991_200 + np.arange(4) / 30
        values = {{axis: np.arange(4, dtype="f4") for axis in "XYZ"}}
        values["IdleSleepMode"] = [False, True, True, False]
        return pd.DataFrame(values, index=stamps).iloc[:{rows}]
"""


def fake_library(folder: Path, kind: str = "wGT3XBT", rows: int = 4) -> None:
    """A stand-in for pygt3x, which no extra brings."""
    (folder / "pygt3x").mkdir(parents=True)
    (folder / "pygt3x/__init__.py").write_text("", encoding="utf-8")
    (folder / "pygt3x/reader.py").write_text(FAKE.format(kind=kind, rows=rows), encoding="utf-8")


def gt3x(file: Path, log: bytes = b"") -> Path:
    """A zip with the names of a GT3X file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("log.bin", log)
        packed.writestr("info.txt", "Subject Name: Aino Example\n")
    return file


def test_actigraph_by_a_library_that_its_user_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = gt3x(tmp_path / "a.gt3x")
    fake_library(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    table = load(file, "gt3x")
    np.testing.assert_array_equal(table.columns["acc_y"], [0, np.nan, np.nan, 3])
    np.testing.assert_allclose(table.columns["time"], TEN + 5 * 3600 + np.arange(4) / 30)
    assert table.attributes["monitor"] == "wGT3XBT"
    assert table.notes == ("2 rows of the idle sleep mode hold no reading",)
    assert PERSON[0] not in str(table.attributes)


def test_an_actigraph_file_without_rows_or_with_a_name_for_a_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = gt3x(tmp_path / "a.gt3x")
    fake_library(tmp_path / "site", kind="<b>Aino</b>", rows=1)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert load(file, "gt3x").attributes["monitor"] == "unknown"
    fake_library(tmp_path / "other", rows=0)
    monkeypatch.syspath_prepend(tmp_path / "other")
    with pytest.raises(RecordingError, match="has no rows"):
        load(file, "gt3x")


def test_a_gt3x_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_library(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(RecordingError, match="its headers promise 100000"):
        load(gt3x(tmp_path / "a.gt3x", bytes(100_000_000)), "gt3x")


def test_libraries_name_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cwa(tmp_path / "a.cwa")
    gt3x(tmp_path / "a.gt3x")
    for module in (*LIBRARIES.values(), "pygt3x"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, form, words in (
        ("a.cwa", "cwa", r"needs cwa-reader-rs; install lumipipe\[monitors\]"),
        ("a.gt3x", "gt3x", r"pygt3x, which is under the GPL-3\.0 and so in no extra"),
    ):
        reader = READERS[form]
        with pytest.raises(InputError, match=words):
            list(reader.read(tmp_path / name, reader.Options()))


@pytest.mark.parametrize("form", ["cwa", "geneactiv"])
def test_a_monitor_is_known_by_its_pseudonym_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    file = tmp_path / f"a.{form}"
    (cwa if form == "cwa" else geneactiv)(file)
    serial = "1234" if form == "cwa" else SERIAL
    plain, named = load(file, form), load(file, form, pseudonyms="club")
    assert "device" not in plain.attributes
    assert named.attributes["device"] == pseudonym(serial, "club")
    for word in (serial, *PERSON):
        assert word not in str((named.attributes, named.notes, named.name))


@pytest.mark.real
def test_readings_of_the_blocks_themselves(real_data: Path) -> None:
    file = real_data / "wearable-raw/ax3_testfile.cwa"
    table = load(file, "cwa")
    assert len(axes(table)) == 17400
    # This monitor packs three axes of ten bits and a shared exponent of two into four bytes.
    blocks = np.frombuffer(file.read_bytes()[1024:], np.uint8).reshape(-1, 512)
    packed = np.ascontiguousarray(blocks[:, 30:510]).view("<u4").reshape(-1).astype(np.int64)
    counts = np.stack([packed >> shift & 1023 for shift in (0, 10, 20)], axis=1)
    counts = np.where(counts > 511, counts - 1024, counts) << (packed >> 30)[:, np.newaxis]
    np.testing.assert_array_equal(axes(table), (counts / 256).astype(np.float32))


@pytest.mark.real
def test_the_blocks_that_were_damaged_on_purpose(real_data: Path) -> None:
    file = real_data / "wearable-raw/ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa"
    table = load(file, "cwa", salvage=True)
    assert len(axes(table)) == (145 - 6) * 120
    whole = load(file.with_name("ax3_testfile.cwa"), "cwa", utc_offset_h=0)
    cut = load(file, "cwa", salvage=True, utc_offset_h=0)
    kept = np.setdiff1d(np.arange(145), [0, 13, 14, 142, 143, 144])
    rows = (kept[:, np.newaxis] * 120 + np.arange(120)).ravel()
    np.testing.assert_array_equal(axes(whole)[rows], axes(cut))
    # Beside what is missing a block knows whole seconds and one reading that stands on them.
    off = np.abs(whole.columns["time"][rows] - cut.columns["time"])
    assert off.max() < 0.011
    assert np.diff(cut.columns["time"]).min() > 0


@pytest.mark.real
def test_whole_pages_of_a_cut_file(real_data: Path) -> None:
    table = load(real_data / "wearable-raw/GENEActiv_testfile.bin", "geneactiv", salvage=True)
    assert len(axes(table)) == 16 * 300
    assert table.attributes["utc_offset"] == "+1 h"
    # Worn or not, the monitor feels gravity: half of the readings within 0.2 g of it.
    assert abs(np.median(np.linalg.norm(axes(table), axis=1)) - 1.0) < 0.2
