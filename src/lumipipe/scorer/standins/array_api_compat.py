"""The functions of array-api-compat that bundled modules call, for NumPy 2 or newer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType


def array_namespace(*arrays: object) -> ModuleType:
    """NumPy, which is its own array namespace from version 2 on."""
    del arrays
    return np


def device(array: Any) -> object:
    """Where an array is."""
    return array.device
