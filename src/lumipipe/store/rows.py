"""What a dataset says about its recordings and channels, its arrays' names, "unknown" values.

How they are stored is in `lumipipe.store.writer`, how they are read in `lumipipe.store.dataset`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

FORM = 1  # version of the layout of a dataset
VALUE, TIME, LABEL = "value", "time_ns", "label_"  # arrays with one entry a row
NO_TIME = int(np.iinfo(np.int64).min)  # a time that is not known, as in datetime64's NaT
NO_LABEL = -1
_NS = 1_000_000_000


@dataclass(frozen=True)
class ChannelRow:
    """One measured quantity of a stream; sensor and certificate may be *not characterised*.

    Channels of one `group` stand for columns that were named together; their columns are called by
    numbers on `axis`, where that is stated. `gravity` is included in an acceleration or removed.
    """

    name: str
    quantity: str
    unit: str
    range: tuple[float, float] | None = None
    resolution: float | None = None
    scale: float | None = None
    sensor: str = "not characterised"
    certificate: str = "not characterised"
    group: str | None = None
    axis: str | None = None
    gravity: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self) | {"range": None if self.range is None else list(self.range)}


@dataclass(frozen=True)
class RecordingRow:
    """One recording: who it belongs to, where it came from, what is known about it."""

    id: str
    unit: str
    source: str
    file: str
    sha256: str
    attributes: dict[str, str]
    labels: dict[str, str]
    notes: tuple[str, ...] = ()


def channel_row(content: dict[str, Any]) -> ChannelRow:
    """The channel in what `ChannelRow.as_json` gave."""
    limits = content["range"]
    return ChannelRow(**(content | {"range": None if limits is None else (limits[0], limits[1])}))


def regular_times(start_ns: int, rate_hz: float, first: int, stop: int) -> np.ndarray:
    """Times of rows of a regular stream.

    Parameters
    ----------
    start_ns : int
        Time of row 0, ns since 1970 UTC; where it is `NO_TIME`, times count from row 0.
    rate_hz : float
        Rows per second; NaN where there is none.
    first, stop : int
        First row and row after the last.

    Returns
    -------
    ndarray
        Shape (stop - first,), int64, ns; `NO_TIME` where there is no rate.

    Notes
    -----
    *Accuracy*: whole seconds are exact, so the error is below 1 ns for rates that are whole
    numbers and below 2**-52 of the time since row 0 for others.

    Examples
    --------
    >>> regular_times(5, 4.0, 3, 6).tolist()
    [750000005, 1000000005, 1250000005]
    """
    if not np.isfinite(rate_hz):
        return np.full(stop - first, NO_TIME, dtype=np.int64)
    seconds, rest = np.divmod(np.arange(first, stop, dtype=np.float64), rate_hz)
    since = seconds.astype(np.int64) * _NS + np.rint(rest / rate_hz * _NS).astype(np.int64)
    return since + (0 if start_ns == NO_TIME else start_ns)
