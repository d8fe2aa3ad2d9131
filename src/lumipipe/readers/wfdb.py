"""WFDB records of PhysioNet and others: beats with their annotations, or signals, by wfdb.

A record is several files with one name: its header (.hea), which a request names, the signals and
the annotations.
"""

from __future__ import annotations

import re
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lumipipe.config import Identifier  # noqa: TC001 (Pydantic reads it at run time)
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import plain_name, shown
from lumipipe.readers.libraries import damage, library
from lumipipe.readers.salvage import Whole
from lumipipe.readers.tables import ReaderOptions, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 2**30
_MOST_HEADER_BYTES = 2**16
_BITS = {"80": 8, "16": 16, "212": 12}  # of a sample, by the formats that are common
_CHECKSUM_WORD = 6  # of the line of a signal, from 0: it holds for all samples
_LEAST_WORDS = 4  # of the first line of a header that says how many samples there are
_LEAST_BITS = 8  # no format packs a sample into fewer
# Symbols of annotations that are beats, and the one of a normal beat: WFDB's list of codes [1]_.
_BEATS = "NLRBAaJSVrFejnE/fQ?"
_NORMAL = "N"
_CHECKSUM = finding("its signals are not those that the header was written for (checksum)")
_BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, OSError)


class Options(ReaderOptions):
    """Keys of a WFDB record."""

    table: Literal["beats", "signals"] = "beats"
    """`beats` for the annotated heartbeats, `signals` for the samples."""
    annotator: Identifier = "atr"
    """Suffix of the file with the annotations."""


def parts(file: Path) -> list[Path]:
    """The header and all files of its name beside it."""
    return sorted(path for path in file.parent.glob("*") if path.stem == file.stem)


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a WFDB record.

    Parameters
    ----------
    file : Path
        The header, such as 100.hea; the other files of the record lie beside it.
    options : Options
        Which table, and whose annotations.

    Yields
    ------
    Table
        Of beats: ``time`` (s since the record's start), ``rr`` (ms since the beat before, NaN for
        the first), ``nn`` (the same between two normal beats only, NaN elsewhere), and ``symbol``
        as text. Of signals: ``time`` and a column for each signal, in the unit that the attribute
        ``unit.COLUMN`` names. Comments of the header, which tell of the patient, are left out.

    Raises
    ------
    InputError
        If wfdb is not installed or there is no such annotation file.
    RecordingError
        If a file is damaged, larger than the header says, or lies elsewhere.

    References
    ----------
    .. [1] G. Moody, WFDB applications guide: annotation codes.
    """
    wfdb: Any = library(file, "wfdb", "wfdb", "ecg")
    if file.suffix != ".hea":
        raise InputError(shown(file), "is no header of a record", "name its .hea file in source")
    if options.table == "beats" and not file.with_suffix(f".{options.annotator}").is_file():
        raise InputError(
            shown(file), f"has no annotations {options.annotator} beside it", "mend read.annotator"
        )
    _check_header(file)
    name = str(file.with_suffix(""))
    try:
        header = wfdb.rdheader(name)
        read_table = _beats if options.table == "beats" else _signals
        columns, said = read_table(wfdb, name, header, options)
    except _BROKEN as error:
        is_checksum = str(error) == _CHECKSUM
        problem = (
            _CHECKSUM
            if is_checksum
            else finding(f"cannot be read by wfdb ({type(error).__name__})")
        )
        raise RecordingError(shown(file), problem, "fetch it again") from error
    if not len(columns["time"]):
        raise RecordingError(shown(file), f"holds no {options.table}", "name another record")
    if header.base_datetime is not None:
        said["start_local"] = header.base_datetime.replace(tzinfo=UTC).isoformat()[:19]
    yield Table(plain_name(file), columns, said | {"utc_offset": "unknown"}, None)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The header with the number of samples that are there, where it promises more."""
    lines = content.decode("latin-1").splitlines()
    at = next((n for n, line in enumerate(lines) if line.strip() and line[0] != "#"), len(lines))
    head = lines[at].split() if at < len(lines) else []
    signals = [line.split() for line in lines[at + 1 :] if line.strip() and line[0] != "#"]
    names = {words[0] for words in signals}
    forms = {words[1] for words in signals if len(words) > 1}
    bits = _BITS.get(next(iter(forms), "")) if len(forms) == len(names) == 1 else None
    samples = file.with_name(next(iter(names), file.name))
    if bits is None or len(head) < _LEAST_WORDS or samples.stem != file.stem:
        return None
    held = samples.stat().st_size if samples.is_file() else 0
    rows = 8 * held // (bits * len(signals))
    promised = int(head[3]) if head[3].isdecimal() else 0
    if not 0 < rows < promised:
        return None
    lines[at] = " ".join([*head[:3], str(rows), *head[4:]])
    lines = _summed(file, lines, samples)
    fault = finding(f"{rows} of {promised} samples are there")
    used = rows * bits * len(signals) // 8
    mended = "\n".join(lines).encode("latin-1") + b"\n"
    return Whole(mended, used, held, fault)


def _summed(file: Path, lines: list[str], samples: Path) -> list[str]:
    """The lines of a header with check sums of the samples that it promises now."""
    wfdb: Any = library(file, "wfdb", "wfdb", "ecg")
    at = [n for n, line in enumerate(lines) if line.split()[:1] == [samples.name]]
    bare = [
        " ".join(line.split()[:_CHECKSUM_WORD]) if n in at else line for n, line in enumerate(lines)
    ]
    with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
        (Path(folder) / file.name).write_text("\n".join(bare) + "\n", encoding="latin-1")
        (Path(folder) / samples.name).symlink_to(samples.absolute())
        with damage(file, finding("WFDB record")):
            record = wfdb.rdrecord(str(Path(folder) / file.stem), physical=False)
            sums = record.calc_checksum()
    found = list(lines)
    for number, value in zip(at, sums, strict=False):
        words = lines[number].split()
        if len(words) > _CHECKSUM_WORD:
            words[_CHECKSUM_WORD] = str(int(value))
            found[number] = " ".join(words)
    return found


def _check_header(file: Path) -> None:
    """Refuse a header that is large, of several segments, or leads out of its folder."""
    if file.stat().st_size > _MOST_HEADER_BYTES:
        raise RecordingError(shown(file), "is too large for a header", "check where it is from")
    text = file.read_bytes().decode("latin-1")
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    first = lines[0] if lines else [""]
    if "/" in first[0]:
        raise RecordingError(shown(file), "has several segments", "name the header of a segment")
    said = re.match(r"\S+ (\d{1,3}) \S+ (\d{1,12})(?: |$)", " ".join(first))
    if said is None:
        raise RecordingError(shown(file), "does not say signals, rate and length", "mend it")
    signals, length = (int(number) for number in said.groups())
    for line in lines[1 : 1 + signals]:
        path = file.parent / line[0]
        if not re.fullmatch(r"[\w.-]+", line[0]) or path.stem != file.stem:
            raise RecordingError(
                shown(file), "its signals are in a file of another name or folder", "rename them"
            )
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise RecordingError(
                shown(file), f"its signals are not in {path.name}, or too many", "fetch it again"
            )
    bits = 8 * sum(path.stat().st_size for path in parts(file))
    if length * signals * _LEAST_BITS > bits:
        raise RecordingError(
            shown(file), "promises more samples than its files can hold", "fetch it again"
        )


def _beats(
    wfdb: Any, name: str, header: Any, options: Options
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The annotated beats."""
    found = wfdb.rdann(name, options.annotator, return_label_elements=["label_store"])
    codes = wfdb.io.annotation.ann_label_table
    meaning = dict(zip(codes["label_store"], codes["symbol"], strict=True))
    symbols = np.array([meaning.get(code, "") for code in found.label_store], dtype=object)
    is_beat = np.array([symbol != "" and symbol in _BEATS for symbol in symbols], dtype=bool)
    time = np.asarray(found.sample, dtype=np.float64)[is_beat] / float(header.fs)
    symbols = symbols[is_beat]
    rr = np.concatenate([[np.nan], 1000.0 * np.diff(time)])[: len(time)]
    normal = symbols == _NORMAL
    both = normal & np.concatenate([[False], normal[:-1]])[: len(normal)]
    columns = {"time": time, "rr": rr, "nn": np.where(both, rr, np.nan), "symbol": symbols}
    return columns, {"rate_hz": f"{float(header.fs):.10g}", "unit:nn": "ms"}


def _signals(
    wfdb: Any,
    name: str,
    header: Any,  # noqa: ARG001 (one form for both tables)
    options: Options,  # noqa: ARG001
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The samples of all signals in physical units."""
    record = wfdb.rdrecord(name, physical=False)
    sums = zip(record.calc_checksum(), record.checksum, strict=True)
    if any(said is not None and (found - said) % 2**16 for found, said in sums):
        raise ValueError(_CHECKSUM)
    names = [f"{signal or 'signal'}" for signal in record.sig_name]
    names = [text if names.count(text) == 1 else f"{text}-{at}" for at, text in enumerate(names)]
    time = np.arange(record.sig_len, dtype=np.float64) / float(record.fs)
    columns = {"time": time}
    values = record.dac()
    columns |= {text: np.ascontiguousarray(values[:, at]) for at, text in enumerate(names)}
    units = {f"unit:{text}": unit for text, unit in zip(names, record.units, strict=True)}
    return columns, {"rate_hz": f"{float(record.fs):.10g}"} | units
