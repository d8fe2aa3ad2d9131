"""Figures of a column: steps, stuck values, codes, sketches, and what is held back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.readers.tables import Table
from lumipipe.tasks.inspecting.channels import PARTS, channel_seen, held_back, sketch_of
from lumipipe.tasks.inspecting.seen import ChannelSeen, Code, Meaning

RNG = np.random.default_rng(5)


def seen(values: object, name: str = "x") -> ChannelSeen:
    column = np.asarray(values)
    table = Table("t", {name: column}, {}, 2)
    return channel_seen(table, name, Meaning(), np.arange(len(column)) / len(column))


def test_readings_and_missing() -> None:
    found = seen([1.0, np.nan, 3.0, 2.0])
    assert (found.rows, found.missing) == (4, 1)
    assert (found.smallest, found.median, found.largest) == (1.0, 2.0, 3.0)
    nothing = seen([np.nan, np.nan])
    assert not nothing.has_readings
    assert nothing.words == ("no reading at all",)
    assert seen([1.0, np.inf]).words[0] == "1 readings are infinite"


@pytest.mark.parametrize("step", [1.0, 0.1, 0.0625, 1 / 3, 2.5e-4])
def test_the_step_of_a_converter(step: float) -> None:
    found = seen(step * RNG.integers(-500, 500, size=3000))
    assert found.step == pytest.approx(step, rel=1e-9)


def test_no_step_where_readings_lie_on_no_grid() -> None:
    assert seen(RNG.normal(size=3000)).step is None


def test_stuck_and_constant() -> None:
    values = RNG.normal(size=1000)
    assert seen(values).stuck is None
    values[300:400] = 7.5
    stuck = seen(values).stuck
    assert stuck is not None
    assert (stuck.rows, stuck.value, stuck.place) == (100, 7.5, "line 302")
    assert seen(np.full(50, 3.0)).is_constant


def test_a_code_is_left_out_of_the_figures() -> None:
    values = RNG.uniform(1.0, 40.0, size=500)
    values[::10] = -200.0
    found = seen(values)
    assert found.code == Code(-200.0, 50)
    assert found.smallest is not None
    assert found.smallest >= 1.0
    sketched = [part for part in found.sketch if part is not None]
    assert min(low for low, _ in sketched) == found.smallest
    # One outlier is no code, and 0 is what an instrument reads at rest.
    values[::10] = 20.0
    values[3] = -9999.0
    assert seen(values).code is None
    values[::10] = 0.0
    values[3] = 20.0
    assert seen(values + np.where(values > 0, 100.0, 0.0)).code is None


def test_counters_and_states() -> None:
    assert seen(np.arange(100)).role == "counter"
    assert seen(RNG.integers(0, 2, size=100)).role == "state"
    assert seen(RNG.integers(0, 90, size=100)).role == ""


def test_text_is_counted_and_never_shown() -> None:
    found = seen(np.array(["Aino Example", "7", "8", "Aino Example"] * 9, dtype=object))
    assert found.distinct == 3
    assert "Aino" not in repr(found)
    assert "some cells are numbers" in found.words[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Longitude", "position"),
        ("developer/gps_lat", "position"),
        ("serial_number", "identity"),
        ("first name", "identity"),
        ("athlete", "identity"),
        ("power", ""),
        ("platform", ""),
        ("FileName", ""),
    ],
)
def test_what_is_held_back(name: str, reason: str) -> None:
    assert held_back(name) == reason
    found = seen(np.array([60.1234567, 60.2345678]), name)
    assert found.has_readings == (not reason)
    assert ("60.1" in repr(found)) == (not reason)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=700))
def test_a_sketch_keeps_the_extremes(values: list[float]) -> None:
    column = np.array(values)
    position = np.arange(len(column)) / len(column)
    sketch = sketch_of(column, np.ones(len(column), dtype=bool), position)
    known = [part for part in sketch if part is not None]
    assert 1 <= len(sketch) <= PARTS
    assert min(low for low, _ in known) == column.min()
    assert max(high for _, high in known) == column.max()


def test_a_gap_is_a_gap_in_the_sketch() -> None:
    time = np.concatenate([np.arange(500), np.arange(1500, 2000)]) / 2000.0
    sketch = sketch_of(np.ones(1000), np.ones(1000, dtype=bool), time)
    assert [part is None for part in sketch].count(True) == pytest.approx(PARTS / 2, abs=2)
