"""The run's record of its jobs: torn lines lose nothing, and what is learned stays."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.scheduler.queue import Job, State
from lumipipe.scheduler.record import (
    JOBS,
    add_line,
    note_ended,
    replace_json,
    run_name,
    submissions,
)

if TYPE_CHECKING:
    from pathlib import Path


def write(out: Path, *lines: dict | str) -> None:
    """Write a record; text is written as it is."""
    texts = [line if isinstance(line, str) else f"{json.dumps(line)}\n" for line in lines]
    (out / JOBS).write_text("".join(texts))


def intent(key: str, **more: object) -> dict:
    """A line that is written before a submission."""
    return {"event": "intent", "key": key, "time": "2026-01-01T00:00:00+00:00", **more}


def test_a_run_has_one_name_whichever_way_it_is_reached(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(out)
    monkeypatch.chdir(out)
    names = {run_name(path) for path in (out, out / ".", tmp_path / "link", type(out)())}
    assert len(names) == 1
    (name,) = names
    assert name.startswith("lumipipe-")
    assert len(name) == len("lumipipe-") + 12  # the plug-in takes 50 characters: A-Z a-z 0-9 _ -
    assert run_name(tmp_path) != name


def test_nothing_was_submitted_where_there_is_no_record(out: Path) -> None:
    assert submissions(out) == []


def test_intent_and_outcome_make_one_submission(out: Path) -> None:
    write(
        out,
        intent("a", verb="prepare", name="n_1", log="/l/%j.log", host="h", user="eve", pid=7),
        {"event": "submitted", "key": "a", "id": "12"},
        intent("b", verb="train", line="sbatch ..."),
        {"event": "refused", "key": "b", "code": 1, "said": "no"},
        intent("c", verb="train"),
    )
    first, second, third = submissions(out)
    assert (first.verb, first.id, first.pid, first.is_refused) == ("prepare", "12", 7, False)
    assert (second.id, second.is_refused) == ("", True)
    assert (third.id, third.is_refused) == ("", False)


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_torn_last_line_is_passed_over_and_the_next_line_is_not_lost(out: Path, cut: int) -> None:
    whole = json.dumps({"event": "submitted", "key": "a", "id": "12"})
    write(out, intent("a", verb="train"), whole[:cut])
    assert [one.id for one in submissions(out)] == [""]
    add_line(out, {"event": "submitted", "key": "a", "id": "13"})
    assert [one.id for one in submissions(out)] == ["13"]


def test_lines_that_are_no_object_and_outcomes_of_nothing_are_passed_over(out: Path) -> None:
    write(out, "[1, 2]\n", "7\n", "\n", {"event": "submitted", "key": "z", "id": "12"}, intent("a"))
    assert [one.key for one in submissions(out)] == ["a"]


def test_how_a_job_ended_is_written_down_once(out: Path) -> None:
    write(out, intent("a"), {"event": "submitted", "key": "a", "id": "12"})
    job = Job("12", State.ENDED, said="FAILED", exit_code="3:0", elapsed_s=7)
    note_ended(out, [Job("12", State.RUNNING, said="RUNNING"), Job("12", State.ENDED), job])
    note_ended(out, [job])
    (one,) = submissions(out)
    assert one.ended is not None
    assert (one.ended["said"], one.ended["exit_code"]) == ("FAILED", "3:0")
    assert (out / JOBS).read_text().count('"ended"') == 1


def test_a_record_that_cannot_be_written_is_an_error_of_one_line(out: Path) -> None:
    (out / JOBS).mkdir()
    with pytest.raises(InputError, match=r"jobs\.jsonl: cannot be written") as error:
        add_line(out, {})
    assert "\n" not in str(error.value)


def test_a_small_file_is_replaced_whole_or_not_at_all(out: Path) -> None:
    path = out / "a.json"
    replace_json(path, {"a": 1})
    mode = stat.S_IMODE(path.stat().st_mode)
    assert mode == 0o666 & ~umask()  # others of the project may read it
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        replace_json(path, {"a": 2})
    assert [file.name for file in out.iterdir()] == ["a.json"]


def umask() -> int:
    """The mask of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
