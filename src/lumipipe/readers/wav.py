"""WAV files, by SciPy: as the integers or floating-point numbers in the file, or in full scale."""

from __future__ import annotations

import struct
import warnings
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import numpy as np
from pydantic import Field
from scipy.io import wavfile

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.libraries import damage
from lumipipe.readers.salvage import Whole
from lumipipe.readers.tables import ReaderOptions, Table, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_CHUNKS = 10_000  # programs add a few
_PACKED = 24  # bits that SciPy gives in the upper three bytes of 32
_ORDERS = {b"RIFF": "<", b"RIFX": ">"}


class Options(ReaderOptions):
    """Keys of a WAV file."""

    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the channels; c1 to cN where absent."""
    scale: Literal["counts", "full"] = "counts"
    """Numbers as the file has them, or as parts of full scale, from -1 to 1."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a WAV file.

    Parameters
    ----------
    file : Path
        PCM of 8 to 64 bits, or floating point.
    options : Options
        Names and scale.

    Yields
    ------
    Table
        One column a channel; the rate is the attribute ``rate_hz``. In full scale float32 up to
        24 bits, where that is exact, else float64.

    Raises
    ------
    InputError
        If names does not fit the number of channels.
    RecordingError
        If the file is truncated or damaged, or of another coding.
    """
    with open_binary(file, options.most_bytes) as stream:
        bits = _checked_bits(file, stream)
        with damage(file, finding("WAV file")), warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of other programs
            rate, samples = wavfile.read(stream)
    samples = samples.reshape(len(samples), -1)
    if bits == _PACKED and samples.dtype == np.int32:
        samples = samples >> 8
    names = column_names(options.names, samples.shape[1])
    if names is None:
        raise InputError(
            shown(file),
            f"has {samples.shape[1]} channels, names has {len(options.names or [])}",
            "give one name for each channel",
        )
    if options.scale == "full":
        samples = _full_scale(samples, bits)
    columns = {name: np.ascontiguousarray(samples[:, at]) for at, name in enumerate(names)}
    yield Table(plain_name(file), columns, {"rate_hz": str(rate), "bits": str(bits)}, None)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The samples that are there, where the length before them promises more."""
    order = _ORDERS.get(content[:4])
    position, frame = 12, 0
    while order is not None and position + 8 <= len(content):
        name, length = struct.unpack_from(f"{order}4sI", content, position)
        position += 8
        if name == b"fmt " and position + 16 <= len(content):
            frame = struct.unpack_from(f"{order}H", content, position + 12)[0]
        if name == b"data" and frame and position + length > len(content):
            held = (len(content) - position) // frame * frame
            end = position + held
            mended = bytearray(content[:end])
            struct.pack_into(f"{order}I", mended, 4, end - 8)
            struct.pack_into(f"{order}I", mended, position - 4, held)
            fault = finding(f"{held} of {length} bytes of samples are there")
            return Whole(bytes(mended), end, len(content), fault) if held else None
        position += length + length % 2
    return None


def _full_scale(samples: np.ndarray, bits: int) -> np.ndarray:
    """Samples as parts of full scale; unsigned ones are centred first."""
    if samples.dtype.kind == "f":
        return samples
    single = bits <= _PACKED
    half = 2.0 ** (bits - 1)
    centred = samples.astype(np.float64) - (half if samples.dtype.kind == "u" else 0.0)
    return (centred / half).astype(np.float32 if single else np.float64)


def _checked_bits(file: Path, stream: BinaryIO) -> int:
    """Bits of a sample, after the lengths before all chunks were held against the file's size."""
    end = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(12)
    order = _ORDERS.get(head[:4])
    if order is None or head[8:] != b"WAVE":
        raise RecordingError(shown(file), "is no RIFF WAV file", "convert it to WAV")
    bits, position, has_data, count = 0, 12, False, 0
    while position + 8 <= end:
        if (count := count + 1) > _MOST_CHUNKS:
            raise RecordingError(
                shown(file), f"has more than {_MOST_CHUNKS} chunks", "check where it is from"
            )
        stream.seek(position)
        name, length = struct.unpack(f"{order}4sI", stream.read(8))
        if name == b"fmt " and length >= 16:  # noqa: PLR2004 (its fixed part)
            bits = struct.unpack(f"{order}H", stream.read(16)[14:].ljust(2, b"\0"))[0]
        has_data = has_data or name == b"data"
        position += 8 + length
        if position > end:
            raise RecordingError(
                f"{shown(file)}: chunk {name.decode('latin1')!r}",
                f"needs the file to have {position} bytes, it has {end}",
                "copy the file again from its source",
            )
        position += length % 2
    stream.seek(0)
    if not bits or not has_data:
        raise RecordingError(shown(file), "has no format or no samples", "save it again")
    return bits
