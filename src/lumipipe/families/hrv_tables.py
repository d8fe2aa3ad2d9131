"""The tables that the family `hrv` leaves for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.hrv_figures import COMPARED
from lumipipe.families.hrv_folding import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.hrv_recordings import Heart


def recording_table(found: Sequence[Heart]) -> dict[str, Any]:
    """One row a recording; figures of refused ones are NaN."""
    text = {"recording": [h.row.id for h in found], "unit": [h.row.unit for h in found]}
    columns: dict[str, Any] = {key: np.array(value, dtype=object) for key, value in text.items()}
    columns["refused"] = np.array([heart.is_refused for heart in found])
    for at, name in enumerate(KINDS):
        columns[name] = np.array([heart.beats.kinds[at] for heart in found], dtype=np.int64)
    for name in COMPARED:
        for part in ("value", "lower", "upper", "u"):
            key = name if part == "value" else f"{name} {part}"
            columns[key] = _floats(found, [getattr(h.figures[name], part) for h in found])
    for name in ("sdsd", "pnn50", "heart_rate", "seconds"):
        columns[name] = _floats(found, [getattr(heart.beats, name) for heart in found])
    columns["triangular_index"] = _floats(found, [heart.index for heart in found])
    for name in ("sdann", "sdnn_index"):
        each = [getattr(heart, name) for heart in found]
        columns[name] = _floats(found, [np.nan if value is None else value for value in each])
    return columns


def _floats(found: Sequence[Heart], values: Sequence[float]) -> np.ndarray:
    """Values of those recordings that are answered."""
    kept = np.array([not heart.is_refused for heart in found])
    return np.where(kept, np.array(values, dtype=np.float64), np.nan)


def window_table(found: Sequence[Heart]) -> dict[str, Any]:
    """One row a window of a recording that is answered."""
    rows = [(heart, window) for heart in found if not heart.is_refused for window in heart.windows]
    columns: dict[str, Any] = {
        "recording": np.array([heart.row.id for heart, _ in rows], dtype=object),
        "window": np.array([window.number for _, window in rows], dtype=np.int64),
        "full": np.array([window.is_full for _, window in rows], dtype=bool),
        "normal": np.array([window.beats.count for _, window in rows], dtype=np.int64),
        "intervals": np.array([window.beats.intervals for _, window in rows], dtype=np.int64),
    }
    for name in COMPARED:
        values = [window.figures[name].value for _, window in rows]
        columns[name] = np.array(values, dtype=np.float64)
    return columns
