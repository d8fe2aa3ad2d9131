"""The machines of this checkout as fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from machines import MACHINES

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> Machine:
    """Each machine in turn."""
    return MACHINES[request.param]


@pytest.fixture
def lumi() -> Machine:
    return MACHINES["lumi"]


@pytest.fixture
def roihu() -> Machine:
    return MACHINES["roihu"]
