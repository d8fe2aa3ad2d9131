"""The log that is only added to (C71): what is changed shows, what cannot be written stops."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.pool.log import append, entries, verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of five lines."""
    path = tmp_path / "log.jsonl"
    for number in range(5):
        append(path, {"number": number})
    return path


def test_lines_come_back_in_order(log: Path) -> None:
    assert verify(log) == 5
    assert entries(log) == [{"number": number} for number in range(5)]


@pytest.mark.parametrize("number", range(5))
def test_a_changed_line_is_named(log: Path, number: int) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    lines[number] = lines[number].replace(f'"number": {number}', '"number": 9')
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"log.jsonl:{number + 1}: this line is not as it was"):
        verify(log)
    with pytest.raises(InputError, match=f"log.jsonl:{number + 1}: "):
        append(log, {})


def test_a_line_changed_with_its_digest_breaks_the_next(log: Path) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    other = log.with_name("other.jsonl")
    for number in (0, 9):
        append(other, {"number": number})
    lines[1] = other.read_text(encoding="utf-8").splitlines()[1]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"log\.jsonl:3: "):
        verify(log)


@pytest.mark.parametrize("kept", [[0, 2, 3, 4], [1, 2, 3, 4], [0, 2, 1, 3, 4]])
def test_lines_taken_out_or_moved_are_found(log: Path, kept: list[int]) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join(lines[n] for n in kept) + "\n", encoding="utf-8")
    first = next(place for place, number in enumerate(kept) if number != place)
    with pytest.raises(InputError, match=f"log.jsonl:{first + 1}: "):
        verify(log)


def test_what_is_no_line_is_found(log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps([1]) + "\n")
    with pytest.raises(InputError, match=r"log\.jsonl:6: "):
        verify(log)


def test_two_at_a_time_make_one_chain(log: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: append(log, {"number": number}), range(5, 45)))
    assert verify(log) == 45
    assert {line["number"] for line in entries(log)} == set(range(45))


def test_a_log_that_cannot_be_written_stops_the_job(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the record cannot be written"):
        append(tmp_path / "none" / "log.jsonl", {})
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="nothing runs unrecorded"):
        append(tmp_path / "folder", {})
