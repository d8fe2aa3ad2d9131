"""WFDB records: beats, signals, and headers that lead astray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.config import Source
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.files import source_digest
from lumipipe.readers.wfdb import Options, parts, read
from readers.activity_files import wfdb_record

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("wfdb", reason="WFDB records are the extra ecg")


def test_beats_and_intervals_between_normal_ones(tmp_path: Path) -> None:
    (table,) = read(wfdb_record(tmp_path), Options())
    assert table.columns["symbol"].tolist() == ["N", "N", "V", "N"]
    np.testing.assert_allclose(table.columns["time"], [0.2, 1.0, 1.6, 2.7])
    np.testing.assert_allclose(table.columns["rr"], [np.nan, 800, 600, 1100])
    np.testing.assert_allclose(table.columns["nn"], [np.nan, 800, np.nan, np.nan])
    assert "Aino" not in repr(table)


def test_signals_in_physical_units(tmp_path: Path) -> None:
    (table,) = read(wfdb_record(tmp_path), Options(table="signals"))
    np.testing.assert_allclose(table.columns["MLII"], np.arange(1080) / 200)
    np.testing.assert_allclose(table.columns["time"], np.arange(1080) / 360)
    assert table.attributes["unit:MLII"] == "mV"


def test_all_files_of_a_record_count(tmp_path: Path) -> None:
    head = wfdb_record(tmp_path)
    (tmp_path / "other.dat").write_bytes(b"x")
    assert [path.name for path in parts(head)] == ["r1.atr", "r1.dat", "r1.hea"]
    source = Source.model_validate(
        {
            "id": "s",
            "source": "*.hea",
            "format": "wfdb",
            "time": {"kind": "order", "row": "beat"},
            "channels": [{"name": "rr", "quantity": "time", "unit": "ms"}],
        }
    )
    before = source_digest(head, source)
    (tmp_path / "r1.atr").write_bytes((tmp_path / "r1.atr").read_bytes()[2:])
    assert source_digest(head, source) != before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("r1.dat 16", "../r1.dat 16", "in a file of another name or folder"),
        ("r1.dat 16", "/etc/passwd 16", "in a file of another name or folder"),
        ("r1.dat 16", "r2.dat 16", "in a file of another name or folder"),
        ("360 1080", "360 108000000000", "promises more samples than its files can hold"),
        ("r1 1 360", "r1/2 1 360", "has several segments"),
        ("r1 1 360 1080", "r1", "does not say signals, rate and length"),
        ("1080\n", "1081\n", "cannot be read by wfdb"),
    ],
)
def test_headers_that_lead_astray(tmp_path: Path, old: str, new: str, message: str) -> None:
    head = wfdb_record(tmp_path)
    text = head.read_text(encoding="ascii")
    assert old in text
    head.write_text(text.replace(old, new, 1), encoding="ascii")
    with pytest.raises(RecordingError, match=message):
        next(read(head, Options(table="signals")))


def test_signals_of_another_recording_are_refused(tmp_path: Path) -> None:
    head = wfdb_record(tmp_path)
    (tmp_path / "r1.dat").write_bytes(b"\1" + (tmp_path / "r1.dat").read_bytes()[1:])
    with pytest.raises(RecordingError, match="checksum"):
        next(read(head, Options(table="signals")))


def test_the_header_is_named_and_annotations_are_there(tmp_path: Path) -> None:
    head = wfdb_record(tmp_path)
    with pytest.raises(InputError, match=r"name its \.hea file"):
        next(read(head.with_suffix(".dat"), Options()))
    with pytest.raises(InputError, match="has no annotations qrs"):
        next(read(head, Options(annotator="qrs")))


def test_the_library_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wfdb", None)
    with pytest.raises(InputError, match=r"install lumipipe\[ecg\]"):
        next(read(wfdb_record(tmp_path), Options()))
