"""The table of a device: small on the host, so that it cannot rot, in full on a GPU."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.device import table
from lumipipe.backend import choose_backend


@pytest.mark.slow
def test_the_table_can_be_made() -> None:
    text, differ = table(choose_backend("numpy"), 2e-4)
    assert set(differ.values()) == {0.0}
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == len(differ) + 2


@pytest.mark.gpu
@pytest.mark.timeout(1200)
def test_a_device_computes_what_numpy_does(capsys: pytest.CaptureFixture[str]) -> None:
    text, differ = table(choose_backend("cupy"), 1.0)
    with capsys.disabled():
        print("\n" + text)
    if file := os.environ.get("LUMIPIPE_DEVICE_TABLE"):
        Path(file).write_text(text, encoding="utf-8")
    # Rows nearest to two clusters may go to either; float32 results agree to a few last bits.
    assert {name: d for name, d in differ.items() if d > 1e-3} == {}
