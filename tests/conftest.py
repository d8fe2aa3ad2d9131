"""Fixtures that all tests share: array libraries as traps, real data, Hypothesis profiles."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import array_api_strict
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from lumipipe.backend import choose_backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array

settings.register_profile(
    "quick", max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", max_examples=200, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell starts what it runs in the background deaf to Ctrl-C, which tests send to what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = Path(os.environ.get("LUMIPIPE_TEST_DATA", ROOT.parent / "shared" / "data"))


def _read_only(array: np.ndarray) -> Array:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def _strict(array: np.ndarray) -> Array:
    return array_api_strict.asarray(array, device=array_api_strict.Device("device1"))


def _cupy(array: np.ndarray) -> Array:
    return choose_backend("cupy").asarray(array)


LIBRARIES: dict[str, Callable[[np.ndarray], Array]] = {
    "numpy": np.asarray,
    "read-only": _read_only,
    "strict": _strict,
    "cupy": _cupy,
}


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.gpu] if name == "cupy" else []) for name in LIBRARIES
    ]
)
def xp_array(request: pytest.FixtureRequest) -> Callable[[np.ndarray], Array]:
    """A function that turns a NumPy array into one of the library under test."""
    return LIBRARIES[request.param]


def to_numpy(array: Array) -> np.ndarray:
    """`array` of any of the libraries as a NumPy array, for comparisons in tests only."""
    if hasattr(array, "get"):
        return np.asarray(array.get())
    if hasattr(array, "_array"):
        return np.asarray(array._array)  # array-api-strict refuses np.asarray off the CPU
    return np.asarray(array)


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets; the test is skipped, and says so, where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real data are not here ({REAL_DATA})")
    return REAL_DATA
