"""Accelerations in another unit than declared (case C58)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError

from lumipipe.config import Prepare, Source
from lumipipe.readers.recording import Recording, read_recordings

if TYPE_CHECKING:
    from pathlib import Path

G = 9.80665


def resting(
    folder: Path, length: float, unit: str, quantity: str = "acceleration", **more: str
) -> Recording:
    """A sensor at rest that lies askew, with a little noise."""
    rng = np.random.default_rng(5)
    rows = length * np.array([0.48, -0.64, 0.6]) + 0.01 * length * rng.normal(size=(200, 3))
    lines = "\n".join(",".join(map(repr, row)) for row in rows.tolist())
    (folder / "a.csv").write_text(f"x,y,z\n{lines}\n", encoding="ascii")
    source = Source.model_validate(
        {
            "id": "s",
            "source": "a.csv",
            "format": "csv",
            "time": {"kind": "regular", "rate_hz": 50},
            "channels": [
                {"name": name, "quantity": quantity, "unit": unit, **more} for name in "xyz"
            ],
        }
    )
    (found,) = read_recordings(source, folder / "a.csv", Prepare(), "r.yaml:1")
    return found


@pytest.mark.parametrize(
    ("length", "unit", "words"),
    [
        (1.0, "m/s2", "1 m/s2, as of gravity in g"),
        (G, "g", "9.81 g, as of gravity in m/s2"),
        (1000.0, "m/s2", "1e+03 m/s2, as of gravity in mg"),
        (1000.0, "g", "1e+03 g, as of gravity in mg"),
        (1.0, "mg", "1 mg, as of gravity in g"),
    ],
)
def test_a_contradiction_is_noted(tmp_path: Path, length: float, unit: str, words: str) -> None:
    (note,) = (note for note in resting(tmp_path, length, unit).notes if "median length" in note)
    assert note == f"channels x, y, z: their median length is {words}"


@pytest.mark.parametrize(
    ("length", "unit"), [(1.0, "g"), (1000.0, "mg"), (G, "m/s2"), (G / 0.0254, "in/s2"), (0.1, "g")]
)
def test_what_is_right_or_had_gravity_taken_out_has_no_note(
    tmp_path: Path, length: float, unit: str
) -> None:
    assert not any("median length" in note for note in resting(tmp_path, length, unit).notes)


def test_both_spellings_of_the_same_data_are_the_same_data(tmp_path: Path) -> None:
    one, other = (
        resting(tmp_path, length, unit).streams["main"].values
        for length, unit in ((1.0, "g"), (G, "m/s2"))
    )
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_rms_and_peaks_are_other_quantities(tmp_path: Path) -> None:
    found = resting(tmp_path, 1.0, "m/s2", "acceleration_rms")
    assert not any("median length" in note for note in found.notes)


@pytest.mark.parametrize(
    ("length", "unit", "gravity", "words"),
    [
        (G, "m/s2", "included", None),
        (0.05, "m/s2", "removed", None),
        (0.05, "m/s2", "included", "gravity is included, but their median length is 0.05 m/s2"),
        (1.0, "g", "removed", "gravity is removed, but their median length is its own"),
        (G, "m/s2", "removed", "gravity is removed, but their median length is its own"),
        # The unit is the likelier mistake where the length is gravity's in another one.
        (1.0, "m/s2", "included", "their median length is 1 m/s2, as of gravity in g"),
    ],
)
def test_what_is_said_of_gravity_is_compared(
    tmp_path: Path, length: float, unit: str, gravity: str, words: str | None
) -> None:
    notes = resting(tmp_path, length, unit, gravity=gravity).notes
    notes = tuple(note for note in notes if "median length" in note)
    assert notes == (() if words is None else (f"channels x, y, z: {words}",))


def test_gravity_is_said_of_accelerations_alone(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="is about accelerations; take gravity out"):
        resting(tmp_path, 1.0, "m/s", "velocity", gravity="removed")
