"""``lumipipe inspect``: exit codes, and one line for each wrong input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import call, launch, one_line

if TYPE_CHECKING:
    from pathlib import Path


def table(folder: Path, name: str = "a.csv") -> Path:
    file = folder / name
    file.write_text(
        "a;b\n" + "".join(f"{at},5;{at % 7},25\n" for at in range(30)), encoding="utf-8"
    )
    return file


def test_nothing_is_written_without_a_folder(tmp_path: Path) -> None:
    said = call("inspect", table(tmp_path))
    assert (said.code, said.err) == (0, "")
    assert "30 rows, 2 channels with numbers" in said.out
    assert said.out.splitlines()[-1].startswith("written: nothing; --out FOLDER writes")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_folder(tmp_path: Path) -> None:
    said = call("inspect", table(tmp_path), "--out", tmp_path / "new" / "out")
    assert said.code == 0
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == [
        "inspect.html",
        "inspect.json",
        "request.yaml",
    ]


def test_some_refused_and_all_refused(tmp_path: Path) -> None:
    good, bad = table(tmp_path), tmp_path / "bad.bin"
    bad.write_bytes(b"\0\1\2\3")
    assert call("inspect", good, bad).code == 3
    assert one_line(call("inspect", bad)).endswith(
        "bad.bin: is of no kind that is known here; export it as CSV, or name its format where you "
        "know it"
    )
    worse = tmp_path / "worse.bin"
    worse.write_bytes(b"\0\1\2\3")
    said = call("inspect", bad, worse)
    assert one_line(said).endswith("is one of 2 files, none of which can be read; see above")
    assert said.out.count("is of no kind") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "cvs"), "--format cvs: is not known; use one of csv, text, "),
        (("--format", "fit"), "is damaged or no FIT file"),
        (("--family", "monitor"), "--family monitor: is not known; use one of activity, "),
        (("--read", "delimitr=;"), "--read delimitr=;: format csv has no such key; correct it"),
        (("--read", "delimiter=:"), "--read delimiter=:: Input should be ',', ';', '\\t' or '|'"),
        (("--read", "delimiter"), "--read delimiter: is not NAME=VALUE; write each once"),
        (("--read", "decimal=."), "the row has"),
    ],
)
def test_wrong_words(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    if words[1] == "fit":
        pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
    said = call("inspect", table(tmp_path), *words)
    if words == ("--read", "decimal=."):
        assert said.code in {0, 2}
        return
    assert message in one_line(said)


def test_wrong_files(tmp_path: Path) -> None:
    assert one_line(call("inspect", tmp_path / "no.csv")).endswith(
        "no.csv: no such file; check the path"
    )
    assert one_line(call("inspect", tmp_path / "*.csv")).endswith(
        "*.csv: no such file; check the path"
    )
    assert one_line(call("inspect", tmp_path)).endswith(
        f"is a folder; name its files: {tmp_path}/*"
    )
    assert call("inspect").code == 2


def test_a_folder_that_holds_something(tmp_path: Path) -> None:
    file = table(tmp_path)
    assert "is there and not empty; name another folder" in one_line(
        call("inspect", file, "--out", tmp_path)
    )
    (tmp_path / "empty").mkdir()
    assert call("inspect", file, "--out", tmp_path / "empty").code == 0
    blocked = tmp_path / "a.csv" / "out"
    assert "cannot be written" in one_line(call("inspect", file, "--out", blocked))


def test_a_name_that_steers_a_terminal_does_not_reach_it(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\x1b[2J;<b>\n" + "1,5;2,5\n2,5;3,5\n" * 9, encoding="utf-8")
    said = call("inspect", file, "--out", tmp_path / "out")
    assert said.code == 0
    assert "\x1b" not in said.out
    page = (tmp_path / "out" / "inspect.html").read_text(encoding="utf-8")
    assert "\x1b" not in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_a_terminal_without_the_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    said = launch("inspect", table(tmp_path))
    assert (said.code, said.err) == (0, "")
    assert "30 rows" in said.out
