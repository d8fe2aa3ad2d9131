"""Each reading of recordings is a line of the log (C71), failed ones too, and no name is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from command import call, one_line
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.log import entries
from lumipipe.store.dataset import open_dataset
from pooled import RIGHTS, persons, run
from small_requests import change

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAMES = ("oulu-ada", "oulu-bo", "oulu-cai", "oulu-dee")


def read(path: Path) -> list[dict]:
    """The lines of a log about reading."""
    return [line for line in entries(path) if line["kind"] == "access"]


def test_who_read_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "maija.meikalainen")
    request = persons(tmp_path, NAMES, prepare={"bad_recordings": "leave_out"})
    broken = tmp_path / "raw" / "oulu-dee_swing.csv"
    broken.write_text("x,y\n1,what\n", encoding="utf-8")
    out, pool = tmp_path / "out", Catalogue.at(tmp_path / "pool")
    for verb in ("prepare", "train", "score", "report"):
        assert call(verb, request, "--out", out).code in {0, 3}
    found = read(pool.log)
    stages = ("prepare", "train", "score")
    assert [(line["operation"], line["outcome"]) for line in found] == [
        (verb, outcome) for verb in stages for outcome in ("begun", "done")
    ]
    ids = {row.id for row in open_dataset(next(out.glob("prepare/*.json"))).recordings}
    assert "oulu-dee-swing" not in ids
    begun, *known = found
    assert set(begun["files"]) == {pool.digest(path.name) for path in (tmp_path / "raw").iterdir()}
    for line in known:
        assert set(line["recordings"]) == {pool.digest(name) for name in ids}
        assert line["left_out"] == [pool.digest("oulu-dee_swing.csv")]
        assert line["account"] == pool.digest("maija.meikalainen")
        assert line["purpose"] == RIGHTS["purpose"]
    text = pool.log.read_text(encoding="utf-8")
    assert not [name for name in (*NAMES, "maija", "swing") if name in text]
    # What is done already reads nothing.
    assert call("train", request, "--out", out).code == 0
    assert read(pool.log) == found


def test_a_run_that_fails_is_in_the_log(tmp_path: Path) -> None:
    request = persons(tmp_path, NAMES)
    (tmp_path / "raw" / "oulu-dee_swing.csv").write_text("x,y\n1,what\n", encoding="utf-8")
    assert one_line(call("prepare", request, "--out", tmp_path / "out"))
    pool = Catalogue.at(tmp_path / "pool")
    assert [line["outcome"] for line in read(pool.log)] == ["begun", "failed"]
    assert pool.digest("oulu-dee_swing.csv") in read(pool.log)[1]["files"]


def test_nothing_is_read_where_the_log_cannot_be_written(tmp_path: Path) -> None:
    request = change(persons(tmp_path, NAMES), rights={"pool": None})
    out = tmp_path / "out"
    (out / "decisions.jsonl").mkdir(parents=True)
    line = one_line(call("prepare", request, "--out", out))
    assert "the record cannot be written" in line
    assert not (out / "prepare").exists()


def test_a_changed_line_is_found(tmp_path: Path) -> None:
    request = change(persons(tmp_path, NAMES), rights={"pool": None})
    out = run(request)
    log = out / "decisions.jsonl"
    assert len(read(log)) == 6
    lines = log.read_text(encoding="utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if json.loads(line)["entry"]["kind"] == "access")
    lines[place] = lines[place].replace('"begun"', '"done"')
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert f"{log}:{place + 1}: this line is not as it was written" in one_line(
        call("score", request, "--out", out)
    )
