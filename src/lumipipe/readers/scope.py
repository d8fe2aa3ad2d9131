"""Waveforms of oscilloscopes, by RigolWFM: Rigol, Keysight, LeCroy, Rohde & Schwarz and others.

Tables that an oscilloscope saved as CSV are `lumipipe.readers.delimited`'s.
"""

from __future__ import annotations

import gc
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.language import finding
from lumipipe.readers.compressed import plain_file, shown
from lumipipe.readers.containers import (
    TIME,
    ContainerOptions,
    Part,
    chosen,
    container_table,
    rate_text,
    unique,
)
from lumipipe.readers.libraries import damage, library
from lumipipe.readers.salvage import Whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_KIND = finding("oscilloscope file")
_UNITS = {"v": "V", "a": "A", "w": "W", "s": "s", "hz": "Hz", "db": "dB"}
# The files of these series look alike, and RigolWFM 1.6 takes each for one of an E.
_ALIKE = ("wfm1000c", "wfm1000d", "wfm1000e")
_DS1000D = ("D", "DS1000D", "DS1052D", "DS1102D")
_UNCHECKED = "tek_isf"  # 1.6 takes the samples that are there, and less where they end like a line
# What describes a waveform of LeCroy [1]_: at byte 32 whether samples have two bytes, at 34 their
# order, from 36 on the lengths of seven parts, at 116 the number of samples.
_LECROY_BYTES = 120
# Count of zero volts. RigolWFM 1.6 takes 125 and skips the first 4 samples; the CSV that a DS1102D
# wrote beside its .wfm has 127 and all 1,024 (RigolWFM's test files, pull request 28).
_ZERO_COUNT = 127.0


class Options(ContainerOptions):
    """Keys of an oscilloscope file."""

    model: str = "auto"
    """Series of the oscilloscope as RigolWFM names it, such as E, Z or LeCroy; told by the
    file where absent, but for the DS1000 C, D and E, whose files look alike."""

    def beside(self, file: Path) -> list[Path]:
        """The samples of a Rohde & Schwarz file, which lie in a second one."""
        names = (file, file.resolve())
        found = [name.with_name(f"{name.stem}.Wfm{name.suffix}") for name in names]
        return [samples for samples in found if samples.is_file()][:1]


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table of all channels that were sampled together.

    Parameters
    ----------
    file : Path
        .wfm, .bin, .trc and others; of Rohde & Schwarz the .bin beside its .Wfm.bin.
    options : Options
        Model.

    Yields
    ------
    Table
        Columns time (seconds since the trigger) and CH 1 to CH 4, in float64; ``rate_hz`` and
        ``unit:NAME`` are attributes. Digital lines are named in ``not_read``.

    Raises
    ------
    InputError
        If RigolWFM is not installed, the model is not known or not told by the file.
    RecordingError
        If the file is truncated or damaged, or of another kind.

    References
    ----------
    .. [1] LeCroy, template LECROY_2_3 of waveforms, as RigolWFM's lecroy_2_3_le_trc.ksy holds it.
    """
    waveforms = library(file, "RigolWFM.wfm", "RigolWFM")
    with plain_file(file, options.most_bytes) as plain, damage(file, _KIND):
        found, failure = _attempt(file, plain, options, waveforms)
        # RigolWFM leaves files open, in rings of objects that only the collector frees.
        gc.collect()
        if failure is not None:
            raise failure
    yield from found


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The samples that are there, where a LeCroy file promises more."""
    first = content.find(b"WAVEDESC")
    if first < 0 or len(content) < first + _LECROY_BYTES:
        return None
    order = "<" if content[first + 34] == 1 else ">"
    size = 2 if struct.unpack_from(f"{order}H", content, first + 32)[0] else 1
    parts = struct.unpack_from(f"{order}7i", content, first + 36)
    start, length = first + parts[0] + parts[1] + parts[3] + parts[4], parts[6]
    held = (len(content) - start) // size * size
    if not 0 < held < length or start <= first:
        return None
    mended = bytearray(content[: start + held])
    struct.pack_into(f"{order}i", mended, first + 60, held)
    struct.pack_into(f"{order}i", mended, first + 116, held // size)
    fault = finding(f"{held // size} of {length // size} samples are there")
    return Whole(bytes(mended), start + held, len(content), fault)


def _attempt(
    file: Path, plain: Path, options: Options, waveforms: Any
) -> tuple[list[Table], Exception | None]:
    """The tables of a file, or what was raised, without its hold on the library's objects."""
    try:
        return _tables(file, plain, options, waveforms), None
    except InputError as error:
        return [], type(error)(*error.args)
    except Exception as error:  # noqa: BLE001 (raised by the caller)
        return [], ValueError(str(error) or type(error).__name__)


def _tables(file: Path, plain: Path, options: Options, waveforms: Any) -> list[Table]:
    """The tables of a file; nothing of the library is left when this returns."""
    place = plain if not options.beside(file) else options.beside(file)[0].with_name(plain.name)
    opened = _opened(file, place, options.model, waveforms)
    return [
        _table(name, part, columns, opened, zero=options.model in _DS1000D)
        for name, part, columns in chosen(file, options, _parts(opened))
    ]


def _opened(file: Path, plain: Path, model: str, waveforms: Any) -> Any:
    """The waveforms of a file; what it may be of is asked for where it does not tell."""
    # The layout of a C has the samples of a D where they are; that of an E starts 4 too late.
    asked = "C" if model in _DS1000D else model
    try:
        opened = waveforms.Wfm.from_file(str(plain), asked)
    except waveforms.Unknown_Scope_Error as error:
        raise InputError(
            shown(file), f"no model {model}", "name one of RigolWFM's, such as E, Z or LeCroy"
        ) from error
    if opened.parser_name == _UNCHECKED:
        raise InputError(
            shown(file),
            "is a Tektronix .isf file, of which RigolWFM reads what is left without a word",
            "save the waveform as .wfm or CSV",
        )
    if model == "auto" and opened.parser_name in _ALIKE:
        raise InputError(
            shown(file),
            "may be of a DS1000 C, D or E, which scale their samples in different ways",
            "set read.model to C, D or E",
        )
    return opened


def _parts(opened: Any) -> list[Part]:
    """Channels that have samples, by their time axis."""
    together: dict[tuple[int, float, float], list[Any]] = {}
    for channel in opened.channels:
        if channel.volts is not None and len(channel.volts):
            key = (len(channel.volts), float(channel.seconds_per_point), float(channel.times[0]))
            together.setdefault(key, []).append(channel)
    names = unique("waveforms" for _ in together)
    return [
        Part(name, (TIME, *(channel.name for channel in channels)), channels)
        for name, channels in zip(names, together.values(), strict=True)
    ]


def _table(name: str, part: Part, columns: list[str], opened: Any, *, zero: bool) -> Table:
    """The samples of some channels."""
    first = part.held[0]
    said: dict[str, Any] = {
        "rate_hz": rate_text(float(first.seconds_per_point)),
        f"unit:{TIME}": "s",
        "not_read": "digital lines" if getattr(opened, "logic_channels", None) else None,
    }
    values: dict[str, np.ndarray] = {}
    if TIME in columns:
        values[TIME] = np.asarray(first.times, dtype=np.float64)
    for channel in part.held:
        if channel.name not in columns:
            continue
        if len(channel.volts) != len(first.times):
            raise ValueError(f"{channel.name} has {len(channel.volts)} samples for its times")
        volts = np.asarray(channel.volts, dtype=np.float64)
        if zero:
            volts = channel.y_scale * (_ZERO_COUNT - channel.raw) - channel.y_offset
        values[channel.name] = volts
        said[f"unit:{channel.name}"] = _UNITS.get(getattr(channel.unit, "name", ""))
    return container_table(name, part, values, said)
