"""``lumipipe rata``: what it prints, and one line for each wrong input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import call, one_line

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    ("--column", "mean_difference=d"),
    ("--column", "confidence_coefficient=cc"),
    ("--column", "reference_mean=rm"),
    ("--column", "relative_accuracy=ra"),
)
WORDS = [word for pair in COLUMNS for word in pair]


def made(folder: Path, text: str = "d;cc;rm;ra\n0,867;0,077;67,467;1,4\n0,9;0,1;50;8\n") -> Path:
    file = folder / "mine.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_any_file_with_named_columns(tmp_path: Path) -> None:
    said = call("rata", made(tmp_path), *WORDS)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert "2 audits (delimiter ';', decimal ','" in lines[0]
    assert lines[2].split()[3:9] == ["1", "0", "1", "0", "0", "0.01"]
    assert lines[3].split()[2:7] == ["0", "0", "0", "2", "0"]
    assert lines[4].split()[2:7] == ["0", "0", "0", "0", "2"]
    assert lines[6] == "  line 3: filed 8, computed 2, rounding allows 1.78218 to 2.22222"
    assert lines[7:] == ["confidence coefficient: not computable 2 times: no number of runs"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.csv"]  # nothing was written


def test_a_tolerance_and_a_folder(tmp_path: Path) -> None:
    words = ("--tolerance", "relative_accuracy=6", "--out", tmp_path / "out")
    said = call("rata", made(tmp_path), *WORDS, *words)
    assert said.code == 0
    assert said.out.splitlines()[2].split()[3:5] == ["2", "0"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "audits.csv",
        "audits.json",
        "audits.parquet",
    ]


def test_runs_without_a_filed_figure_are_computed(tmp_path: Path) -> None:
    file = made(tmp_path, "id,x,y\n1,10.1,9.9\n1,11.2,10.8\n1,12.0,11.7\n")
    columns = (("audit", "id"), ("reference", "x"), ("monitor", "y"))
    said = call("rata", file, *(w for f, n in columns for w in ("--column", f"{f}={n}")))
    assert said.code == 0
    assert "  line 2: 3 runs, relative accuracy 4.941 %, " in said.out


def test_text_of_the_file_is_not_printed(tmp_path: Path) -> None:
    """A name that holds an escape sequence must not reach a terminal."""
    file = made(tmp_path, "d;cc;rm;ra;who\n0,9;0,1;50;8;\x1b[2J\n")
    said = call("rata", file, *WORDS, "--column", "plant=who")
    assert said.code == 0
    assert "\x1b" not in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--column", "sd=d"), "--column sd=d: no field is called sd; name one of plant, "),
        (("--column", "deviation=x"), "has no column x; "),
        (("--column", "d"), "--column d: is not NAME=VALUE; write each once"),
        (("--column", "ra=d", "--column", "ra=cc"), "--column ra=cc: ra is given twice; "),
        (("--tolerance", "ra=1"), "--tolerance ra=1: no figure is called ra; give a number"),
        (("--tolerance", "bias_factor=-1"), "bias_factor=-1: is no tolerance; "),
        (("--tolerance", "bias_factor=nan"), "bias_factor=nan: is no tolerance; "),
        (("--tolerance", "bias_factor=0,1"), "bias_factor=0,1: is no number; "),
        (("--read", "comma=1"), "--read comma=1: no key is called comma; correct it; the keys"),
        (("--read", "decimal=x"), "--read decimal=x: Input should be"),
        (("--read", "encoding=latin-99"), "no encoding is called latin-99; "),
        (("--read", "decimal=."), "is no number with decimal '.'"),
        ((), "its columns do not suffice for any figure"),
    ],
)
def test_a_wrong_word_is_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    assert message in one_line(call("rata", made(tmp_path), *words))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("d;cc;rm;ra\n1;x;3;4\n", "line 2 holds 'x', not a number, but is to be confidence_"),
        ("d;cc;rm;ra\n1;2;3;4\n1;2;3\n", "the row has 3 cells"),
        ("a;b\n1;2\n", "has no column d"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    assert message in one_line(call("rata", made(tmp_path, text), *WORDS))


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    assert "cannot be read" in one_line(call("rata", tmp_path / "none.csv"))
    assert "cannot be read" in one_line(call("rata", tmp_path))
    binary = tmp_path / "a.csv"
    binary.write_bytes(bytes(range(256)))
    assert "is not UTF-8" in one_line(call("rata", binary))


def test_runs_that_contradict_themselves(tmp_path: Path) -> None:
    columns = ("audit=a", "reference=x", "monitor=y", "relative_accuracy=ra")
    words = [word for column in columns for word in ("--column", column)]
    file = made(tmp_path, "a,x,y,ra\n1,2.5,3,4\n1,2,3,5\n")
    assert "the runs of audit 1 file several values of ra; " in one_line(call("rata", file, *words))
    file = made(tmp_path, "a,x,y,ra\n1,2.5,3,4\n,2,3,5\n")
    assert "3: column a is empty, so the run belongs to no audit" in one_line(
        call("rata", file, *words)
    )


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    words = (*WORDS, "--out", tmp_path / "mine.csv" / "out")
    assert "cannot be written" in one_line(call("rata", made(tmp_path), *words))
