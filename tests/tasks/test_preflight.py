"""A device that does not compute is found out, part by part, and named with its versions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lumipipe.backend import choose_backend
from lumipipe.errors import DeviceError
from lumipipe.tasks.preflight import check_device, device_facts
from tasks.fake_device import BROKEN, broken, fake_backend

PARTS = ["elementwise", "reduction", "FFT", "matrix product"]
TOLD = r"\(AMD Instinct MI250X, gfx90a:sramecc\+:xnack-, ROCm 70051831, CuPy 14.2.0, Python 3"


def test_a_device_that_computes_right_passes() -> None:
    assert check_device(fake_backend()) == PARTS
    assert check_device(choose_backend("numpy")) == PARTS


@pytest.mark.parametrize(
    ("part", "replaced"),
    [
        ("elementwise", {"multiply": broken}),
        ("reduction", {"sum": broken}),
        ("FFT", {"fft": BROKEN}),
        ("matrix product", {"matmul": broken}),
    ],
)
def test_a_library_that_raises_is_named(part: str, replaced: dict) -> None:
    with pytest.raises(DeviceError, match=f"^{part}: RuntimeError.*HIPFFT_INTERNAL_ERROR.*{TOLD}"):
        check_device(fake_backend(**replaced))


# Off by one unit in the last place; by ten times the bound; a NaN; another shape.
@pytest.mark.parametrize(
    ("part", "replaced"),
    [
        ("elementwise", {"multiply": lambda x, y: np.nextafter(x * y, np.inf)}),
        ("reduction", {"sum": lambda x: np.nextafter(np.sum(x), np.inf)}),
        ("FFT", {"fft": SimpleNamespace(rfft=lambda x: np.fft.rfft(x) * (1 + 3e-13))}),
        ("FFT", {"fft": SimpleNamespace(rfft=lambda x: np.fft.rfft(x) * np.nan)}),
        ("FFT", {"fft": SimpleNamespace(rfft=np.fft.fft)}),
        ("matrix product", {"matmul": lambda x, y: np.nextafter(x @ y, np.inf)}),
    ],
)
def test_wrong_numbers_are_an_error(part: str, replaced: dict) -> None:
    with pytest.raises(DeviceError, match=f"^{part}: other numbers than on the host {TOLD}"):
        check_device(fake_backend(**replaced))


def test_single_precision_is_not_taken_for_double() -> None:
    single = SimpleNamespace(rfft=lambda x: np.fft.rfft(x.astype(np.float32)).astype(np.complex64))
    with pytest.raises(DeviceError, match=r"^FFT: other numbers"):
        check_device(fake_backend(fft=single))


def test_facts_of_a_device() -> None:
    assert device_facts(fake_backend(visible=8)) == {
        "bus": "0000:c1:00.0",
        "name": "AMD Instinct MI250X",
        "architecture": "gfx90a:sramecc+:xnack-",
        "visible": 8,
        "runtime": "ROCm 70051831",
    }
    nvidia = fake_backend()
    nvidia.xp.cuda.runtime.is_hip = False
    nvidia.xp.cuda.runtime.getDeviceProperties = lambda _index: {"major": 9, "minor": 0}
    assert device_facts(nvidia)["architecture"] == "sm_90"


def test_a_device_that_does_not_even_tell_its_name_is_still_told_of() -> None:
    mute = fake_backend(multiply=broken)
    mute.xp.cuda.runtime.getDeviceProperties = broken
    with pytest.raises(DeviceError, match=r"elementwise: .*AMD Instinct MI250X, more unknown: "):
        check_device(mute)


@pytest.mark.gpu
def test_this_device_computes_right() -> None:
    backend = choose_backend("cupy")
    assert check_device(backend) == PARTS
    assert device_facts(backend)["visible"] >= 1
