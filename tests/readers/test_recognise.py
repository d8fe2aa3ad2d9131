"""Formats are told from the first bytes, from the suffix only where those say nothing."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.recognise import recognise
from readers.activity_files import fit_file, gpx, ride, tcx, trkpt

if TYPE_CHECKING:
    from pathlib import Path


def told(folder: Path, content: bytes | str, name: str = "file") -> str:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return recognise(file).format


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (npy(), "npy"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "wav"),
        (b"TDSm\x0e\0\0\0", "tdms"),
        (b"PAR1\x15\0", "parquet"),
        (b"\x89HDF\r\n\x1a\n\0", "hdf5"),
        (b"MATLAB 7.3 MAT-file, Platform", "mat73"),
        (b"MATLAB 5.0 MAT-file, Platform", "mat5"),
        (b"MDF     4.11    ", "mdf"),
        (b"UnFinMF 4.11    ", "mdf"),
        (fit_file(ride(3)), "fit"),
        (gpx(trkpt(0)), "gpx"),
        (tcx(""), "tcx"),
        (b"[Params]\nVersion=106\n", "hrm"),
        (b"    -1\n    58\nname\n", "uff"),
        (b"@problemName X\n@data\n1,2:a\n", "ts"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x84mide", "ide"),
        (b"#9000804346WAVEDESC", "scope"),
        (b"MD\xfc\x03\0\x0a", "cwa"),
        (b"Device Identity\r\nDevice Type:GENEActiv\r\n", "geneactiv"),
        (b"PK\3\4\x14\0\0\0\0\0" + bytes(20) + b"log.bin", "gt3x"),
        (b"PK\3\4\x14\0\0\0\0\0" + bytes(20) + b"info.txt", "gt3x"),
        (b"MPQ\x1b\0\2\0\0\0\4\0\0,StarCraft II replay\x1b11", "sc2replay"),
        (b'\xef\xbb\xbf{ "RIDE" :{"STARTTIME":"2020\\/09\\/13 12:26:40 UTC"}}', "goldencheetah"),
        (b'[{\n "dateTime" : "06/24/95 16:00:10", "value": "0"}]', "fitbit"),
        (b'[{"logId": 1, "levels": {"data": []}}]', "fitbit"),
        (b"100:0,1,9,6,-913,0.00;1,2,19,-1947,20,0.00;:1,2,3,0.0,H,Alive;:\n", "tracab"),
        (b"450:0.30602,0.97029,5,1.1;NaN,NaN,NaN,NaN:0.5,0.5\n", "epts"),
        (b"451:NaN,NaN,5,NaN;0.1,0.2,1,1.0:0.5,0.5\n", "epts"),
        (b"AG10\xe4\x1f\0\0\1\0\0\0", "scope"),
        (b'<?xml version="1.0"?><Database FWVersion="1">', "scope"),
        (b"a,b\n1,2\n", "csv"),
        (b"made by X\na;b\n1,5;2,5\n1;2\n", "csv"),
        (b"a\tb\n1\t2\n3\t4\n", "csv"),
        (b"level\n1.5\n2.5\n", "csv"),
        (b"1 2 3\n4 5 6\n", "text"),
        (b"1\t2\n3\t4\n", "text"),
        (b"112 \n98 \n69 \n", "text"),
        (b"812\n799\n805\n790\n810\n815\n", "rr"),
        (b"0.8 0.81\n1.6 0.79\n2.4 0.80\n3.2 0.80\n4.0 0.81\n", "rr"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_content_alone(tmp_path: Path, content: bytes | str, name: str, suffix: str) -> None:
    raw = content.encode() if isinstance(content, str) else content
    packed = gzip.compress(raw) if suffix else raw
    assert told(tmp_path, packed, f"some.bin{suffix}") == name
    assert name in READERS


def test_seconds_between_beats_need_a_name_that_says_so(tmp_path: Path) -> None:
    seconds = "".join(f"{0.8 + 0.01 * (at % 5):.3f}\n" for at in range(20))
    assert told(tmp_path, seconds, "rest_rri.txt") == "rr"
    assert told(tmp_path, seconds, "levels.txt") == "text"


def test_numbers_of_beats_are_not_any_numbers(tmp_path: Path) -> None:
    assert told(tmp_path, "".join(f"{at % 130}\n" for at in range(50)), "rul.txt") == "text"
    assert told(tmp_path, "900\n" * 20, "flat.txt") == "text"


def test_a_suffix_helps_where_bytes_do_not(tmp_path: Path) -> None:
    assert told(tmp_path, b"\x02\0\0\0abc\0", "a.wfm") == "scope"
    assert told(tmp_path, "100 2 360 650000\n", "100.hea") == "wfdb"
    assert told(tmp_path, b"\0\0\0\0\0abc", "old.mat") == "mat5"
    # Content wins over the suffix.
    assert told(tmp_path, b"PAR1\x15\0", "a.csv") == "parquet"


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"", "a.csv", "is empty"),
        (b"\n \n", "a.csv", "is empty"),
        (b"\0\1\2\3", "a.bin", "is of no kind that is known here"),
        (b'{"a": 1}', "a.json", "is JSON"),
        (b'[{"a": 1}]', "a.json", "is JSON"),
        (b"a,b\n1,2\n", "counts.awd", "is of the format awd; no kept-up library"),
        (b"PK\3\4\x14\0\0\0\0\0" + bytes(20) + b"photo.jpg", "a.zip", "is an archive"),
        (b"PK\3\4word/document.xml", "a.docx", "is of no kind"),
        (b"<html><body>1,2</body></html>", "a.html", "is of no kind"),
        (b"Once upon a time.\nThere was a file.\n", "a.txt", "is of no kind"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-20] + b"\xff\xff\xff\xff", "a.csv.gz", "damaged"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, name: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        told(tmp_path, content, name)


def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "bomb.csv.gz"
    with gzip.open(file, "wb") as stream:
        for _ in range(64):
            stream.write(b"1,2\n" * 2**20)
    tracemalloc.start()
    assert recognise(file).format == "csv"
    assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    tracemalloc.stop()
