"""Oscilloscope files: values, time, models that look alike, damage."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.scope import Options, read

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("RigolWFM", reason="oscilloscope files are the extra instruments")

VOLTS = np.array([0.0, 0.25, 0.5, -0.25, 1.0], dtype="<f4")


def write(file: Path, points: int = 5) -> Path:
    """A file of a Keysight oscilloscope: one channel of float32, 1 ms a sample."""
    body = VOLTS.tobytes()
    wave = struct.pack("<5I", 140, 1, 1, points, 1)
    wave += struct.pack("<f3d2I", 5e-3, -2e-3, 1e-3, -2e-3, 2, 1)  # axis, in s; volts
    wave += bytes(32) + b"DSO-X 1102G:0".ljust(24, b"\0") + b"1".ljust(16, b"\0") + bytes(12)
    wave += struct.pack("<IHHI", 12, 1, 4, 4 * points) + body
    file.write_bytes(b"AG10" + struct.pack("<2I", 12 + len(wave), 1) + wave)
    return file


def test_volts_since_the_trigger(tmp_path: Path) -> None:
    (table,) = read(write(tmp_path / "a.bin"), Options())
    assert table.columns["CH 1"].tolist() == VOLTS.tolist()
    np.testing.assert_allclose(table.columns["time"], np.arange(5) * 1e-3 - 2e-3, atol=1e-12)
    assert table.attributes["rate_hz"] == "1000"
    assert table.attributes["unit:CH 1"] == "V"


@pytest.mark.parametrize("lost", [1, 4, 5, 20, 40, 150])
def test_a_cut_file_is_refused(tmp_path: Path, lost: int) -> None:
    file = write(tmp_path / "a.bin")
    file.write_bytes(file.read_bytes()[:-lost])
    with pytest.raises(RecordingError, match=r"a\.bin"):
        list(read(file, Options()))


def test_points_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        list(read(write(tmp_path / "a.bin", points=4 * 10**8), Options()))


def test_a_format_whose_length_nobody_checks(tmp_path: Path) -> None:
    file = tmp_path / "a.isf"
    head = ":WFMP:BYT_NR 2;NR_PT 5;PT_FMT Y;XINCR 1.0E-3;YMULT 1.0;:CURVE #210"
    file.write_bytes(head.encode() + bytes(6))
    with pytest.raises(InputError, match=r"is a Tektronix \.isf file"):
        list(read(file, Options()))


def test_other_files_and_models(tmp_path: Path) -> None:
    file = tmp_path / "a.wfm"
    file.write_bytes(b"no waveform".ljust(400))
    with pytest.raises(RecordingError, match="Unrecognised file signature"):
        list(read(file, Options()))
    with pytest.raises(InputError, match="no model Nikon"):
        list(read(file, Options(model="Nikon")))


def test_the_samples_beside_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    assert Options().beside(file) == []
    (tmp_path / "a.Wfm.bin").touch()
    assert Options().beside(file) == [tmp_path / "a.Wfm.bin"]
