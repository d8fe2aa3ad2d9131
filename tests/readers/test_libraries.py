"""Libraries' exceptions and warnings as one line; streams that end; processes of their own."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import isolated as process
from lumipipe.readers.containers import ContainerOptions
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import (
    Bounded,
    BoundedMemory,
    damage,
    installed,
    library,
    refuse_size,
)

HERE = Path("runs/a.bin")


def test_any_exception_is_one_short_line_without_paths() -> None:
    file = Path("/home/somebody/runs/a.bin")
    with pytest.raises(RecordingError) as error, damage(file, "DAT file"):
        raise ValueError(f"cannot read {file}\n" + 300 * "x")
    assert str(error.value).startswith(
        "runs/a.bin: is damaged or no DAT file (cannot read runs/a.bin"
    )
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
    with pytest.raises(InputError, match="mine") as kept, damage(file, "DAT file"):
        raise InputError("here", "mine", "mend it")
    assert not isinstance(kept.value, RecordingError)


def test_a_warning_of_the_library_is_damage_and_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("some_library.part")
    handler = logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    try:
        with (
            pytest.raises(RecordingError, match=r"truncated or damaged \(half of it is gone\)"),
            damage(HERE, "DAT file", "some_library"),
        ):
            logger.warning("half of it is gone")
        with damage(HERE, "DAT file", "some_library", harmless=("some_library.part",)):
            logger.warning("odd text")
        assert capsys.readouterr().err == ""
        logger.warning("heard again")
        assert "heard again" in capsys.readouterr().err
    finally:
        logger.removeHandler(handler)


def test_extras_name_themselves() -> None:
    assert library(HERE, "json", "json") is __import__("json")
    installed(HERE, "json", "json")
    for ask in (library, installed):
        with pytest.raises(
            InputError, match=r"needs nothing-such; install lumipipe\[instruments\]"
        ):
            ask(HERE, "nothing_such", "nothing-such")


def test_promises_that_cannot_be_true() -> None:
    refuse_size(HERE, 100, 100)
    refuse_size(HERE, 2**26, 100, packed=True)
    refuse_size(HERE, 10**10, 10**8, packed=True)
    for claimed, held, packed in ((101, 100, False), (2**26 + 1, 100, True), (-1, 100, True)):
        with pytest.raises(RecordingError, match=f"promise {claimed} bytes, the file has {held}"):
            refuse_size(HERE, claimed, held, packed=packed)


@pytest.mark.parametrize("make", [lambda content: Bounded(io.BytesIO(content)), BoundedMemory])
def test_reading_in_a_ring_ends(make) -> None:
    content = bytes(1000)
    stream = make(content)
    assert stream.read() == content
    assert stream.read() == b""
    stream.seek(990)
    assert stream.read(2**40) == bytes(10)  # and no memory is taken for them

    def read_in_a_ring() -> None:
        while True:
            stream.seek(0)
            stream.read(100)

    with pytest.raises(ValueError, match="in a ring"):
        read_in_a_ring()


# Stands for a format whose library misbehaves.
FAULTY = """
import os, signal, numpy as np
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.containers import ContainerOptions as Options
from lumipipe.readers.tables import Table

def prepare(file):
    pass

def tables(file, options):
    what = file.read_text()
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "give up":
        os.abort()
    if what == "run on":
        while True:
            pass
    if what == "fill":
        np.ones(10**10)
    if what == "refuse":
        raise RecordingError("a", "is bad", "mend it")
    if what == "complain":
        raise InputError("a", "has no table", "name another")
    print("noise")
    columns = {"x": np.arange(3, dtype=np.int16), "t": np.array(["a", "ä", ""], dtype=object)}
    yield Table("one", columns, {"unit:x": "mm"}, None)
    yield Table("two", {"x": np.array([1.5, np.nan], np.float32)}, {}, None)
"""


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to write into; a module of readers that misbehaves as it says."""
    # A copy of the package, of links, with one more reader: the process imports from there.
    source = Path(process.__file__).parent
    target = tmp_path / "site" / "lumipipe"
    target.mkdir(parents=True)
    for entry in source.parent.iterdir():
        if entry.name != "readers":
            (target / entry.name).symlink_to(entry)
    (target / "readers").mkdir()
    for entry in source.iterdir():
        (target / "readers" / entry.name).symlink_to(entry)
    (target / "readers" / "faulty.py").write_text(FAULTY, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    return tmp_path / "a.bin"


def test_tables_come_back_as_they_were(faulty: Path) -> None:
    faulty.write_text("fine")
    one, two = isolated(faulty, "faulty", ContainerOptions())
    assert (one.name, one.attributes) == ("one", {"unit:x": "mm"})
    assert one.columns["x"].dtype == np.int16
    assert one.columns["t"].tolist() == ["a", "ä", ""]
    np.testing.assert_array_equal(two.columns["x"], np.float32([1.5, np.nan]))
    assert two.columns["x"].dtype == np.float32


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        ("crash", RecordingError, r"its reader crashed \(SIGSEGV\)"),
        ("fill", RecordingError, "takes more memory than a file of its size should"),
        ("give up", RecordingError, r"its reader gave up \(SIGABRT\)"),
        ("refuse", RecordingError, "a: is bad; mend it"),
        ("complain", InputError, "a: has no table; name another"),
    ],
)
def test_what_becomes_of_the_process_is_one_line(
    faulty: Path, what: str, kind: type, message: str
) -> None:
    faulty.write_text(what)
    with pytest.raises(InputError, match=message) as error:
        list(isolated(faulty, "faulty", ContainerOptions()))
    assert type(error.value) is kind


def test_a_process_that_runs_on_is_ended(faulty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty.write_text("run on")
    monkeypatch.setattr(process, "_WAITING", 0.4)  # of 4 seconds of processor time
    with pytest.raises(RecordingError, match="came to no end in time"):
        list(isolated(faulty, "faulty", ContainerOptions()))
