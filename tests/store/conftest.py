"""Datasets from arrays, without a raw file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from store import fakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Path]:
    """A function that stores recordings and returns the manifest."""
    return partial(fakes.publish, tmp_path)
