"""Confusion counts and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class ConfusionReducer:
    """Counts of true against predicted classes, and of true classes inside their sets.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    classes : int
        Number of classes.

    Notes
    -----
    The batch has ``truth`` and ``predicted`` int64 (row,), and ``in_set`` bool (row, class).
    The state has ``counts`` int64 (class, class), rows true, columns predicted; ``covered``
    and ``set_size`` int64 (class,), by true class.
    """

    xp: Any
    classes: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {
            "counts": xp.zeros((self.classes, self.classes), dtype=xp.int64, device=self.device),
            "covered": xp.zeros((self.classes,), dtype=xp.int64, device=self.device),
            "set_size": xp.zeros((self.classes,), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        truth = _one_hot(batch["truth"], self.classes)
        predicted = _one_hot(batch["predicted"], self.classes)
        xp = array_namespace(truth)
        in_set = xp.astype(batch["in_set"], xp.int64)
        new = {
            "counts": xp.matmul(xp.matrix_transpose(truth), predicted),
            "covered": xp.sum(truth * in_set, axis=0),
            "set_size": xp.sum(truth * xp.sum(in_set, axis=1)[:, None], axis=0),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {name: first[name] + second[name] for name in first}


def _one_hot(labels: Array, classes: int) -> Array:
    """int64 (row, class): 1 where the label is the class."""
    xp = array_namespace(labels)
    return xp.astype(
        labels[:, None] == xp.arange(classes, dtype=labels.dtype, device=device(labels))[None, :],
        xp.int64,
    )


def accuracy(counts: Array) -> Array:
    """The share of rows whose class was predicted.

    Parameters
    ----------
    counts : array of int64, shape (..., class, class)
        Rows true, columns predicted.

    Returns
    -------
    array of float64, shape (...)
        NaN where nothing was counted.
    """
    xp = array_namespace(counts)
    right = xp.sum(xp.astype(xp.linalg.diagonal(counts), xp.float64), axis=-1)
    return right / xp.sum(xp.astype(counts, xp.float64), axis=(-2, -1))


def f1_scores(counts: Array) -> Array:
    """The harmonic mean of precision and recall of each class.

    Parameters
    ----------
    counts : array of int64, shape (..., class, class)
        Rows true, columns predicted.

    Returns
    -------
    array of float64, shape (..., class)
        2 TP / (2 TP + FP + FN); zero for a class that neither occurs nor is predicted.
    """
    xp = array_namespace(counts)
    real = xp.astype(counts, xp.float64)
    right = xp.linalg.diagonal(real)
    total = xp.sum(real, axis=-1) + xp.sum(real, axis=-2)
    return 2.0 * right / xp.where(total > 0, total, xp.ones_like(total))


def macro_f1(counts: Array) -> Array:
    """The mean of `f1_scores` over classes that occur, as float64 of shape (...)."""
    xp = array_namespace(counts)
    occurs = xp.astype(xp.sum(counts, axis=-1) > 0, xp.float64)
    weight = xp.sum(occurs, axis=-1)
    return xp.sum(f1_scores(counts) * occurs, axis=-1) / xp.where(
        weight > 0, weight, xp.ones_like(weight)
    )
