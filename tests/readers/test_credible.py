"""What is no reading, and what is doubtful (case C42); metres climbed (case C43)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.readers.ascent import HYSTERESIS_M, ascent
from lumipipe.readers.credible import RULES, VERSION, credible
from lumipipe.readers.legs import UNITS, ActivityOptions, Leg, leg_tables

if TYPE_CHECKING:
    from pathlib import Path


def judged(name: str, values: list[float] | np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
    values = np.asarray(values, dtype=np.float64)
    found, said, _ = credible({"time": np.arange(float(len(values))), name: values})
    return found[name], said


@pytest.mark.parametrize(("silence", "why"), [(0.0, "30 zero"), (255.0, "30 outside 20 to 250")])
def test_silence_of_a_heart_rate_sensor_does_not_move_its_mean(silence: float, why: str) -> None:
    rates = np.where(np.arange(600) % 2, 140.0, 150.0)
    heard = rates.copy()
    heard[100:130] = silence
    found, said = judged("heart_rate", heard)
    assert np.nanmean(found) == pytest.approx(np.delete(rates, np.arange(100, 130)).mean())
    assert np.isnan(found).sum() == 30
    assert said["invalid.heart_rate"] == why


def test_a_zero_of_cadence_is_kept_and_counted() -> None:
    found, said = judged("cadence", [89, 89, 0, 90, 90])
    assert found.tolist() == [89, 89, 0, 90, 90]
    assert said == {"doubtful.cadence": "1 zero alone among readings"}
    # Who stops pedalling for longer, or at an end, has no dropout.
    for legal in ([89, 0, 0, 0, 0, 90], [0, 89, 90, 0]):
        assert judged("cadence", legal)[1] == {}


def test_codes_for_no_reading_of_power() -> None:
    found, said = judged("power", [200, 65535, 32767, 0, -1, 210])
    np.testing.assert_array_equal(found, [200, np.nan, np.nan, 0, np.nan, 210])
    assert said["invalid.power"] == "3 outside 0 to 4000"


def test_a_jump_is_kept_and_counted() -> None:
    found, said = judged("heart_rate", [40, 230, 230])
    assert found.tolist() == [40, 230, 230]
    assert said == {"doubtful.heart_rate": "1 jump of more than 30 in a second"}
    slow = {"time": np.array([0.0, 10.0]), "heart_rate": np.array([80.0, 180.0])}
    assert credible(slow)[1] == {}


def test_the_table_is_of_standard_names_and_has_a_version() -> None:
    assert set(RULES) <= set(UNITS)
    assert VERSION >= 1
    for rule in RULES.values():
        assert rule.lowest < rule.highest
        assert rule.zero_is_legal == (rule.lowest <= 0.0)  # else its zeros would be outside


def test_an_activity_tells_what_was_no_reading(tmp_path: Path) -> None:
    columns = {"time": np.arange(4.0), "heart_rate": np.array([120, 0, 255, 121.0])}
    (table,) = leg_tables(tmp_path / "a.fit", [Leg(columns)], ActivityOptions())
    np.testing.assert_array_equal(table.columns["heart_rate"], [120, np.nan, np.nan, 121])
    assert "heart_rate: 1 zero, 1 outside 20 to 250: no reading" in table.notes


def climbed(altitude: np.ndarray, step_s: float = 1.0) -> tuple[float, float, float]:
    return ascent(step_s * np.arange(float(len(altitude))), altitude)


def test_missing_altitude_is_no_mountain() -> None:
    altitude = np.full(3600, 100.0)
    altitude[np.random.default_rng(1).random(3600) < 0.2] = np.nan
    assert climbed(altitude) == (0.0, 0.0, 0.0)


def test_noise_is_no_mountain() -> None:
    altitude = 100 + np.random.default_rng(2).uniform(-1, 1, 3600)
    # Within +/- 1 m no two medians are 2.5 m apart, which is half of the hysteresis.
    assert climbed(altitude) == (0.0, 0.0, 0.0)


def test_a_first_point_that_had_not_settled_is_left_out() -> None:
    assert climbed(np.concatenate([[0.0], np.full(600, 100.0)])) == (0.0, 0.0, 0.0)


@given(st.integers(1, 5), st.floats(20, 500), st.integers(0, 10_000))
def test_true_climbs_are_found(hills: int, height: float, seed: int) -> None:
    turns = np.tile([0.0, height], hills + 1)[: 2 * hills + 1]
    altitude = np.interp(np.arange(600.0 * 2 * hills), 600 * np.arange(2 * hills + 1), turns)
    noise = np.random.default_rng(seed).uniform(-1, 1, len(altitude))
    value, low, high = climbed(altitude + noise)
    # The median over 15 s cuts 7.5 s of slope off either end of a climb, the noise 1 m.
    assert value == pytest.approx(hills * height, abs=hills * (2 * 7.5 * height / 600 + 2))
    assert low <= value <= high


def test_steps_below_the_hysteresis_do_not_count_and_the_interval_says_so() -> None:
    altitude = np.repeat(np.tile([100.0, 100.0 + 0.8 * HYSTERESIS_M], 10), 60)
    value, low, high = climbed(altitude)
    assert (value, low) == (0.0, 0.0)
    assert high == pytest.approx(10 * 0.8 * HYSTERESIS_M)


@pytest.mark.parametrize("altitude", [[], [100.0], [np.nan, np.nan, 100.0]])
def test_without_two_altitudes_there_is_no_ascent(altitude: list[float]) -> None:
    assert np.isnan(climbed(np.array(altitude))).all()


def test_an_activity_tells_its_ascent_with_interval_and_rule(tmp_path: Path) -> None:
    time = np.arange(1200.0)
    columns = {"time": time, "altitude": np.interp(time, [0, 1199], [100, 200])}
    (table,) = leg_tables(tmp_path / "a.fit", [Leg(columns)], ActivityOptions())
    assert float(table.attributes["ascent_m"]) == pytest.approx(100, abs=1.5)
    low, high = map(float, table.attributes["ascent_m_interval"].split(" to "))
    assert low <= float(table.attributes["ascent_m"]) <= high
    assert table.attributes["ascent_rule"] == "median over 15 s, climbs of 5 m or more"
    flat = {"time": time}
    (table,) = leg_tables(tmp_path / "a.fit", [Leg(flat)], ActivityOptions())
    assert "ascent_m" not in table.attributes
