"""What an analysis declares, so that the verbs can run any of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from lumipipe.language import term
from lumipipe.partition import Span
from lumipipe.reporting.result import Asked
from lumipipe.uncertainty.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from lumipipe.backend import Array, Backend
    from lumipipe.comm import Comm
    from lumipipe.config import Request, Settings
    from lumipipe.families.decisions import Decisions
    from lumipipe.fold import Batch, Leaf, Leaves, Reducer
    from lumipipe.reporting.result import Comparison, Result
    from lumipipe.rules.tables import RuleTable
    from lumipipe.store.dataset import Dataset, RecordingRow, StreamTable
    from lumipipe.windows import WindowPlan

NOT_STATED = term("not stated")
"""What stands for words that a request leaves out."""
EventKind: TypeAlias = Literal["classes", "limits", "rows"] | None


@dataclass(frozen=True)
class Job:
    """What a family works on.

    Parameters
    ----------
    request : Request
        The request.
    train, score, asset : Settings
        The family's own sections of it.
    dataset : Dataset
        The prepared data.
    backend : Backend
        Where arrays live.
    rules : RuleTable or None
        Limits that ``score.rules`` names; None where the family has no such key, and in training.
    scores : Scores
        Takes all scores of sampled rows that set a threshold, so that those of sites can join.
    """

    request: Request
    train: Any
    score: Any
    asset: Any
    dataset: Dataset
    backend: Backend
    rules: RuleTable | None = None
    scores: Scores = field(default_factory=Scores)

    @property
    def seed(self) -> int:
        """Key of all random draws."""
        return self.request.evaluation.seed

    def known(self) -> list[dict[str, str]]:
        """What is known of each recording, by name: identity, unit, source, labels, attributes."""
        return [known_of(row) for row in self.dataset.recordings]


def asked(request: Request) -> Asked:
    """What was asked, in the words of the request."""
    return Asked(
        id=request.id,
        title=request.title,
        family=request.question.family,
        decision=request.question.decision,
        unit_of_decision=request.question.unit_of_decision,
        not_to_be_used_for=request.question.not_to_be_used_for,
        language=request.language,
        owner=request.rights.owner,
        baseline=request.evaluation.baseline and request.evaluation.baseline.words,
        approver=None if request.approver is None else str(request.approver),
    )


def recording_spans(stream: StreamTable) -> list[Span]:
    """Rows of each recording in a stream, gaps included."""
    return [
        Span(int(first), int(first + rows))
        for first, rows in zip(stream.first_row, stream.rows, strict=True)
    ]


def known_of(row: RecordingRow) -> dict[str, str]:
    """What is known of one recording, by name."""
    identity = {"recording": row.id, "unit": row.unit, "source": row.source}
    return {**row.attributes, **row.labels, **identity}


@dataclass(frozen=True)
class Block:
    """The rows of one chunk and the windows in them.

    Parameters
    ----------
    rows : array, shape (row, channel)
        Samples on the device.
    starts : ndarray of int64, shape (window,)
        First row of each window within `rows`.
    length : int
        Rows of a window.
    number : ndarray of int64, shape (window,)
        Number of each window in the whole dataset.
    recording : ndarray of int64, shape (window,)
        Number of the recording of each window.
    first_row : int
        Number in the stream of the first of `rows`.
    labels : dict of str to ndarray of int16, shape (row,)
        Code of each label of each row.
    time_ns : ndarray of int64, shape (row + 1,), or None
        Time of each row as `StreamTable.read_time` tells it, after that of the row before the
        first one, which is `NO_TIME` at the start of the stream; None unless the pass asks.
    """

    rows: Array
    starts: NDArray[np.int64]
    length: int
    number: NDArray[np.int64]
    recording: NDArray[np.int64]
    first_row: int
    labels: dict[str, NDArray[np.int16]]
    time_ns: NDArray[np.int64] | None = None

    def of(self, windows: NDArray[np.int64]) -> Block:
        """The same rows with some of the windows, given by their places here."""
        return replace(
            self,
            starts=self.starts[windows],
            number=self.number[windows],
            recording=self.recording[windows],
        )


@dataclass(frozen=True)
class Pass:
    """One fold over the data.

    Parameters
    ----------
    stream : StreamTable
        What is read.
    plan : WindowPlan
        Its windows and chunks.
    reducer : Reducer
        What is folded.
    measure : callable of Block
        Batches by leaf; the leaf's first part, the unit, is added by the fold.
    labels : tuple of str
        Labels of rows that are read along.
    times : bool
        Whether the times of rows are read along.
    """

    stream: StreamTable
    plan: WindowPlan
    reducer: Reducer
    measure: Callable[[Block], Mapping[Leaf, Batch]]
    labels: tuple[str, ...] = ()
    times: bool = False


@dataclass(frozen=True)
class Model:
    """What training leaves: named arrays and a card.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Parameters.
    card : dict
        What they mean: channels with units, rate, classes, settings; JSON values only.
    """

    arrays: dict[str, np.ndarray]
    card: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What scoring leaves.

    Parameters
    ----------
    result : Result
        The answer.
    tables : dict of str to dict of str to ndarray
        Columns of each table by name.
    facts : Any
        What the answer was made of, for `lumipipe.families.pages`; the family's own.
    compared : tuple of Comparison
        The answer held against what is had without it, from `lumipipe.families.baseline`.
    not_compared : str
        What it is not held against, and why; empty where nothing is to be said of that.
    decisions : Decisions or str
        What acting on a score led to, for `lumipipe.families.money`; or why nothing can be said.
    """

    result: Result
    tables: dict[str, dict[str, np.ndarray]]
    facts: Any = None
    compared: tuple[Comparison, ...] = ()
    not_compared: str = ""
    decisions: Decisions | str = ""


class Dealt(NamedTuple):
    """How the leaves of a pass are named after folds that groups are dealt to.

    Parameters
    ----------
    groups : tuple of str
        The group of each recording; empty where it takes no part.
    folds : dict of str to int
        The fold of each group.
    """

    groups: tuple[str, ...]
    folds: dict[str, int]


class Merging(NamedTuple):
    """What a family says of its leaves, so that they merge apart from the data.

    Parameters
    ----------
    dealt : dict of str to Dealt
        Passes whose leaves are ``(unit, fold, ...)`` with folds that depend on who else is there.
    common : dict of str to Any
        What all leaves rest on, such as classes: a unit that leaves may not change it, and sites
        agree in it. JSON values.
    passes : tuple of str
        Passes whose states a packet holds.
    labels : dict of str to list of str
        Labels of recordings that the fit asks for, with their values.
    alone : str
        Why states of sites do not add; empty where they do.
    anew : str
        Why nothing merges when a unit leaves; empty where it does.
    """

    dealt: dict[str, Dealt] = {}
    common: dict[str, Any] = {}
    passes: tuple[str, ...] = ()
    labels: dict[str, list[str]] = {}
    alone: str = ""
    anew: str = ""


class Family(Protocol):
    """An analysis from the parts that exist.

    One whose model answers new rows has a function ``scorer`` of job, model and leaves, as that of
    `judge` has them, which gives the part that does, or None where nothing was fitted.
    """

    name: str
    """Name in the registry and in ``question.family``."""
    title: str
    """What it does, in a few words."""
    train_section: type[Settings]
    """Settings of section ``train``."""
    score_section: type[Settings]
    """Settings of section ``score``."""
    asset_section: type[Settings]
    """Settings of section ``asset``."""
    groups: tuple[str, ...]
    """What a split may hold out together, beside what is known of recordings."""
    events: EventKind
    """What ``question.event`` may be: classes, limits of what is predicted, or nothing; the faulty
    rows of monitoring stand in ``score.event``."""

    def metrics(self, train: Any, score: Any) -> dict[str, str]:
        """Metrics by name, and the side on which they are good: ``>=`` or ``<=``."""
        ...

    def check(self, request: Request, train: Any, score: Any, asset: Any, place: str) -> None:
        """Raise InputError for what this family cannot answer, before any data are read."""
        ...

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """The folds that fit the model, each with a name."""
        ...

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The model; called on all ranks, the leaves of each fold are filled on rank 0."""
        ...

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """The folds that test the model, each with a name."""
        ...

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """The answer, from the scores; called on rank 0."""
        ...

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """How states of training merge apart from the data; `leaves` are those of training."""
        ...
