"""Fault lines, their chance, and what the diagnosis refuses."""

from __future__ import annotations

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.families.bearing_lines import find_lines, null_scores
from running import answer
from small_requests import bearing

FAULTS = {"inner race": 162.2, "outer race": 107.3, "ball": 141.1, "cage": 11.9}


def _spectrum(lines: dict[float, float], seed: int = 1) -> np.ndarray:
    """Noise as of 20 averaged spectra with lines each 1 Hz up to 3 kHz, and peaks on it."""
    power = np.random.default_rng(seed).chisquare(40, 3000) / 40
    for frequency, height in lines.items():
        power[round(frequency)] += height
    return power


def test_lines_of_a_fault_stand_out_together() -> None:
    power = _spectrum({162.2 * k: 100.0 for k in (1, 2, 3)})
    found = find_lines(power, 1.0, 162.2, 3, 0.01)
    assert found.found_hz == 162.0
    assert found.score == pytest.approx(100, rel=0.05)
    # Three times the outer race lies within 1 % of twice the inner race: one line is shared.
    outer = find_lines(power, 1.0, 107.3, 3, 0.01)
    assert outer.mean > 30
    assert outer.score < 10


def test_one_line_that_falls_on_a_harmonic_is_not_enough() -> None:
    power = _spectrum({2 * 107.3: 1000.0})
    found = find_lines(power, 1.0, 107.3, 3, 0.01)
    assert found.mean > 300
    assert found.score < 20


def test_chance_is_measured_in_the_same_spectrum() -> None:
    quiet = null_scores(_spectrum({}), 1.0, 29.95, FAULTS, 3, 0.01)
    # Lines everywhere: what a score does by chance is then high as well.
    comb = null_scores(
        _spectrum({k * 7.3: 50.0 for k in range(1, 400)}), 1.0, 29.95, FAULTS, 3, 0.01
    )
    assert len(quiet) > 50
    assert np.quantile(quiet, 0.99) < 3
    assert np.quantile(comb, 0.99) > 10


def test_band_too_narrow_for_the_harmonics_is_refused(tmp_path) -> None:
    request = bearing(tmp_path, train={"band_hz": [700, 950]})
    with pytest.raises(InputError, match=r"widen train\.band_hz"):
        answer(request, tmp_path / "out")


def test_lines_too_coarse_for_the_shaft_are_refused(tmp_path) -> None:
    slow = {"inner race": 300, "outer race": 300, "none": 300}
    request = bearing(
        tmp_path,
        train={"segment_s": 0.25, "hop_s": 0.25},
        asset={"speed": {"by": "fault", "nominal": slow}},
    )
    with pytest.raises(InputError, match=r"lengthen train\.segment_s"):
        answer(request, tmp_path / "out")
