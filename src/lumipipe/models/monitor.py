"""The model of normal operation: cross-products with gaps, and rows that set its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.models.pca import PairReducer, contributions, distances, fit_pca, for_rows
from lumipipe.models.pls import fit_pls
from lumipipe.models.sample import merge_samples, sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

__all__ = [
    "MonitorReducer",
    "contributions",
    "distances",
    "fit_monitor",
    "for_rows",
    "sampled_rows",
]

_PREFIX = "sample_"


@dataclass(frozen=True)
class MonitorReducer:
    """Cross-products of pairs of channels, and a uniform sample of rows.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    channels : int
        Columns of ``x``; the batch has ``x`` (row, channel) and ``number`` int64 (row,).
    sample_rows : int
        Rows that are kept.
    seed : int
        Key of the sample.
    """

    xp: Any
    channels: int
    sample_rows: int
    seed: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        kept = {
            "x": xp.zeros((0, self.channels), dtype=xp.float64, device=self.device),
            "priority": xp.zeros((0,), dtype=xp.float64, device=self.device),
        }
        return self._joined(self._pairs().empty(), kept)

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        x = self.xp.astype(batch["x"], self.xp.float64)
        kept = sample(self.seed, self.sample_rows, {"x": x}, batch["number"])
        pairs = self._pairs()
        return self.merge(state, self._joined(pairs.update(pairs.empty(), {"x": x}), kept))

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        kept = merge_samples(self.sample_rows, _sampled(first), _sampled(second))
        return self._joined(self._pairs().merge(first, second), kept)

    def _pairs(self) -> PairReducer:
        """The reducer of the cross-products."""
        return PairReducer(self.xp, self.channels, self.device)

    @staticmethod
    def _joined(pairs: State, kept: State) -> State:
        """Cross-products and sample as one state."""
        return pairs | {_PREFIX + name: array for name, array in kept.items()}


def _sampled(state: State) -> State:
    """The sample of a state."""
    return {
        name.removeprefix(_PREFIX): array
        for name, array in state.items()
        if name.startswith(_PREFIX)
    }


def sampled_rows(state: State, inputs: int) -> Array:
    """The first `inputs` columns of the sampled rows: float64 (row, input)."""
    return state[_PREFIX + "x"][:, :inputs]


def fit_monitor(state: State, kind: str, inputs: int, components: int) -> State:
    """A model for `distances`.

    Parameters
    ----------
    state : dict of str to array
        A state of `MonitorReducer` over the columns of ``[inputs, quality]``.
    kind : {"pca", "pls"}
        Kind of model.
    inputs : int
        Columns that are monitored.
    components : int
        Components.

    Returns
    -------
    dict of str to array
        As `lumipipe.models.pca.fit_pca` or `lumipipe.models.pls.fit_pls` return it.
    """
    if kind == "pls":
        return fit_pls(state, inputs, components)
    part = {name: state[name][:inputs, :inputs] for name in ("count", "mean", "comoment")}
    return fit_pca(part, components)
