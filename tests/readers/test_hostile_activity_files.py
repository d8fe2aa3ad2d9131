"""Files that someone made to do harm: a named refusal, at once, and without the memory."""

from __future__ import annotations

import gzip
import lzma
import struct
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers import READERS
from readers.activity_files import gpx, hrm, sealed, trkpt, wfdb_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

for name, extra in {
    "fitdecode": "activity-files",
    "gpxpy": "activity-files",
    "wfdb": "ecg",
}.items():
    pytest.importorskip(name, reason=f"these files are the extra {extra}")

BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{BILLION}]><gpx>&l9;</gpx>'
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><gpx>&f;</gpx>'
)
MANY_SPACES = " ".join(f'xmlns:a{n}="http://b/{n}"' for n in range(5000))
DEEP = "<a>" * 100_000


def _fit(length: int, body: bytes) -> bytes:
    return sealed(struct.pack("<BBHI4s", 14, 0x20, 2132, length, b".FIT"), body)


def _definition(fields: int, size: int) -> bytes:
    return b"\x40\0\0\x14\0" + bytes([fields]) + bytes([3, size, 2]) * fields


ATTACKS: dict[str, tuple[str, Callable[[Path], Path], str]] = {}


def attack(name: str, content: bytes | str, message: str) -> None:
    """One file and the words of its refusal."""

    def write(folder: Path) -> Path:
        file = folder / name.rpartition("/")[2]
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    ATTACKS[name] = (file_format(name), write, message)


def file_format(name: str) -> str:
    return name.rpartition("/")[2].split(".")[1].replace("txt", "rr")


for form in ("gpx", "tcx"):
    attack(f"entities/a.{form}", BOMB, "declares a document type or entities")
    attack(f"a file from outside/a.{form}", OUTSIDE, "declares a document type or entities")
    attack(f"deep/a.{form}", DEEP, "is nested deeper than 64 elements")
    attack(f"large/a.{form}", "<a>" + " " * 2**26, "holds more than 67108864 bytes")
    attack(f"zip bomb/a.{form}.gz", gzip.compress(bytes(2**27)), "holds more than")
attack("names without end/a.gpx", gpx("xmlns " * 10_000), "has the word xmlns outside its place")
attack("namespaces without end/a.gpx", gpx(trkpt(0), MANY_SPACES), "more than 64 namespaces")
attack("zip bomb/a.fit.gz", gzip.compress(bytes(2**27)), "holds more than")
attack("zip bomb/a.fit.xz", lzma.compress(bytes(2**27)), "holds more than")
attack("absurd length/a.fit", _fit(2**32 - 1, b""), "damaged or no FIT file")
attack("absurd fields/a.fit", _fit(2000, _definition(255, 255)), "damaged or no FIT file")
attack("large/a.fit", b"\0" * (2**26 + 1), "holds more than")
attack("zip bomb/a.hrm.gz", gzip.compress(b"0\n" * 2**26), "holds more than")
attack("absurd length/a.hrm", hrm("80\n", "000000000", length="9999:59:59.0"), "is cut short")
attack("long line/a.hrm", hrm("8" * 2**20, "000000000"), "is no row of 1 whole numbers")
attack("zip bomb/a.txt.gz", gzip.compress(b"800\n" * 2**25), "holds more than")
attack("long number/a.txt", "8" * 2**20, "line 1 is no number")


def _wfdb(old: str, new: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        head = wfdb_record(folder)
        head.write_text(head.read_text(encoding="ascii").replace(old, new, 1), encoding="ascii")
        return head

    return write


ATTACKS |= {
    "traversal/a.hea": ("wfdb", _wfdb("r1.dat", "../../etc/passwd"), "another name or folder"),
    "absolute/a.hea": ("wfdb", _wfdb("r1.dat", "/etc/passwd"), "another name or folder"),
    "absurd length/a.hea": ("wfdb", _wfdb("360 1080", "360 999999999999"), "promises more samples"),
    "absurd signals/a.hea": ("wfdb", _wfdb("r1 1 ", "r1 999 "), "promises more samples"),
    "large/a.hea": ("wfdb", _wfdb("# 69", "# " + "6" * 2**17), "is too large for a header"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_a_refusal_at_once(tmp_path: Path, name: str) -> None:
    form, write, message = ATTACKS[name]
    file = write(tmp_path)
    reader = READERS[form]
    options = (
        reader.Options() if form != "wfdb" else reader.Options.model_validate({"table": "signals"})
    )
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(RecordingError, match=message) as error:
        list(reader.read(file, options))
    took, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 1 s and 200 MB are promised; tracing makes it slower, never faster.
    assert took < 1.0
    assert peak < 200e6
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_markup_in_a_name_of_an_extension_is_cut_and_plain(tmp_path: Path) -> None:
    odd = f"<extensions><{'x' * 5000}>1</{'x' * 5000}></extensions>"
    (tmp_path / "a.gpx").write_text(gpx(trkpt(0, odd) + trkpt(1)), encoding="utf-8")
    (table,) = READERS["gpx"].read(tmp_path / "a.gpx", READERS["gpx"].Options())
    assert max(len(note) for note in table.notes) < 150


def test_an_attack_in_salvage_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a.tcx").write_text(BOMB, encoding="utf-8")
    reader = READERS["tcx"]
    with pytest.raises(RecordingError, match="declares a document type"):
        list(reader.read(tmp_path / "a.tcx", reader.Options.model_validate({"salvage": True})))
