"""Which format a file has, told from its first bytes, and from its suffix where they say nothing.

Nothing is read as that format here: its reader says whether it is one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.errors import InputError
from lumipipe.readers import READERS, WITHOUT_READER, remedy_for
from lumipipe.readers.compressed import first_bytes, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD_BYTES = 2**16
_WRAPPINGS = (".gz", ".xz")
_OLE, _ZIP, _HDF5 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_SHEETS = ("xlsx", "xlsm", "xlsb", "ods")
# Bytes at a place, and the format whose files have them there.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x93NUMPY", "npy"),
    (8, b"WAVE", "wav"),
    (0, b"TDSm", "tdms"),
    (0, b"PAR1", "parquet"),
    (0, b"MATLAB 7.3 MAT-file", "mat73"),
    (0, b"MATLAB 5.0 MAT-file", "mat5"),
    (0, b"MDF     ", "mdf"),
    (0, b"UnFinMF ", "mdf"),
    (8, b".FIT", "fit"),
    (0, _HDF5, "hdf5"),
    (0, b"RG0", "scope"),
    (0, b"AG1", "scope"),
    (0, b"AG0", "scope"),
    (0, b"MD\xfc\x03", "cwa"),  # its head has 1020 bytes
    (0, b"Device Identity", "geneactiv"),
    (30, b"log.bin", "gt3x"),  # first name in a ZIP archive
    (30, b"info.txt", "gt3x"),
)
# How a file begins, what stands in its first 64 bytes, and the format of such files.
_INSIDE = (
    (b"\x1aE\xdf\xa3", b"mide", "ide"),
    (b"MPQ\x1b", b"StarCraft II replay", "sc2replay"),
    (b"", b"WAVEDESC", "scope"),
)
_SUFFIXES = {
    "mat": "mat5",
    "h5": "hdf5",
    "hdf": "hdf5",
    "mf4": "mdf",
    "dat": "text",
    "trc": "scope",
    "wfm": "scope",
    "isf": "scope",
    "unv": "uff",
    "xls": "excel",
    "hea": "wfdb",
    "pq": "parquet",
    **dict.fromkeys(_SHEETS, "excel"),
}
# What is no measurement, or has no reader here, by suffix.
_NO_READER = {
    "tdms_index": "is the index of a TDMS file; name the .tdms file",
    "dbc": "is a database of a bus; name it by --read dbc= beside an MDF file",
    "json": "is JSON of no kind that is known here; export it as CSV",
    "pdf": "is a PDF; ask for the data themselves",
    "zip": "is an archive; unpack it first",
    "yaml": "is YAML, such as a request; name a file of measurements",
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FEWEST, _MOST_SHARE = 5, 0.95
_MS = (200.0, 3000.0)  # 300 to 20 beats a minute
_BEATS = re.compile(r"(^|[^a-z])(rr|rri|ibi|nn|nni|hrv|beats?|r-r)([^a-z]|$)")


class Recognised(NamedTuple):
    """Format of a file, and by what it was told."""

    format: str
    told: str


def recognise(file: Path) -> Recognised:
    r"""The format of a file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; no more than 64 KiB of its content are looked at.

    Returns
    -------
    Recognised
        A name from the registry of readers.

    Raises
    ------
    InputError
        If it is empty, of no known kind, or its kind has no reader.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "ride.txt")
    ...     _ = file.write_text("a;b\\n1,5;2\\n")
    ...     recognise(file).format
    'csv'
    """
    head = first_bytes(file, HEAD_BYTES)[0]
    if not head.strip():
        raise InputError(shown(file), "is empty", "copy the file again from its source")
    suffix = _suffix(file)
    for test in (_by_magic, _by_words, _by_suffix, _by_rows):
        if test is _by_suffix and suffix in WITHOUT_READER:
            break
        found = test(file, head, suffix)
        if found is not None and found.format in READERS:
            return found
    if suffix in WITHOUT_READER:
        raise InputError(shown(file), f"is of the format {suffix}", remedy_for(suffix))
    if suffix in _NO_READER:
        problem, _, remedy = _NO_READER[suffix].partition("; ")
        raise InputError(shown(file), problem, remedy)
    raise InputError(
        shown(file),
        "is of no kind that is known here",
        "export it as CSV, or name its format where you know it",
    )


def _suffix(file: Path) -> str:
    """The suffix without point and wrapping, in small letters."""
    name = file.name.lower()
    for wrapping in _WRAPPINGS:
        name = name.removesuffix(wrapping)
    return name.rpartition(".")[2] if "." in name else ""


def _by_magic(file: Path, head: bytes, suffix: str) -> Recognised | None:  # noqa: ARG001
    """The format whose files begin so."""
    for at, sign, name in _MAGIC:
        if head[at : at + len(sign)] == sign and (name != "gt3x" or head.startswith(_ZIP)):
            return Recognised(name, "its first bytes")
    if head[512:520] == _HDF5:
        return Recognised("mat73" if suffix == "mat" else "hdf5", "its first bytes")
    for begin, within, name in _INSIDE:
        if head.startswith(begin) and within in head[:64]:
            return Recognised(name, "its first bytes")
    is_sheet = head.startswith(_ZIP) and (b"xl/" in head or b"opendocument.spreadsheet" in head)
    if (head.startswith(_OLE) and suffix in {"", "xls"}) or (head.startswith(_ZIP) and is_sheet):
        return Recognised("excel", "its first bytes")
    return None


def _by_words(file: Path, head: bytes, suffix: str) -> Recognised | None:  # noqa: ARG001
    """The format whose files begin with such words."""
    text = head.decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n")
    marks: tuple[tuple[Callable[[str], object], str], ...] = (
        (lambda t: t.startswith("<") and re.search(r"<(\w+:)?gpx[\s>]", t), "gpx"),
        (lambda t: t.startswith("<") and "<TrainingCenterDatabase" in t, "tcx"),
        (lambda t: t.startswith("<") and "<Database FWVersion" in t, "scope"),
        (lambda t: t.startswith("[Params]"), "hrm"),
        (lambda t: re.match(r'\{\s*"RIDE"\s*:', t), "goldencheetah"),
        (lambda t: re.match(r'\[\s*\{\s*"(dateTime|logId)"\s*:', t), "fitbit"),
        (lambda t: re.match(r"\d+:(-?\d+,){5}-?\d+\.\d+;", t), "tracab"),
        (lambda t: re.match(r"\d+:((-?\d+\.\d+|NaN),){2}", t), "epts"),
        (lambda t: re.match(r"-1\s*\r?\n\s*\d+", t), "uff"),
        (lambda t: re.search(r"^@(problemname|data)\b", t, re.IGNORECASE | re.MULTILINE), "ts"),
    )
    for test, name in marks:
        if test(text):
            return Recognised(name, "its first words")
    return None


def _by_suffix(file: Path, head: bytes, suffix: str) -> Recognised | None:  # noqa: ARG001
    """The format that the suffix stands for, where that leaves no question."""
    name = _SUFFIXES.get(suffix, suffix)
    is_text = b"\x00" not in head
    if name in {"text", "csv"} or (name == "scope" and is_text):
        return None
    if suffix in {"xls", "ts"} and is_text:  # some programs call a table so
        return None
    return Recognised(name, f"its suffix .{suffix}") if name in READERS else None


def _by_rows(file: Path, head: bytes, suffix: str) -> Recognised | None:
    """A table of text: with a delimiter, of numbers between blanks, or of times between beats."""
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    text = head.decode("latin-1").removeprefix("\xef\xbb\xbf")
    if text.startswith(("<", "{", "[")) or suffix in _NO_READER:
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    lines = lines[:-1] if len(head) == HEAD_BYTES and len(lines) > 1 else lines
    if _are_beats(file.name.lower(), lines):
        return Recognised("rr", "its rows: times between heartbeats")
    rows = lines[len(lines) // 2 :]  # after whatever head there is
    blanks = [line.split() for line in rows]
    is_even = len({len(cells) for cells in blanks}) == 1
    numbers = is_even and all(_NUMBER.fullmatch(cell) for cells in blanks for cell in cells)
    is_plain = numbers and all(_NUMBER.fullmatch(cell) for cell in lines[0].split())
    is_split = suffix in {"csv", "tsv"} or any(_is_split(lines, sign) for sign in ",;\t|")
    if is_split and not is_plain:
        return Recognised("csv", "its rows: cells with a delimiter")
    if numbers and not is_plain and len(blanks[0]) == 1:
        return Recognised("csv", "its rows: one column with a head")
    return Recognised("text", "its rows: numbers between blanks") if numbers else None


def _is_split(lines: list[str], sign: str) -> bool:
    """Whether a sign splits the later lines into equally many cells."""
    counts = {line.count(sign) for line in lines[len(lines) // 2 :]}
    return len(counts) == 1 and counts != {0}


def _are_beats(name: str, lines: list[str]) -> bool:
    """Whether a list holds times between heartbeats.

    Whole numbers of a heart's milliseconds are enough; seconds need a name that says so, or the
    time passed beside them, which grows by what they say.
    """
    rows = [line.split() for line in lines]
    if len(rows) < _FEWEST or {len(row) for row in rows} not in ({1}, {2}):
        return False
    if not all(_NUMBER.fullmatch(cell) for row in rows for cell in row):
        return False
    values = [float(row[-1]) for row in rows]
    as_ms = sum(_MS[0] <= value <= _MS[1] for value in values) >= _MOST_SHARE * len(values)
    as_s = sum(_MS[0] <= 1000 * v <= _MS[1] for v in values) >= _MOST_SHARE * len(values)
    if len(rows[0]) == 1:
        whole = as_ms and all(value.is_integer() for value in values) and len(set(values)) > 1
        return whole or ((as_ms or as_s) and _BEATS.search(name) is not None)
    passed = [float(row[0]) for row in rows]
    unit = 1000.0 if as_ms else 1.0
    grown = [1000 * (after - before) for before, after in pairwise(passed)]
    told = [1000 * value / unit for value in values[1:]]
    near = sum(abs(a - b) <= 0.1 * _MS[1] for a, b in zip(grown, told, strict=True))
    return (as_ms or as_s) and near >= _MOST_SHARE * len(told)
