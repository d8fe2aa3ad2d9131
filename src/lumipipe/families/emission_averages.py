"""Averages of a predicted emission, with the part of their uncertainty that does not average out.

Method: on rows that the model has not seen, averages of the same length err by a part that their
rows share (bias, and what drifts more slowly than an average is long) and by a part that is
independent from row to row and shrinks with their number. A one-way analysis of variance of the
left-out residuals tells them apart (Searle, Casella & McCulloch, Variance Components, 1992, ch. 3,
about zero instead of the mean, so that a bias counts as shared). What the reference method's
readings share comes on top, unshrunk (JCGM 100:2008, 5.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.emission_hours import PERIOD, VALID
from lumipipe.uncertainty.budget import Contribution, combined
from lumipipe.uncertainty.conformal import conformal_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FEWEST = 2  # rows in which a spread can be seen


@dataclass(frozen=True)
class Averages:
    """Averages in order; arrays of shape (average,).

    Parameters
    ----------
    recording, period, first_row : ndarray of int64
        Recording, number of the period, and number in the recording of the first row.
    rows, valid, paired : ndarray of int64
        Rows that there should be, valid ones, and valid ones with a known truth.
    predicted : ndarray of float64
        Mean prediction of valid rows; NaN without any.
    measured, predicted_paired : ndarray of float64
        Means of paired rows.
    within : ndarray of float64
        Sum of squares of the errors of paired rows about their mean.
    """

    recording: NDArray[np.int64]
    period: NDArray[np.int64]
    first_row: NDArray[np.int64]
    rows: NDArray[np.int64]
    valid: NDArray[np.int64]
    paired: NDArray[np.int64]
    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]
    predicted_paired: NDArray[np.float64]
    within: NDArray[np.float64]

    @property
    def capture(self) -> NDArray[np.float64]:
        """Share of the rows that are valid."""
        return np.asarray(self.valid / np.maximum(1, self.rows))

    @property
    def error(self) -> NDArray[np.float64]:
        """Measured less predicted."""
        return self.measured - self.predicted_paired


def average(rows: Mapping[str, NDArray[Any]], length: int) -> Averages:
    """Averages of successive rows of each recording, or of periods of the clock.

    Parameters
    ----------
    rows : mapping of str to ndarray
        Rows in order, with ``state``; ``period``, the number of each row's period, where the
        clock counts.
    length : int
        Rows that an average should have.

    Returns
    -------
    Averages
        The last one of a recording may be shorter; its capture is of the rows that it should have.
    """
    recording, row = rows["recording"], rows["row"]
    if PERIOD in rows:
        period = rows[PERIOD].astype(np.int64)
    else:
        _, at, group = np.unique(recording, return_index=True, return_inverse=True)
        period = (row - row[at][group]) // length
    key = np.stack([recording, period], axis=1)
    found, place, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    is_valid = rows["state"] == VALID
    is_paired = is_valid & np.isfinite(rows["truth"])

    def mean(values: NDArray[np.float64], use: NDArray[np.bool_]) -> NDArray[np.float64]:
        total = np.bincount(group[use], values[use], minlength=len(found))
        count = np.bincount(group[use], minlength=len(found))
        return np.where(count > 0, total / np.maximum(1, count), np.nan)

    error = rows["truth"] - rows["prediction"]
    about = error - mean(error, is_paired)[group]
    counts = [np.bincount(group[use], minlength=len(found)) for use in (is_valid, is_paired)]
    return Averages(
        found[:, 0],
        found[:, 1],
        row[place],
        np.full(len(found), length, dtype=np.int64),
        counts[0],
        counts[1],
        mean(rows["prediction"], is_valid),
        mean(rows["truth"], is_paired),
        mean(rows["prediction"], is_paired),
        np.bincount(group[is_paired], about[is_paired] ** 2, len(found)).astype(np.float64),
    )


@dataclass(frozen=True)
class Parts:
    """How an average errs; in the unit of the target.

    Parameters
    ----------
    independent : float
        Standard deviation from row to row within an average.
    shared : float
        Standard uncertainty that all rows of an average share.
    reference : float or None
        What the reference method's readings share; None where it is not stated.
    factor : float
        k: how many standard uncertainties hold the promised share of the left-out averages.
    correlation : float
        Of the residuals of neighbouring left-out rows.
    averages : int
        Left-out averages that this was learnt from.
    """

    independent: float
    shared: float
    reference: float | None
    factor: float
    correlation: float
    averages: int

    def u(self, rows: NDArray[np.int64] | int, *, reference: bool) -> NDArray[np.float64]:
        """Standard uncertainty of averages of so many rows, with or without the reference's."""
        counts = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        return np.array([self._u(int(count), reference=reference) for count in counts])

    def _u(self, rows: int, *, reference: bool) -> float:
        if rows == 0:
            return float("inf")
        parts = [
            Contribution("row to row", "A", "normal", self.independent, "", rows**-0.5, False),
            Contribution("model", "A", "normal", self.shared, "", 1.0, True),
        ]
        if reference and self.reference is not None:
            parts.append(Contribution("reference", "B", "normal", self.reference, "", 1.0, True))
        return combined(parts)


def learn_parts(
    averages: Averages,
    rows: Mapping[str, NDArray[Any]],
    coverage: float,
    reference: float | None,
    least_capture: float,
) -> Parts | None:
    """How averages err, from left-out ones.

    Parameters
    ----------
    averages : Averages
        Of left-out rows, as long as those that are asked for.
    rows : mapping of str to ndarray
        Those rows, for the correlation of neighbours.
    coverage : float
        Nominal coverage.
    reference : float or None
        Standard uncertainty that all readings of the reference share.
    least_capture : float
        Share of rows that an average must have.

    Returns
    -------
    Parts or None
        None where fewer than two averages have enough rows.

    Notes
    -----
    *Method*: with e the mean error of an average of n rows and s² the pooled variance within
    averages, the shared variance is the mean of e² - s² / n, or 0. The factor is the conformal
    quantile of abs e over its standard uncertainty, so no distribution is assumed.
    """
    good = averages.paired >= np.maximum(1, least_capture * averages.rows)
    if good.sum() < _FEWEST:
        return None
    n, error = averages.paired[good], averages.error[good]
    freedom = int((n - 1).sum())
    independent = float(np.sqrt(averages.within[good].sum() / freedom)) if freedom > 0 else 0.0
    shared = float(np.sqrt(max(0.0, float(np.mean(error**2 - independent**2 / n)))))
    parts = Parts(independent, shared, reference, np.nan, _neighbours(rows), int(good.sum()))
    u = parts.u(n, reference=False)
    scaled = np.abs(error) / np.where(u > 0, u, np.nan)
    factor = conformal_quantile(np.nan_to_num(scaled), coverage)
    return Parts(independent, shared, reference, factor, parts.correlation, parts.averages)


def _neighbours(rows: Mapping[str, NDArray[Any]]) -> float:
    """Correlation of the residuals of neighbouring valid rows, about zero."""
    error = np.where(rows["state"] == VALID, rows["truth"] - rows["prediction"], np.nan)
    follows = (np.diff(rows["row"]) == 1) & (np.diff(rows["recording"]) == 0)
    product = error[1:] * error[:-1]
    use = follows & np.isfinite(product)
    below = np.nanmean(error**2) if np.isfinite(error).any() else 0.0
    return float(product[use].mean() / below) if use.any() and below > 0 else 0.0
