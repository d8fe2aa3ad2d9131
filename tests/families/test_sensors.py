"""Planted faults of sensors: found, named, and told from a change of many."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.backend import choose_backend
from lumipipe.families.guard import Guard, guard_arrays
from lumipipe.families.sensors import LEAST_TOLD, sensor_arrays, sensor_scores
from lumipipe.models.monitor import MonitorReducer

BACKEND = choose_backend("numpy")
INPUTS = 6


def rows(count: int, key: int) -> np.ndarray:
    """Five inputs that two things move, and one of its own."""
    mixing = np.random.default_rng(1).normal(size=(2, INPUTS))
    rng = np.random.default_rng((2, key))
    x = rng.normal(size=(count, 2)) @ mixing + 0.1 * rng.normal(size=(count, INPUTS))
    x[:, 5] = rng.normal(size=count)
    return x


@pytest.fixture(scope="module")
def trained() -> tuple[Guard, dict[str, np.ndarray]]:
    reducer = MonitorReducer(xp, INPUTS, 512, 1)
    guard = Guard(reducer, 0.01)
    states, ranges = [], []
    for fold in range(4):
        batch = {"x": rows(500, fold), "number": np.arange(500) + 500 * fold}
        states.append(reducer.update(reducer.empty(), batch))
        ranges.append(guard.ranges.update(guard.ranges.empty(), batch))
    arrays = guard_arrays(guard, BACKEND, states, ranges) | sensor_arrays(guard, BACKEND, states)
    return guard, arrays


def scored(trained: tuple[Guard, dict[str, np.ndarray]], x: np.ndarray) -> dict[str, np.ndarray]:
    guard, arrays = trained
    return sensor_scores(guard, BACKEND, arrays, x, np.full(len(x), 4))


def test_good_rows_are_left_alone(trained) -> None:
    found = scored(trained, rows(4000, 9))
    odd = (np.abs(found["excess"]) > 1).any(axis=1).mean()
    # 1 % by design; three standard deviations of 4000 trials and of 2000 rows that set the limits.
    assert odd <= 0.01 + 3 * np.sqrt(0.01 * 0.99 * (1 / 4000 + 1 / 2000))


@pytest.mark.parametrize("sensor", range(5))
@pytest.mark.parametrize("off", [-1.5, 1.5, 8.0])
def test_one_wrong_sensor_is_the_suspect(trained, sensor: int, off: float) -> None:
    x = rows(400, 10)
    x[:, sensor] += off
    found = scored(trained, x)
    odd = (np.abs(found["excess"]) > 1).any(axis=1)
    assert odd.mean() > 0.9
    assert (found["suspect"][odd] == sensor).mean() > 0.98
    assert (np.sign(found["excess"][odd, sensor]) == np.sign(off)).all()
    mended = (found["excess_mended"] <= 1) & (found["spe_mended"] <= trained[1]["envelope_spe"])
    assert mended[odd].mean() > 0.95


def test_many_wrong_sensors_are_not_mended_by_one(trained) -> None:
    x = rows(400, 11)
    x[:, :4] += [3.0, -3.0, 3.0, -3.0]
    assert (scored(trained, x)["excess_mended"] > 1).mean() > 0.95


def test_an_input_of_its_own_is_told_by_nobody(trained) -> None:
    told = trained[1]["sensor_told"]
    assert told[5] < 0.05
    assert (told[:5] > LEAST_TOLD).all()


def test_a_missing_value_has_no_excess_and_is_no_suspect(trained) -> None:
    x = rows(50, 12)
    x[:, 2] = np.nan
    found = scored(trained, x)
    assert np.isnan(found["excess"][:, 2]).all()
    assert (found["suspect"] != 2).all()
    assert np.isfinite(found["excess_mended"]).all()
