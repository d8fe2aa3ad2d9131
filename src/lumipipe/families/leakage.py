"""Whether anything that tests a model has taught it: the leakage tests of a run.

They look at who was really taught and tested, not at what the split was meant to do. What a
request asked for is in `lumipipe.splits`; what a found leak does to a verdict in
`lumipipe.families.verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit, SourceSplit, TimeSplit
from lumipipe.language import message, say, say_count, term, translated
from lumipipe.reporting.result import LeakageTest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from lumipipe.config import Split
    from lumipipe.reporting.result import LeakageStatus as Status

_LATER = message("by design: the question is about the same {what} later")


@dataclass(frozen=True)
class Sides:
    """Who taught and who was tested: one entry a row or window.

    Parameters
    ----------
    split : Split
        What the request asked for.
    taught_in : ndarray of int64, shape (window,)
        Fold in which a window taught; -1 where it taught no model.
    judged_by : ndarray of int64, shape (window,)
        Model that judged it as a test; -1 where it is no test. Model m was taught by all windows
        of the other folds; a number that is no fold is the model of all folds.
    unit, recording : ndarray of int64, shape (window,)
        Where the window is from.
    first_row : ndarray of int64, shape (window,)
        First row of the window in its stream.
    length : int
        Rows of a window.
    keys : mapping of str to ndarray of int64, shape (window,)
        Further things that hang together, such as a mix.
    content : ndarray of int64, shape (window,), optional
        Equal for windows of equal content.
    scaler_rows : ndarray of int64, shape (model,), optional
        Rows from which the means and scales of each model were computed.
    """

    split: Split
    taught_in: NDArray[np.int64]
    judged_by: NDArray[np.int64]
    unit: NDArray[np.int64]
    recording: NDArray[np.int64]
    first_row: NDArray[np.int64]
    length: int
    keys: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    content: NDArray[np.int64] | None = None
    scaler_rows: NDArray[np.int64] | None = None

    def taught(self, model: int) -> NDArray[np.bool_]:
        """Windows that taught a model."""
        return np.asarray((self.taught_in >= 0) & (self.taught_in != model))

    def on_both_sides(self, what: NDArray[np.int64]) -> int:
        """Tested windows that share something with a window that taught their model."""
        return self._count(lambda taught, tested: np.isin(what[tested], what[taught]))

    def overlapping(self) -> int:
        """Tested windows that share a row with one that taught their model."""

        def shares(taught: NDArray[np.bool_], tested: NDArray[np.bool_]) -> NDArray[np.bool_]:
            starts = np.sort(self.first_row[taught])
            if not len(starts):
                return np.zeros(int(tested.sum()), dtype=np.bool_)
            mine = self.first_row[tested]
            after = np.searchsorted(starts, mine, side="left")
            next_start = starts[np.minimum(after, len(starts) - 1)]
            last_start = starts[np.maximum(after - 1, 0)]
            near = (np.abs(next_start - mine) < self.length) | (
                np.abs(last_start - mine) < self.length
            )
            return np.asarray(near)

        return self._count(shares)

    def _count(
        self, shares: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]]
    ) -> int:
        """Sum over models of the tested windows for which `shares` says yes."""
        models = np.unique(self.judged_by[self.judged_by >= 0])
        return sum(
            int(shares(self.taught(int(model)), self.judged_by == model).sum()) for model in models
        )


def leakage_tests(sides: Sides) -> list[LeakageTest]:
    """All leakage tests, in a fixed order.

    Parameters
    ----------
    sides : Sides
        Who taught and who was tested.

    Returns
    -------
    list of LeakageTest
        The random split, if it is one; units, recordings, further keys, shared rows, equal
        content, scaler.
    """
    return [
        *([_random(sides)] if isinstance(sides.split, RandomSplit) else []),
        _shared(sides, "unit", translated(term("unit")), sides.unit),
        _shared(sides, "recording", translated(term("recording")), sides.recording),
        *(_shared(sides, name, translated(name), key) for name, key in sides.keys.items()),
        _rows(sides),
        _content(sides),
        _scaler(sides),
    ]


def _random(sides: Sides) -> LeakageTest:
    """A random split: neighbours stand on both sides, whatever they are called."""
    tested = int((sides.judged_by >= 0).sum())
    return LeakageTest(
        name="neighbours",
        label=say("neighbours on both sides"),
        status="found",
        count=tested,
        sentence=say(
            "{tested} tested rows or windows were dealt at random: the figures flatter.",
            tested=tested,
        ),
    )


def _shared(sides: Sides, name: str, what: str, entity: NDArray[np.int64]) -> LeakageTest:
    """Whether the same unit, recording or key stands on both sides."""
    tested = int((sides.judged_by >= 0).sum())
    label = say("same {what} on both sides", what=what)
    if len(np.unique(entity)) == 1:
        return LeakageTest(
            name=name,
            label=label,
            status="not_tested",
            sentence=say("All data are of one {what}.", what=what),
        )
    found = sides.on_both_sides(entity)
    if not found:
        sentence = say(
            "No {what} that tests a model has taught it ({tested} tested).",
            what=what,
            tested=tested,
        )
        return LeakageTest(name=name, label=label, status="none", count=0, sentence=sentence)
    status, why = _meaning(sides, name, what)
    return LeakageTest(
        name=name,
        label=label,
        status=status,
        count=found,
        sentence=say(
            "{found} of {tested} tested rows or windows are of a {what} that taught: {why}.",
            found=found,
            tested=tested,
            what=what,
            why=why,
        ),
    )


def _meaning(sides: Sides, name: str, what: str) -> tuple[Status, str]:
    """Whether something shared is a leak under the split that was asked for."""
    split = sides.split
    if isinstance(split, TimeSplit):
        return "by_design", say(_LATER, what=what)
    if isinstance(split, SourceSplit) and name == "unit":
        return "by_design", say(_LATER, what=what)
    if isinstance(split, GroupSplit) and name in {"unit", "recording"} and split.by in sides.keys:
        return "by_design", say(
            "by design: each {by} was held out, not each {what}", by=split.by, what=what
        )
    if isinstance(split, RandomSplit):
        return "found", say("dealt at random, so the figures flatter")
    return "found", say("the split does not hold a {what} out, so the figures flatter", what=what)


def _rows(sides: Sides) -> LeakageTest:
    """Whether tested windows share rows with windows that taught."""
    found, tested = sides.overlapping(), int((sides.judged_by >= 0).sum())
    sentence = (
        say(
            "{found} of {tested} tested windows share rows with a window that taught.",
            found=found,
            tested=tested,
        )
        if found
        else say(
            "No tested window shares a row with one that taught ({tested} tested).",
            tested=tested,
        )
    )
    status = "found" if found else "none"
    label = say("same rows on both sides")
    return LeakageTest(name="rows", label=label, status=status, count=found, sentence=sentence)


def _content(sides: Sides) -> LeakageTest:
    """Whether tested rows are copies of rows that taught."""
    name, label = "copies", say("copies on both sides")
    if sides.content is None:
        return LeakageTest(
            name=name,
            label=label,
            status="not_tested",
            sentence=say("Windows of signals were not compared value by value."),
        )
    found, tested = sides.on_both_sides(sides.content), int((sides.judged_by >= 0).sum())
    sentence = (
        say(
            "{found} of {tested} tested rows are equal, value by value, to a row that taught.",
            found=found,
            tested=tested,
        )
        if found
        else say("No tested row is a copy of one that taught ({tested} tested).", tested=tested)
    )
    status = "found" if found else "none"
    return LeakageTest(name=name, label=label, status=status, count=found, sentence=sentence)


def _scaler(sides: Sides) -> LeakageTest:
    """Whether means and scales were computed from the rows that taught, and no others."""
    name, label = "scaler", say("means and scales from tested rows")
    if sides.scaler_rows is None:
        return LeakageTest(
            name=name,
            label=label,
            status="not_tested",
            sentence=say("The model keeps no count of the rows that its scales come from."),
        )
    models = [int(m) for m in np.unique(sides.judged_by[sides.judged_by >= 0])]
    wrong = [m for m in models if sides.scaler_rows[m] != int(sides.taught(m).sum())]
    if not wrong:
        sentence = say_count(
            "The model has its means and scales from the rows that taught it.",
            "Each of {n} models has its means and scales from the rows that taught it.",
            n=len(models),
        )
        return LeakageTest(name=name, label=label, status="none", count=0, sentence=sentence)
    first = wrong[0]
    return LeakageTest(
        name=name,
        label=label,
        status="found",
        count=len(wrong),
        sentence=say(
            "{wrong} of {models} models have scales from other rows than those that "
            "taught: model {first} from {scaler_rows} rows, taught by {taught}.",
            wrong=len(wrong),
            models=len(models),
            first=first,
            scaler_rows=int(sides.scaler_rows[first]),
            taught=int(sides.taught(first).sum()),
        ),
    )
