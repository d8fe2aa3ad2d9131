"""The split that counts against the one that flatters (C55), and the words that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from running import answer
from small_requests import DROP, activity, write_csv

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PERSONS, SECONDS, RATE_HZ = 6, 12, 20
RANDOM = {"kind": "random", "by": DROP, "because": "to see how much it flatters"}


def identities(folder: Path, **changes) -> Path:
    """A request whose recordings differ from each other, but not by their label."""
    folder.mkdir(exist_ok=True)
    request = activity(folder, **changes)
    for old in (folder / "raw").iterdir():
        old.unlink()
    rng = np.random.default_rng(12)
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    for person in range(PERSONS):
        for number in range(4):
            # Level and frequency tell the recording; which label it got was drawn by lot.
            label = ("squat", "lunge")[int(rng.integers(2))]
            level, hertz = rng.normal(size=2) * 4, rng.uniform(0.5, 4)
            x = level + np.stack([np.sin(2 * np.pi * hertz * t)] * 2, 1)
            rows = x + 0.05 * rng.normal(size=(len(t), 2))
            write_csv(folder / "raw" / f"p{person}_{label}_{number}.csv", "x,y", rows)
    return request


def _accuracy(request: Path, out: Path) -> float:
    result = answer(request, out).result
    return next(metric.value for metric in result.metrics if metric.name == "accuracy")


def test_random_split_remembers_recordings_and_groups_do_not(tmp_path: Path) -> None:
    honest = _accuracy(identities(tmp_path / "a"), tmp_path / "a" / "out")
    request = identities(tmp_path / "b", evaluation={"split": RANDOM})
    flattering = _accuracy(request, tmp_path / "b" / "out")
    # 24 recordings, labels by lot: chance is 0.5 with a standard error of 0.1 for recordings.
    assert honest < 0.75
    assert flattering > 0.9


def test_random_split_is_named_and_has_its_reason(tmp_path: Path) -> None:
    done = answer(activity(tmp_path, evaluation={"split": RANDOM}), tmp_path / "out")
    assert done.result.split.because == "to see how much it flatters"
    assert "flatter" in done.result.split.sentence


def test_two_groups_are_too_few(tmp_path: Path) -> None:
    request = activity(tmp_path)
    for file in (tmp_path / "raw").glob("p[23]*"):
        file.unlink()
    with pytest.raises(InputError, match="at least 3"):
        answer(request, tmp_path / "out")


def test_one_class_is_too_few(tmp_path: Path) -> None:
    request = activity(tmp_path)
    for shaken in (tmp_path / "raw").glob("*shake*"):
        shaken.unlink()
    with pytest.raises(InputError, match=r"all recordings are of one class \(swing\); give"):
        answer(request, tmp_path / "out")


def test_recordings_of_unlike_rates_are_refused(tmp_path: Path) -> None:
    request = activity(tmp_path)
    text = request.read_text(encoding="utf-8")
    slow = "raw/p0_*.csv"
    second = text[text.index("data:\n") + 6 : text.index("rights:")]
    second = second.replace("id: watch", "id: slow", 1).replace("raw/*.csv", slow)
    second = second.replace("rate_hz: 20", "rate_hz: 10")
    text = text.replace("raw/*.csv", "raw/p[123]_*.csv").replace("rights:", f"{second}rights:", 1)
    request.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"set prepare\.grid"):
        answer(request, tmp_path / "out")
