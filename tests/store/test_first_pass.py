from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.comm.threads import run_ranks
from lumipipe.config import Prepare
from lumipipe.errors import InputError, RecordingError
from lumipipe.store.batches import Item
from lumipipe.store.first_pass import Failure, Pieces, Reading, make_pieces
from lumipipe.store.pieces import PieceArrays
from store.fakes import FakeRecording, FakeStream

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Prepare(workers=2)


class Shelf:
    """Items made of numbers: what each holds now, what was read, which fail."""

    def __init__(self, pool: Path, count: int) -> None:
        self.pool = pool
        self.content = {f"k{number}": number for number in range(count)}
        self.bad: dict[str, Exception] = {}
        self.read: list[str] = []
        self.log: list[str] = []
        self.seconds = 1.0  # that each item is thought to take: a piece of its own

    def reading(self) -> Reading:
        keys = list(self.content)

        def read(number: int) -> list[FakeRecording]:
            key = keys[number]
            self.read.append(key)
            if key in self.bad:
                raise self.bad[key]
            values = np.full((3 + number, 1), self.content[key], dtype=np.float64)
            return [FakeRecording(key, {"main": FakeStream(values)}, sha256=digest(number))]

        def digest(number: int) -> str:
            if isinstance(self.bad.get(keys[number]), OSError):
                raise OSError
            return f"{self.content[keys[number]]:064x}"

        def failure(number: int, error: Exception) -> Failure:
            return Failure(None, "log", keys[number], None, "place", str(error), "mend", False)

        items = [Item(key, 100, self.seconds) for key in keys]
        return Reading("raw", "things", items, read, digest, failure)

    def run(self, ranks: int = 1) -> Pieces:
        self.read.clear()
        self.log.clear()
        found = run_ranks(
            ranks,
            lambda comm: make_pieces(comm, self.reading(), self.pool, SETTINGS, self.log.append),
        )
        for other in found[1:]:
            assert replace(other, parallelism={}) == replace(found[0], parallelism={})
        return found[0]

    def values(self, pieces: Pieces) -> dict[str, list[float]]:
        arrays = PieceArrays(self.pool)
        rows = {e.id: arrays.rows(e.streams["main"], "main", "value") for e in pieces.entries}
        return {key: np.unique(found).tolist() for key, found in rows.items()}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "pool", 12)


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_all_items_are_read_once_and_none_the_second_time(shelf, ranks):
    first = shelf.run(ranks)
    assert sorted(shelf.read) == sorted(shelf.content)
    assert [entry.id for entry in first.entries] == list(shelf.content)
    assert shelf.values(first) == {key: [value] for key, value in shelf.content.items()}
    second = shelf.run(3)
    assert shelf.read == []
    assert second.recordings == first.recordings


@pytest.mark.parametrize("error", [RecordingError("a", "b", "c"), InputError("a", "b", "c")])
def test_what_fails_is_told_in_order_and_tried_again_alone(shelf, error):
    shelf.bad = {"k9": error, "k3": error}
    found = shelf.run(2)
    assert [failure.file for failure in found.failures] == ["k3", "k9"]
    assert [len(entries) for entries in found.recordings] == [
        number not in {3, 9} for number in range(12)
    ]
    del shelf.bad["k3"]
    found = shelf.run()
    assert sorted(shelf.read) == ["k3", "k9"]
    assert [failure.file for failure in found.failures] == ["k9"]
    assert len(found.entries) == 11


def test_a_changed_item_is_read_again_and_its_old_content_is_not_used(shelf):
    shelf.seconds = 0.001  # all in one piece
    shelf.run()
    shelf.content["k5"] = 50
    found = shelf.run()
    assert shelf.read == ["k5"]
    assert shelf.values(found)["k5"] == [50]
    shelf.content["k5"] = 5  # the first content is still there
    found = shelf.run()
    assert shelf.read == []
    assert shelf.values(found)["k5"] == [5]


def test_an_item_that_cannot_be_digested_is_read_and_says_why(shelf):
    shelf.run()
    shelf.bad = {"k5": OSError("gone")}
    found = shelf.run()
    assert shelf.read == ["k5"]
    assert [failure.problem for failure in found.failures] == ["gone"]


def test_pieces_of_which_nothing_is_used_are_removed(shelf):
    shelf.run()
    before = {path.name for path in shelf.pool.iterdir()}
    (shelf.pool / ".raw-1.part").mkdir()  # as a killed run leaves it
    (shelf.pool / "grid-1").mkdir()  # of another kind
    shelf.content = {f"n{number}": number for number in range(3)}
    shelf.run()
    after = {path.name for path in shelf.pool.iterdir()}
    assert not before & after
    assert ".raw-1.part" not in after
    assert "grid-1" in after


def test_a_damaged_piece_is_read_again(shelf):
    shelf.run()
    next(shelf.pool.glob("*/piece.json")).write_text("{}")
    found = shelf.run()
    assert 0 < len(shelf.read) < 12
    assert len(found.entries) == 12


def test_nothing_is_left_where_nothing_could_be_read(shelf):
    shelf.bad = dict.fromkeys(shelf.content, RecordingError("a", "b", "c"))
    assert shelf.run(2).entries == []
    assert not shelf.pool.exists()


def test_a_defect_is_no_failure(shelf):
    shelf.bad = {"k3": ValueError("a defect")}
    with pytest.raises(ValueError, match="a defect"):
        shelf.run()
