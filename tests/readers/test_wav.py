"""WAV: integers of all widths, full scale, damage."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import wavfile

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.wav import Options, read

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    """A file by SciPy."""
    wavfile.write(file, rate, samples)
    return file


def packed(file: Path, values: list[int]) -> Path:
    """A file with 24 bits a sample, which SciPy reads but does not write."""
    body = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    body += b"\0" * (len(body) % 2)
    form = struct.pack("<HHIIHH", 1, 1, 8000, 24000, 3, 24)
    chunks = b"fmt " + struct.pack("<I", 16) + form
    chunks += b"data" + struct.pack("<I", 3 * len(values)) + body
    file.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return file


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_numbers_as_the_file_has_them(tmp_path: Path, dtype: type) -> None:
    samples = np.arange(12).reshape(6, 2).astype(dtype)
    (table,) = read(write(tmp_path / "a.wav", samples), Options(names=["left", "right"]))
    assert table.columns["right"].dtype == dtype
    assert table.columns["right"].tolist() == samples[:, 1].tolist()
    assert table.attributes["rate_hz"] == "8000"


def test_full_scale_is_from_minus_one_to_one(tmp_path: Path) -> None:
    for samples, expected in (
        (np.array([0, 128, 255], np.uint8), [-1.0, 0.0, 127 / 128]),
        (np.array([-32768, 0, 32767], np.int16), [-1.0, 0.0, 32767 / 32768]),
        (np.array([-(2**31), 0, 2**31 - 1], np.int32), [-1.0, 0.0, 1 - 2.0**-31]),
    ):
        (table,) = read(write(tmp_path / "a.wav", samples), Options(scale="full"))
        assert table.columns["c1"].tolist() == expected
        assert table.columns["c1"].dtype == (np.float64 if samples.itemsize > 3 else np.float32)


def test_24_bits_are_counts_of_their_own(tmp_path: Path) -> None:
    values = [-(2**23), -1, 0, 1, 2**23 - 1]
    file = packed(tmp_path / "a.wav", values)
    (table,) = read(file, Options())
    assert table.columns["c1"].tolist() == values
    (table,) = read(file, Options(scale="full"))
    # 24 bits are exact in float32.
    assert table.columns["c1"].tolist() == [value / 2**23 for value in values]


@pytest.mark.parametrize("left", [0, 3, 11, 20, 40, 50])
def test_a_cut_file_is_refused(tmp_path: Path, left: int) -> None:
    file = write(tmp_path / "a.wav", np.arange(100, dtype=np.int16))
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(RecordingError, match=r"a\.wav"):
        list(read(file, Options()))


def test_a_length_beyond_the_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", np.arange(100, dtype=np.int16))
    content = bytearray(file.read_bytes())
    content[40:44] = struct.pack("<I", 2**32 - 1)
    file.write_bytes(content)
    with pytest.raises(RecordingError, match="chunk 'data': needs the file to have 4294967339"):
        list(read(file, Options()))


def test_other_codings_and_names(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", np.zeros((4, 2), np.int16))
    with pytest.raises(InputError, match="has 2 channels, names has 1"):
        list(read(file, Options(names=["x"])))
    content = bytearray(file.read_bytes())
    content[20:22] = struct.pack("<H", 2)  # ADPCM
    file.write_bytes(content)
    with pytest.raises(RecordingError, match="ADPCM"):
        list(read(file, Options()))
    file.write_bytes(b"OggS".ljust(100))
    with pytest.raises(RecordingError, match="is no RIFF WAV file"):
        list(read(file, Options()))
