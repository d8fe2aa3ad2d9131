"""Answers row by row, as a state that joins end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class RowsReducer:
    """The rows themselves, in the order of chunks.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    columns : mapping of str to (dtype name, shape)
        Name of each column to its number type and the shape of one row.
    """

    xp: Any
    columns: Mapping[str, tuple[str, tuple[int, ...]]]
    device: Any = None

    def empty(self) -> State:
        """No rows."""
        return {
            name: self.xp.zeros((0, *shape), dtype=getattr(self.xp, dtype), device=self.device)
            for name, (dtype, shape) in self.columns.items()
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The rows of the state and then those of the batch."""
        rows = {
            name: self.xp.astype(batch[name], getattr(self.xp, dtype))
            for name, (dtype, _) in self.columns.items()
        }
        return self.merge(state, rows)

    def merge(self, first: State, second: State) -> State:
        """The rows of the first and then those of the second; exact."""
        return {name: self.xp.concat([first[name], second[name]], axis=0) for name in first}


@dataclass(frozen=True)
class Together:
    """Several reducers over one batch, as one.

    Parameters
    ----------
    parts : mapping of str to Reducer
        Name of each part to its reducer; a part's arrays are called ``part.array``.
    """

    parts: Mapping[str, Any]

    def empty(self) -> State:
        """The empty states of all parts."""
        return self._joined({name: part.empty() for name, part in self.parts.items()})

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The states of all parts with the batch."""
        return self._joined(
            {name: part.update(self.part(state, name), batch) for name, part in self.parts.items()}
        )

    def merge(self, first: State, second: State) -> State:
        """The merged states of all parts."""
        return self._joined(
            {
                name: part.merge(self.part(first, name), self.part(second, name))
                for name, part in self.parts.items()
            }
        )

    def part(self, state: State, name: str) -> State:
        """The state of one part."""
        return {
            key.removeprefix(f"{name}."): array
            for key, array in state.items()
            if key.startswith(f"{name}.")
        }

    def _joined(self, states: Mapping[str, State]) -> State:
        """States of parts as one flat state."""
        return {
            f"{name}.{key}": array for name, state in states.items() for key, array in state.items()
        }


@dataclass(frozen=True)
class Renamed:
    """A reducer that takes arrays of the batch under other names.

    Parameters
    ----------
    reducer : Reducer
        What is folded.
    names : mapping of str to str
        Name that the reducer knows to the name in the batch.
    """

    reducer: Any
    names: Mapping[str, str]

    def empty(self) -> State:
        """That of the reducer."""
        state: State = self.reducer.empty()
        return state

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """That of the reducer, with the arrays that it is meant to have."""
        renamed = {own: batch[name] for own, name in self.names.items()}
        updated: State = self.reducer.update(state, {**batch, **renamed})
        return updated

    def merge(self, first: State, second: State) -> State:
        """That of the reducer."""
        merged: State = self.reducer.merge(first, second)
        return merged
