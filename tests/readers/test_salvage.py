"""Damaged files: refused, or read as far as they are whole and marked with how much that was."""

from __future__ import annotations

import gzip
import lzma
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.salvage import SALVAGED, whole_lines
from readers.whole_files import WHOLE, form_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.readers.tables import Table


class Cut(NamedTuple):
    """Damage to the whole file of `name`: how it is done, the rows that are left, what is said."""

    name: str
    damage: Callable[[bytes], bytes]
    rows: int
    said: str
    way: dict[str, Any] = {}


def without(count: int) -> Callable[[bytes], bytes]:
    """The file without its last bytes."""
    return lambda content: content[:-count]


def with_length(where: int, form: str, value: int) -> Callable[[bytes], bytes]:
    """The file with a length that its recorder never came to write."""

    def change(content: bytes) -> bytes:
        raw = bytearray(content)
        struct.pack_into(form, raw, where, value)
        return bytes(raw)

    return change


X = {"variables": {"x": "x"}}
Y = {"variables": {"y": "y"}}
CUTS = {
    "csv": Cut("csv", without(5), 29, "618 of 636 bytes read, its last line is cut short"),
    "csv, zeros": Cut("csv", lambda raw: raw[:-5] + bytes(40), 29, "zeros from byte 636 on"),
    "text": Cut("text", without(19), 29, "its last line is cut short"),
    "ts": Cut("ts", without(4), 5, "its last line is cut short"),
    "npy": Cut("npy", without(50), 17, "536 of 558 bytes read, 17 of 20 rows are whole"),
    "npy of records": Cut("npy/records", without(7), 7, "7 of 9 rows are whole"),
    "mat5": Cut("mat5", without(40), 40, "the variable after them is cut short", X),
    "wav": Cut(
        "wav", without(10), 97, "432 of 434 bytes read, 388 of 400 bytes of samples are there"
    ),
    "wav, no length": Cut("wav", with_length(40, "<I", 2**32 - 1), 100, "400 of 4294967295"),
    "tdms": Cut("tdms", without(30), 20, "617 of 1204 bytes read, its last segment is cut short"),
    "uff": Cut("uff", without(200), 20, "left out as damaged: set 2 of 2"),
    "uff, binary": Cut("uff/binary", without(100), 20, "set 2 of 2"),
    "uff, the first": Cut(
        "uff", lambda raw: raw.replace(b"        20", b"        21", 1), 20, "set 1"
    ),
    "hrm": Cut("hrm", without(9), 3, "row 4 of"),
    "rr": Cut("rr/passed", lambda raw: raw + b"8.", 3, "3 of 4 lines read"),
    "gpx": Cut("gpx", without(120), 5, "bytes read"),
    "tcx": Cut("tcx", without(200), 4, "bytes read"),
    "fit": Cut("fit", without(9), 13, "bytes read"),
    "tracab": Cut("tracab", without(5), 3, "its last line is cut short", {"metadata": "match.xml"}),
    "epts": Cut("epts", without(9), 2, "its last line is cut short", {"metadata": "match.xml"}),
    "goldencheetah": Cut("goldencheetah", without(20), 8, "what follows is cut short or damaged"),
    "fitbit": Cut("fitbit", without(3), 11, "what follows is cut short or damaged"),
    "fitbit, filled": Cut("fitbit", lambda raw: raw[:-3] + bytes(9), 11, "bytes read"),
    "ide": Cut("ide", lambda raw: raw + b"\xa1\x50\x00", 10, "285 of 288 bytes read, the block"),
}


def tables(form: str, file: Path, **options: Any) -> list[Table]:
    reader = READERS[form]
    return list(reader.read(file, reader.Options.model_validate(options)))


@pytest.mark.parametrize("which", CUTS)
def test_what_is_whole_is_read_and_marked(tmp_path: Path, which: str) -> None:
    cut = CUTS[which]
    if (needs := WHOLE[cut.name].needs) is not None:
        pytest.importorskip(needs, reason="its library is an extra")
    form, file = form_of(cut.name), WHOLE[cut.name].make(tmp_path)
    before = tables(form, file, **cut.way)
    file.write_bytes(cut.damage(file.read_bytes()))
    with pytest.raises(InputError):
        tables(form, file, **cut.way)
    found = tables(form, file, **cut.way, salvage=True)
    if form != "ts":
        assert len(next(iter(found[0].columns.values()))) == cut.rows
    else:
        assert len(found) == cut.rows
    for part in found:
        assert cut.said in part.attributes[SALVAGED]
        assert part.notes[0] == f"salvaged: {part.attributes[SALVAGED]}"
    assert found[0].name == before[0].name or form == "fit"
    for name in set(found[0].columns) & set(before[0].columns) if "uff" not in which else ():
        values = before[0].columns[name][: len(found[0].columns[name])]
        if name != "timer":
            np.testing.assert_array_equal(found[0].columns[name], values)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
@pytest.mark.parametrize("name", ["csv", "npy", "gpx", "wav"])
def test_what_unpacks_of_a_cut_archive_is_read(tmp_path: Path, name: str, suffix: str) -> None:
    whole = WHOLE[name]
    pytest.importorskip(whole.needs or "numpy", reason="its library is an extra")
    file = whole.make(tmp_path)
    pack = gzip.compress if suffix == ".gz" else lzma.compress
    packed = file.with_name(file.name + suffix)
    packed.write_bytes(pack(file.read_bytes())[:-20])
    with pytest.raises(RecordingError, match="truncated or damaged as a"):
        tables(name, packed)
    if suffix == ".xz":
        # A block of .xz gives nothing before it is whole enough: small ones are lost.
        packed.write_bytes(pack(file.read_bytes()[: len(file.read_bytes()) - 9])[:-12])
    (found,) = tables(name, packed, salvage=True)[:1]
    assert "packed bytes unpack, to" in found.attributes[SALVAGED]
    assert 0 < len(next(iter(found.columns.values()))) <= 100
    assert found.name == "a"


@pytest.mark.parametrize("name", ["excel", "hdf5", "parquet", "mat73", "mdf"])
def test_formats_that_cannot_be_salvaged_say_so(tmp_path: Path, name: str) -> None:
    if (needs := WHOLE[name].needs) is not None:
        pytest.importorskip(needs, reason="its library is an extra")
    file = WHOLE[name].make(tmp_path)
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(RecordingError, match=r"salvage is not possible for this format") as error:
        tables(name, file, salvage=True)
    assert "\n" not in str(error.value)
    assert f"({name if name != 'csv' else 'delimited'})" in str(error.value)


@pytest.mark.parametrize("name", [name for name, whole in WHOLE.items() if whole.cost < 10])
def test_whole_files_are_read_alike_and_not_marked(tmp_path: Path, name: str) -> None:
    whole = WHOLE[name]
    pytest.importorskip(whole.needs or "numpy", reason="its library is an extra")
    file = whole.make(tmp_path)
    for way in whole.ways:
        strict = tables(form_of(name), file, **way)
        found = tables(form_of(name), file, **way, salvage=True)
        assert [part.attributes for part in found] == [part.attributes for part in strict]
        for one, other in zip(strict, found, strict=True):
            for column, values in one.columns.items():
                np.testing.assert_array_equal(values, other.columns[column])


def test_samples_of_a_record_that_was_cut(tmp_path: Path) -> None:
    pytest.importorskip("wfdb", reason="records are the extra ecg")
    head = WHOLE["wfdb"].make(tmp_path)
    samples = head.with_suffix(".dat")
    samples.write_bytes(samples.read_bytes()[:-401])
    with pytest.raises(RecordingError):
        tables("wfdb", head, table="signals")
    (found,) = tables("wfdb", head, table="signals", salvage=True)
    assert len(found.columns["MLII"]) == 879
    np.testing.assert_array_equal(found.columns["MLII"], np.arange(879) / 200)
    assert found.attributes[SALVAGED] == "1758 of 1759 bytes read, 879 of 1080 samples are there"
    assert found.attributes["unit:MLII"] == "mV"


def lecroy(count: int, *, words: bool, order: str, promised: int) -> bytes:
    """A LeCroy waveform with a ramp, of the template 2.3."""
    head = bytearray(346)
    head[:16], head[16:32] = b"WAVEDESC".ljust(16, b"\0"), b"LECROY_2_3".ljust(16, b"\0")
    size = 2 if words else 1
    struct.pack_into(f"{order}2H", head, 32, int(words), int(order == "<"))
    struct.pack_into(f"{order}i", head, 36, len(head))
    struct.pack_into(f"{order}i", head, 60, promised * size)
    struct.pack_into(f"{order}i", head, 116, promised)
    struct.pack_into(f"{order}2f", head, 156, 0.5, 0.0)
    struct.pack_into(f"{order}f", head, 176, 1e-3)
    return bytes(head) + np.arange(count, dtype=f"{order}i{size}").tobytes()


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_waveform_that_was_cut(tmp_path: Path, order: str, *, words: bool) -> None:
    pytest.importorskip("RigolWFM", reason="oscilloscope files are the extra instruments")
    file = tmp_path / "a.trc"
    file.write_bytes(b"#9000000000" + lecroy(100, words=words, order=order, promised=100))
    (whole,) = tables("scope", file)
    np.testing.assert_array_equal(whole.columns["CH 1"], np.arange(100) / 2)
    file.write_bytes(b"#9000000000" + lecroy(60, words=words, order=order, promised=100) + b"\1")
    with pytest.raises(RecordingError):
        tables("scope", file)
    (found,) = tables("scope", file, salvage=True)
    count = 60 if words else 61
    assert len(found.columns["CH 1"]) == count
    np.testing.assert_array_equal(found.columns["CH 1"][:60], np.arange(60) / 2)
    assert f"{count} of 100 samples are there" in found.attributes[SALVAGED]


def test_a_broken_function_between_binary_ones(tmp_path: Path) -> None:
    """Points that look like the closing mark end no set; the set with too few of them is named."""
    pyuff = pytest.importorskip("pyuff", reason="UFF is the extra instruments")
    from readers.test_uff import WAVE, function, write  # noqa: PLC0415

    assert pyuff
    data = WAVE.copy()
    data[5] = np.frombuffer(b"    -1\n\n", dtype=np.float64)[0]
    first = write(tmp_path / "1.uff", function(binary=1)).read_bytes()
    odd = write(tmp_path / "2.uff", function(binary=1, data=data)).read_bytes()
    last = write(tmp_path / "3.uff", function(binary=1, rsp_node=13)).read_bytes()
    file = tmp_path / "a.uff"
    file.write_bytes(first + odd.replace(b"        20", b"        25", 1) + last)
    with pytest.raises(RecordingError):
        tables("uff", file)
    (found,) = tables("uff", file, salvage=True)
    assert list(found.columns) == ["12+Z", "13+Z"]
    np.testing.assert_array_equal(found.columns["13+Z"], WAVE)
    assert "left out as damaged: set 2 of 3" in found.attributes[SALVAGED]


def test_nothing_is_salvaged_unless_it_is_asked_for(tmp_path: Path) -> None:
    file = WHOLE["csv"].make(tmp_path)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(RecordingError, match="the row has 2 cells"):
        tables("csv", file)


def test_a_fault_in_the_middle_is_not_cut_away(tmp_path: Path) -> None:
    file = WHOLE["csv"].make(tmp_path)
    lines = file.read_bytes().split(b"\n")
    lines[9] = b"oh"
    file.write_bytes(b"\n".join(lines)[:-5])
    with pytest.raises(InputError, match=r"what is whole of it .* is refused, too"):
        tables("csv", file, salvage=True)
    file.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordingError, match="finds no part of it that is whole"):
        tables("csv", file, salvage=True)


@given(st.binary(max_size=60))
def test_whole_lines_are_a_beginning(content: bytes) -> None:
    found = whole_lines(content)
    if found is not None:
        assert content.startswith(found.content)
        assert found.content.endswith(b"\n")
        assert b"\0" not in found.content
        assert (found.read, found.total) == (len(found.content), len(content))
        assert found.read < found.total


@pytest.mark.slow
def test_a_file_that_its_logger_had_not_finished(tmp_path: Path) -> None:
    """As after a loss of power: counters at 0, the last block without its length."""
    pytest.importorskip("asammdf", reason="MDF is the extra instruments")
    file = WHOLE["mdf"].make(tmp_path)
    raw = bytearray(file.read_bytes())
    raw[:8] = b"UnFinMF "
    struct.pack_into("<H", raw, 60, 1)  # the counters of rows are to be mended
    at = -1
    while (at := raw.find(b"##CG", at + 1)) >= 0:
        links = struct.unpack_from("<Q", raw, at + 16)[0]
        struct.pack_into("<Q", raw, at + 24 + 8 * links + 8, 0)
    file.write_bytes(bytes(raw))
    (first, second) = tables("mdf", file)
    assert first.columns["speed"].tolist() == [0, 1, 2, 3, 4]
    assert len(second.columns["load"]) == 3
    assert first.attributes["finalized"] == "no"
    assert SALVAGED not in first.attributes
    assert "had not finished" in first.notes[0]
    found = tables("mdf", file, salvage=True)
    assert (
        found[0].attributes[SALVAGED].startswith(f"{len(raw)} of {len(raw)} bytes read, its logger")
    )
