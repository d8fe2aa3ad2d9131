"""Every reducer of the library with batches for it: one registry for the tests of the algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.metrics.affine import AffineReducer
from lumipipe.metrics.best import BestReducer
from lumipipe.metrics.confusion import ConfusionReducer
from lumipipe.metrics.distinct import DistinctReducer
from lumipipe.metrics.events import EventCounts
from lumipipe.metrics.exact import ExactSumsReducer
from lumipipe.metrics.heartbeats import BeatBins, BeatsReducer
from lumipipe.metrics.latencies import LatencyReducer
from lumipipe.metrics.lives import IndicatorReducer
from lumipipe.metrics.quantiles import QuantileBins
from lumipipe.metrics.residuals import ResidualBins
from lumipipe.metrics.rows import Renamed, RowsReducer, Together
from lumipipe.metrics.sums import SumsReducer
from lumipipe.metrics.zones import ZoneReducer
from lumipipe.models.monitor import MonitorReducer
from lumipipe.models.pca import PairReducer
from lumipipe.models.pls import PlsReducer
from lumipipe.models.ranges import RangeReducer
from lumipipe.models.ridge import RidgeReducer
from lumipipe.models.spectrum import EnvelopeReducer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.fold import Reducer

    Batch = dict[str, np.ndarray]


class Case(NamedTuple):
    """A reducer, and what makes the rows ``first … stop`` of its endless data."""

    make: Callable[[Any, Any], Reducer]
    rows: Callable[[int, int], Batch]
    exact: bool


def _normal(first: int, stop: int, width: int) -> np.ndarray:
    rows = [np.random.default_rng([7, r]).normal(size=width) for r in range(first, stop)]
    return np.array(rows).reshape(stop - first, width) + 100.0


def _ridge(first: int, stop: int) -> Batch:
    z = _normal(first, stop, 5)
    return {"x": z[:, :3], "y": z[:, 3:], "number": np.arange(first, stop)}


def _gaps(first: int, stop: int) -> Batch:
    x = _normal(first, stop, 4)
    x[x > 101.2] = np.nan
    return {"x": x, "number": np.arange(first, stop)}


def _gaps_with_targets(first: int, stop: int) -> Batch:
    z = _gaps(first, stop)["x"]
    return {"x": z[:, :3], "y": z[:, 3:], "number": np.arange(first, stop)}


def _classes(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    return {
        "truth": rows % 3,
        "predicted": (rows // 2) % 3,
        "in_set": (rows[:, None] + np.arange(3)) % 2 == 0,
        "value": np.sin(rows)[:, None] * np.ones(2),
        "number": rows,
    }


def _residuals(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    residual = _normal(first, stop, 1)[:, 0] - 100.0
    residual[rows % 7 == 3] = np.nan
    residual[rows % 11 == 5] *= 1e6
    return {"residual": residual, "regime": rows % 4 - 1}


def _lives(first: int, stop: int) -> Batch:
    value = np.round(_normal(first, stop, 3), 1)
    value[value[:, 2] > 101.0, 2] = np.nan
    return {"value": value, "life": np.arange(first, stop) / 63.0}


def _spectra(first: int, stop: int) -> Batch:
    x = _normal(first, stop, 6)
    return {"power": x[:, :4] ** 2, "band_power": x[:, 4] ** 2, "signal": x[:, 5:]}


def _values(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    x = np.stack([np.sin(rows) * 10.0 ** (rows % 40), np.where(rows % 7, 0.1 * rows, np.nan)], 1)
    return {"x": x, "value": rows % 11 / 8.0}


def _beats(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    return {
        "rr_us": 800_000 + 7919 * (rows % 13) * (rows % 5),
        "kind": np.where(rows % 17 == 11, -1, np.where(rows % 7 == 3, 2, 0)),
        "follows": (rows % 19 != 5).astype(np.int64),
    }


def _events(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    kind = np.array([np.random.default_rng([9, r]).integers(-1, 3) for r in rows], dtype=np.int64)
    return {
        "time": 150_000_000 * (rows - rows % 3),
        "begins": kind == 0,
        "answers": kind == 1,
        "block": rows // 7 - 1,
        "event": kind.reshape(rows.shape),
        "value": np.where(kind < 0, np.nan, 0.3 * kind),
    }


def _best(first: int, stop: int) -> Batch:
    return {"best": _gaps(first, stop)["x"]}


def _zones(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)
    return {"zone": rows % 5 - 1, "step_ns": 1_000_000_007 * (rows % 3)}


def _maps(first: int, stop: int) -> Batch:
    rows = np.arange(first, stop)[:, None]
    return {"a": np.exp(-1.0 / (7.0 + rows % 3) * np.ones(2)), "b": np.sin(rows) * np.ones(2)}


REDUCERS = {
    "events": Case(lambda xp, d: EventCounts(xp, 7, 2, d), _events, exact=True),
    "latencies": Case(
        lambda xp, d: LatencyReducer(xp, 300_000_000, 0.1, 2.0, 0.1, d), _events, exact=True
    ),
    "quantiles": Case(lambda xp, d: QuantileBins(xp, 0.1, 0.5, 0.1, d), _events, exact=True),
    "affine": Case(lambda xp, d: AffineReducer(xp, 2, d), _maps, exact=False),
    "best": Case(lambda xp, d: BestReducer(xp, 4, d), _best, exact=True),
    "zones": Case(lambda xp, d: ZoneReducer(xp, 3, d), _zones, exact=True),
    "distinct": Case(lambda xp, d: DistinctReducer(xp, 6, d), _values, exact=True),
    "exact sums": Case(lambda xp, d: ExactSumsReducer(xp, 2, d), _values, exact=True),
    "ridge": Case(lambda xp, d: RidgeReducer(xp, 3, 2, 8, 1, d), _ridge, exact=False),
    "pairs": Case(lambda xp, d: PairReducer(xp, 4, d), _gaps, exact=False),
    "monitor": Case(lambda xp, d: MonitorReducer(xp, 4, 8, 1, d), _gaps, exact=False),
    "pls": Case(lambda xp, d: PlsReducer(xp, 3, 1, 8, 1, d), _gaps_with_targets, exact=False),
    "envelope": Case(lambda xp, d: EnvelopeReducer(xp, 4, d), _spectra, exact=False),
    "indicators": Case(lambda xp, d: IndicatorReducer(xp, 3, 17, d), _lives, exact=True),
    "confusion": Case(lambda xp, d: ConfusionReducer(xp, 3, d), _classes, exact=True),
    "sums": Case(lambda xp, d: SumsReducer(xp, {"value": (2,)}, d), _classes, exact=False),
    "residuals": Case(lambda xp, d: ResidualBins(xp, 0.1, 2.0, 2, 0.1, d), _residuals, exact=True),
    "ranges": Case(lambda xp, d: RangeReducer(xp, 4, d), _gaps, exact=True),
    "beats": Case(lambda xp, d: BeatsReducer(xp, 3, d), _beats, exact=True),
    "beat bins": Case(lambda xp, d: BeatBins(xp, 150, d), _beats, exact=True),
    "renamed": Case(
        lambda xp, d: Renamed(RangeReducer(xp, 2, d), {"x": "value"}), _classes, exact=True
    ),
    "rows": Case(
        lambda xp, d: RowsReducer(xp, {"number": ("int64", ()), "value": ("float64", (2,))}, d),
        _classes,
        exact=True,
    ),
    "together": Case(
        lambda xp, d: Together(
            {"c": ConfusionReducer(xp, 3, d), "r": RowsReducer(xp, {"number": ("int64", ())}, d)}
        ),
        _classes,
        exact=True,
    ),
}
