"""How long a machine will last: an interval for each unit, learnt from runs to failure.

The regression is `lumipipe.families.regression` with whole units held out, the clock
`lumipipe.families.life_clock`, the intervals `lumipipe.families.life_intervals`, the answer
`lumipipe.families.remaining_life_report`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from lumipipe.config import GroupSplit, PositiveFloat, Settings, SourceSplit, Text
from lumipipe.errors import InputError
from lumipipe.families import remaining_life_report, verdicts
from lumipipe.families.bundled import BY_PREDICTION, regression_scorer
from lumipipe.families.interface import Merging, Model
from lumipipe.families.life_clock import Life, LifeClock
from lumipipe.families.life_indicators import indicator_pass
from lumipipe.families.life_intervals import regime_of, unit_half_widths
from lumipipe.families.regression import Regression
from lumipipe.families.regression_settings import (
    FEWEST_FOLDS,
    RegressionSettings,
    check_regression,
)
from lumipipe.families.remaining_life_report import METRICS, WITH_UNIT
from lumipipe.language import message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves
    from lumipipe.uncertainty.scores import Scores

INDICATORS = "indicators"
"""Name of the fold of the indicators; those of windows are called by their rows."""


class Train(RegressionSettings):
    """How the remaining life is learnt."""

    life: Life
    """What a life is counted in."""
    cap: PositiveFloat
    """Remaining life above which lives are not told apart, in the unit of `life`."""
    remaining: Text | None = None
    """Label with the life that remains after the last row of units taken away before their end;
    units that teach and have none ran to failure."""
    shorter_windows: list[Annotated[int, Field(ge=1)]] = []
    """Rows of windows for histories that do not fill `window_rows`, falling; each has a model and
    intervals of its own."""
    edges: list[PositiveFloat] = []
    """Predicted lives between which intervals have a width of their own; thirds of the cap where
    empty."""
    watched: list[Text] = []
    """Channels that the guard watches beside the inputs, such as settings of operation."""
    indicators: Annotated[dict[str, dict[str, Any]], Field(min_length=1)] = {"polynomial": {}}
    """Features that are ranked as health indicators, each with its own settings."""
    indicator_rows: Annotated[int, Field(ge=1)] = 1
    """Rows of the windows of indicators, side by side."""

    @model_validator(mode="after")
    def _in_order(self) -> Train:
        if any(a <= b for a, b in pairwise(self.windows)):
            raise ValueError("shorter_windows do not fall from window_rows on; sort them")
        if any(a >= b for a, b in pairwise([*self.edges, self.cap])):
            raise ValueError("the edges do not rise up to the cap; sort them")
        return self

    @property
    def windows(self) -> list[int]:
        """Rows of all windows, the longest first."""
        return [self.window_rows, *self.shorter_windows]

    @property
    def regime_edges(self) -> list[float]:
        """Predicted lives between which intervals have a width of their own."""
        return self.edges or [self.cap / 3, 2 * self.cap / 3]


class Score(Settings):
    """What the report shows."""

    shown: Annotated[int, Field(ge=1)] = 25
    """Indicators that are shown."""


class Asset(Settings):
    """What the units are; nothing is needed."""


class RemainingLife:
    """Remaining life as an interval."""

    name = "remaining_life"
    title = message("remaining life with intervals by unit")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "limits"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse splits that hold no unit out, and settings that mean nothing here."""
        del score, asset
        check_regression(request, train, (), place)
        split = request.evaluation.split
        if not isinstance(split, SourceSplit) and not (
            isinstance(split, GroupSplit) and split.by == "unit"
        ):
            raise InputError(
                place,
                f"evaluation.split.kind {split.kind} does not hold units out",
                "use {kind: source, train: [...]} or {kind: group, by: unit}",
            )
        if isinstance(split, SourceSplit) and split.calibrate:
            raise InputError(
                place,
                "evaluation.split.calibrate: each unit that teaches calibrates while it is held "
                "out",
                "name these sources under train",
            )
        for name, is_wrong in (
            ("regimes", train.regimes is not None),
            ("fold_by", train.fold_by not in {None, "unit"}),
        ):
            if is_wrong:
                raise InputError(place, f"train.{name} is not for remaining lives", "leave it out")
        _check_life(request, train, place)
        verdicts.check_conditions(request.evaluation.metrics, METRICS, place, WITH_UNIT)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """One pass for each length of windows; none where no unit can be held out."""
        return {name: part.train_pass() for name, part in regressions(job).items()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models of all folds, for each length of windows."""
        arrays: dict[str, np.ndarray] = {}
        cards: dict[str, Any] = {}
        for name, part in regressions(job).items():
            fitted = part.fit(leaves[name], comm)
            arrays |= {f"{name}/{key}": array for key, array in fitted.arrays.items()}
            cards[name] = fitted.card
        return Model(arrays, {"family": self.name, "windows": cards})

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Nothing merges."""
        del job, leaves
        return Merging(
            alone="intervals need the life of each row, in its order, which no sum tells",
            anew="instants that calibrate are drawn by their rows' numbers in the whole data",
        )

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each row by the model that has not seen its unit, and the lives of the indicators."""
        return {
            INDICATORS: indicator_pass(job, clock_of(job)),
            **{
                name: part.score_pass(remaining_life_report.window_model(model, name))
                for name, part in regressions(job).items()
            },
        }

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """An interval for each unit, or why there is none."""
        return remaining_life_report.judge(
            job, model, leaves, clock_of(job), regressions(job), INDICATORS
        )

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model | None:
        """What answers new histories that fill the longest window; None where nothing was fitted.

        Its intervals are those of training, by predicted life.
        """
        del leaves
        for name, part in regressions(job).items():
            own = remaining_life_report.window_model(model, name)
            target = (part.targets[0], job.train.life.unit)
            regimes = {"by": BY_PREDICTION, "edges": list(job.train.regime_edges)}
            half_width = own.arrays["final_threshold"][None, :]
            return regression_scorer(part, own, half_width, [target], regimes)
        return None


def _check_life(request: Request, train: Train, place: str) -> None:
    """Refuse unknown labels and channels, and lives by recording without their order."""
    mine = [source for source in request.data if source.stream == train.stream]
    labels = sorted({name for source in mine for name in source.labels})
    if train.remaining is not None and train.remaining not in labels:
        raise InputError(
            place,
            f"train.remaining: no label {train.remaining}",
            f"use {', '.join(labels)}" if labels else "declare it under labels of the source",
        )
    channels = [channel.name for channel in mine[0].channels]
    for name in train.watched:
        if name not in channels:
            raise InputError(place, f"train.watched: no channel {name}", f"use {channels}")
    if train.life.per == "recording" and train.life.order is None:
        raise InputError(
            place,
            "train.life.per recording needs the order of recordings",
            "name in train.life.order a group of recordings.pattern that numbers them",
        )
    if train.life.per == "recording" and train.shorter_windows:
        raise InputError(
            place,
            "train.shorter_windows are for lives by rows",
            "leave them out: each recording is a window, or several",
        )


def clock_of(job: Job) -> LifeClock:
    """The clock of a request."""
    stream = job.dataset.streams[job.train.stream]
    clock = LifeClock(job, stream, job.train.life, job.train.remaining)
    clock.check()
    return clock


def regressions(job: Job) -> dict[str, Regression]:
    """The regression of each length of windows; none where too few units can be held out."""
    clock = clock_of(job)
    if int(clock.trains.sum()) < FEWEST_FOLDS:
        return {}
    longer = [None, *job.train.windows]
    return {
        f"{rows} rows": _regression(
            replace(job, scores=job.scores.below(f"{rows} rows")), clock, rows, limit
        )
        for rows, limit in zip(job.train.windows, longer, strict=False)
    }


def _regression(job: Job, clock: LifeClock, rows: int, limit: int | None) -> Regression:
    """The regression on windows of `rows` rows, for histories shorter than `limit`."""
    train: Train = job.train
    coverage = float(job.request.evaluation.interval.coverage)
    settings = train.model_copy(update={"window_rows": rows, "fold_by": "unit"})

    def last_row(block: Block) -> NDArray[np.int64]:
        return np.asarray(block.first_row + block.starts + (block.length - 1), dtype=np.int64)

    def truth(block: Block) -> NDArray[np.float64]:
        return np.minimum(clock.remaining(last_row(block)), float(train.cap))[:, None]

    def thresholds(
        scores: Scores, residual: NDArray[np.float64], number: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        del scores  # each is that of one machine, at an instant that its number draws
        predicted = np.minimum(clock.remaining(number), train.cap) - residual[:, 0]
        counts = limit is None or clock.history(number) < limit
        return unit_half_widths(
            np.where(counts, residual[:, 0], np.nan),
            regime_of(predicted, train.regime_edges),
            clock.unit(number),
            number,
            len(train.regime_edges) + 1,
            coverage,
            job.seed,
        )

    return Regression(
        job,
        settings,
        ("remaining life",),
        truth=truth,
        thresholds=thresholds,
        numbered=True,
        watched=tuple(train.watched),
        least=0.0,
        greatest=train.cap,
    )
