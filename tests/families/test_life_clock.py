"""How much life remains: rows to the end, and what labels add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.backend import choose_backend
from lumipipe.config import SourceSplit
from lumipipe.errors import InputError
from lumipipe.families.interface import Job
from lumipipe.families.life_clock import Life, LifeClock
from lumipipe.store.dataset import open_dataset
from lumipipe.store.rows import ChannelRow
from lumipipe.tasks.request import load_request
from small_requests import recipe
from store.fakes import FakeRecording, FakeStream, publish

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = {"main": (ChannelRow("x", "count", "1"),)}


def clock(folder: Path, recordings: list[FakeRecording], life: Life) -> LifeClock:
    """The clock of recordings; source s0 ran to failure."""
    dataset = open_dataset(publish(folder, recordings, channels=CHANNELS))
    request = load_request(recipe(folder)).request
    split = SourceSplit(kind="source", train=["s0"])
    evaluation = request.evaluation.model_copy(update={"split": split})
    request = request.model_copy(update={"evaluation": evaluation})
    job = Job(request, None, None, None, dataset, choose_backend("numpy"))
    return LifeClock(job, dataset.streams["main"], life, "left")


def recording(name: str, rows: int, unit: str, source: str = "s0", **more: Any) -> FakeRecording:
    """A recording of a few rows."""
    stream = FakeStream(np.arange(float(rows))[:, None])
    return FakeRecording(name, {"main": stream}, unit=unit, source=source, **more)


def test_rows_to_the_end_and_what_a_label_adds(tmp_path: Path) -> None:
    recordings = [
        recording("a", 3, "a"),
        recording("b", 2, "b", labels={"left": "7"}),  # taken away before its end, and teaches
        recording("c", 2, "c", source="s1", labels={"left": "10.5"}),
        recording("d", 1, "d", source="s1"),
    ]
    found = clock(tmp_path, recordings, Life(unit="d", step=2.0))
    found.check()
    number = np.arange(8)
    expected = [4.0, 2.0, 0.0, 9.0, 7.0, 12.5, 10.5, np.nan]
    np.testing.assert_array_equal(found.remaining(number), expected)
    assert found.age(number).tolist() == [2.0, 4.0, 6.0, 2.0, 4.0, 2.0, 4.0, 2.0]
    assert found.history(number).tolist() == [1, 2, 3, 1, 2, 1, 2, 1]
    assert found.unit(number).tolist() == [0, 0, 0, 1, 1, 2, 2, 3]
    assert found.trains.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(found.lives, [6.0, 11.0, 14.5, np.nan])


def test_recordings_to_the_end(tmp_path: Path) -> None:
    """Numbers may leave some out: time passes by the number, not by the recording."""
    shots = [
        recording(f"u-{shot:02}", 4, "u", attributes={"shot": f"{shot:02}"}) for shot in (3, 4, 9)
    ]
    found = clock(tmp_path, shots, Life(per="recording", order="shot", step=10.0, unit="s"))
    assert found.remaining(np.array([3, 4, 11])).tolist() == [60.0, 50.0, 0.0]
    assert found.age(np.array([3, 4, 11])).tolist() == [10.0, 20.0, 70.0]
    assert found.lives.tolist() == [70.0]


@pytest.mark.parametrize(
    ("shots", "message"),
    [(("2", "10"), "does not rise"), (("1", "one"), "is no number"), (("1", "nan"), "no number")],
)
def test_recordings_out_of_order_are_refused(
    tmp_path: Path, shots: tuple[str, ...], message: str
) -> None:
    # As names, 10 stands before 2.
    recordings = [recording(f"u-{s}", 2, "u", attributes={"shot": s}) for s in shots]
    recordings.sort(key=lambda one: one.id)
    found = clock(tmp_path, recordings, Life(per="recording", order="shot", unit="s"))
    with pytest.raises(InputError, match=message):
        found.remaining(np.array([0]))


def test_a_unit_on_both_sides_is_refused(tmp_path: Path) -> None:
    recordings = [recording("a", 2, "u"), recording("b", 2, "u", source="s1")]
    found = clock(tmp_path, recordings, Life(per="recording", order="shot", unit="s"))
    with pytest.raises(InputError, match="unit u both teaches and tests"):
        found.check()
