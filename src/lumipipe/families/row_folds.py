"""Who of the rows of a regression is held out of what: roles, groups and folds.

Which rows train, calibrate and test is in `lumipipe.families.roles`, how groups are dealt to folds
in `lumipipe.splits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.errors import InputError
from lumipipe.families.interface import recording_spans
from lumipipe.families.regression_settings import FEWEST_FOLDS
from lumipipe.families.roles import Roles, block_of, role_of, roles
from lumipipe.kernels.philox import uniform_at
from lumipipe.partition import Span
from lumipipe.splits import deal, group_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lumipipe.families.interface import Block, Job
    from lumipipe.families.regression_settings import RowsSettings
    from lumipipe.store.dataset import StreamTable

_PURPOSE = 0xF01D  # keeps the draws of random folds apart from others of the same seed


def last_rows(block: Block) -> NDArray[np.int64]:
    """Last row of each window in the stream, when its answer is known: int64 (window,)."""
    return block.first_row + block.starts + (block.length - 1)


@dataclass(frozen=True)
class RowFolds:
    """The folds of a request's rows.

    Parameters
    ----------
    job : Job
        The request and its data.
    settings : RowsSettings
        How the folds of training rows are made.
    stream : StreamTable
        The rows.
    key : callable of Block, optional
        What is held out together within a recording: int64 (window,).
    """

    job: Job
    settings: RowsSettings
    stream: StreamTable
    key: Callable[[Block], NDArray[np.int64]] | None = None

    @property
    def split(self) -> Any:
        """How training and test are kept apart."""
        return self.job.request.evaluation.split

    @property
    def is_dealt(self) -> bool:
        """Whether each fold is the test of a model of its own."""
        return isinstance(self.split, GroupSplit | RandomSplit)

    @cached_property
    def roles(self) -> Roles:
        """Rows that train, calibrate and test; all train where each fold is tested in turn."""
        if not self.is_dealt:
            return roles(self.job, self.stream)
        spans = recording_spans(self.stream)
        nothing = [Span(span.first, span.first) for span in spans]
        return Roles(spans, nothing, nothing)

    @cached_property
    def fold_of_group(self) -> dict[str, int]:
        """The fold of each group of recordings; empty where folds are not groups of them."""
        by = self._fold_by
        if by is None:
            return {}
        used = [r for r, span in enumerate(self.roles.train) if span.size]
        known = self.job.known()
        place = "evaluation.split.by" if self.is_dealt else "train.fold_by"
        groups = group_of(by, [known[r] for r in used], place)
        dealt = deal(groups, self._folds_asked)
        if len(set(dealt.values())) < FEWEST_FOLDS:
            raise InputError(
                "evaluation.split",
                f"there are {len(dealt)} groups by {by} to hold out",
                f"give at least {FEWEST_FOLDS}: one to test, one to choose on, one to fit",
            )
        return dealt

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each recording whose groups are dealt; empty where it does not train."""
        by = self._fold_by or ""
        return tuple(
            known.get(by, "") if span.size else ""
            for known, span in zip(self.job.known(), self.roles.train, strict=True)
        )

    @property
    def _fold_by(self) -> str | None:
        """What is known of recordings that each fold holds whole; None where folds are blocks."""
        if self.is_dealt:
            by_group = isinstance(self.split, GroupSplit) and self.key is None
            return self.split.by if by_group else None
        return self.settings.fold_by

    @property
    def _folds_asked(self) -> int:
        return (self.split.folds if self.is_dealt else None) or self.settings.folds

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(set(self.fold_of_group.values())) or self._folds_asked

    def role(self, block: Block) -> NDArray[np.int64]:
        """TRAIN, CALIBRATE or TEST for each window."""
        return role_of(self.roles, block.recording, last_rows(block))

    def key_of(self, block: Block) -> NDArray[np.int64]:
        """What each window is held out together with."""
        return block.recording if self.key is None else self.key(block)

    def fold(self, block: Block) -> NDArray[np.int64]:
        """The fold of each window; -1 for one that does not train."""
        if isinstance(self.split, RandomSplit):
            draws = uniform_at(last_rows(block), (self.job.seed, _PURPOSE))
            return np.asarray(np.floor(draws * self.folds), dtype=np.int64)
        if isinstance(self.split, GroupSplit) and self.key is not None:
            return np.asarray(self.key(block) % self.folds, dtype=np.int64)
        if self.fold_of_group:
            return self._fold_of_recording[block.recording]
        return block_of(self.roles.train, block.recording, last_rows(block), self.folds)

    @cached_property
    def _fold_of_recording(self) -> NDArray[np.int64]:
        """The fold of each recording by its group; -1 where it does not train."""
        by = self._fold_by or ""
        folds = [self.fold_of_group.get(known.get(by, ""), -1) for known in self.job.known()]
        trains = [span.size > 0 for span in self.roles.train]
        return np.where(trains, np.asarray(folds, dtype=np.int64), -1)
