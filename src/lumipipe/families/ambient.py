"""An air sensor beside a reference: calibrated on a first span, then left alone and watched.

The regression is `lumipipe.families.regression`, periods and expiry are
`lumipipe.families.ambient_periods`, the answer `lumipipe.families.ambient_report`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from lumipipe.config import Order, PositiveFloat, Settings, Text, TimeSplit
from lumipipe.errors import InputError
from lumipipe.families import ambient_report, verdicts
from lumipipe.families.ambient_metrics import METRICS
from lumipipe.families.ambient_watch import READING
from lumipipe.families.audited import Audited
from lumipipe.families.bundled import scorer_of
from lumipipe.families.interface import Merging
from lumipipe.families.regression import Regression
from lumipipe.families.regression_scores import WITH_UNIT
from lumipipe.families.regression_settings import RegressionSettings, check_regression
from lumipipe.language import message
from lumipipe.uncertainty.blocks import FEWEST_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Model, Outcome, Pass
    from lumipipe.fold import Leaves

_PASS = "rows"  # noqa: S105  # the name of the fold, no password
_NS = 1e9
_DAY_S = 86_400.0


class Asset(Audited):
    """What is known of the place and of the reference."""

    station: str = "not stated"
    """Where the sensor stands beside the reference."""
    pollutant: str | None = None
    """What is measured, in words; the target's name where absent."""
    reference_conditions: str = "not stated"
    """Temperature and pressure that concentrations are referred to."""

    reference_u: PositiveFloat | None = None
    """Standard uncertainty of one reading of the reference, in its unit; not characterised where
    absent."""


class Train(RegressionSettings):
    """How the sensor is calibrated."""

    target: Text
    """Channel of the reference."""
    sensor: Text
    """Channel of the sensor; the other inputs, such as temperature, correct it."""


class Score(Settings):
    """When a calibration has expired."""

    period_s: PositiveFloat = 28 * _DAY_S
    """Length of the periods that are judged, counted from the end of the calibration."""
    block_s: PositiveFloat = 4 * _DAY_S
    """Rows within this time are taken as hanging together; longer than a spell of weather."""
    largest_bias: PositiveFloat | None = None
    """Largest accepted bias of a period, in the unit of the reference."""
    relative_uncertainty: PositiveFloat | None = None
    """Largest accepted relative expanded uncertainty (k = 2) of a period, as a share of `level`."""
    level: PositiveFloat | None = None
    """Value at which relative uncertainties are stated, such as a limit value; in the unit of the
    reference."""
    rules: Annotated[str, Field(min_length=1)] = "ambient"
    """Table of the objectives of a class: a name, or the path of a file."""

    @model_validator(mode="after")
    def _has_a_band(self) -> Score:
        if self.largest_bias is None and self.relative_uncertainty is None:
            raise ValueError(
                "nothing says when a calibration has expired; give largest_bias or "
                "relative_uncertainty"
            )
        if self.relative_uncertainty is not None and self.level is None:
            raise ValueError("relative_uncertainty is a share of a value; give level")
        if self.period_s < FEWEST_BLOCKS * self.block_s:
            raise ValueError(
                f"a period has fewer than {FEWEST_BLOCKS} blocks; lengthen period_s, or shorten "
                "block_s if the errors are independent after so short a time"
            )
        return self


class Ambient:
    """A sensor of ambient air against a reference."""

    name = "ambient"
    title = message("sensor against reference in ambient air")
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
        """Refuse other splits than by time, rows without time, and calibrations without sensor."""
        del asset
        check_regression(request, train, (train.target,), place)
        if not isinstance(request.evaluation.split, TimeSplit):
            raise InputError(
                place,
                f"evaluation.split.kind {request.evaluation.split.kind} shows no drift",
                "use {kind: time, train_first_s: ...} or train_until: calibrate first, then leave "
                "alone",
            )
        sources = [source for source in request.data if source.stream == train.stream]
        if any(isinstance(source.time, Order) for source in sources):
            raise InputError(
                place, f"source {sources[0].id} has no time", "name its column with time stamps"
            )
        channels = [channel.name for channel in sources[0].channels]
        if train.sensor not in (train.inputs or set(channels) - {train.target}):
            raise InputError(place, f"train.sensor: {train.sensor} is no input", "name an input")
        if train.window_rows != 1:
            raise InputError(place, "train.window_rows is above 1", "give averages as rows")
        verdicts.check_conditions(request.evaluation.metrics, METRICS, place, WITH_UNIT)
        del score

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """One pass over the rows of the calibration.

        Raises
        ------
        InputError
            If there are several recordings: a calibration belongs to one sensor.
        """
        if len(job.dataset.recordings) > 1:
            raise InputError(
                "data",
                f"there are {len(job.dataset.recordings)} recordings, and a calibration is of one",
                "write one request for each sensor; join the files of one sensor first",
            )
        return {_PASS: regression(job).train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The calibration, and those without each block of it."""
        return regression(job).fit(leaves[_PASS], comm)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Nothing: a calibration is of one sensor."""
        del job, leaves
        return Merging(alone="a calibration belongs to one sensor")

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each row calibrated, with its time."""
        return {_PASS: replace(regression(job).score_pass(model), times=True)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Bias, spread and capture by period, and since when the calibration has expired."""
        return ambient_report.judge(job, model, leaves[_PASS], regression(job))

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model:
        """What answers new rows without the data."""
        return scorer_of(regression(job), model, leaves[_PASS])


def regression(job: Job) -> Regression:
    """The regression of a request; scored rows have all channels and the time beside them."""

    def reading(name: str) -> Callable[[Block], NDArray[np.float64]]:
        return lambda block: found.values(block, (name,))[:, 0]

    def time(block: Block) -> NDArray[np.float64]:
        """Seconds; the time of a block begins with that of the row before."""
        if block.time_ns is None:
            raise TypeError("the pass did not ask for times")
        stamps: NDArray[np.float64] = block.time_ns[1 + block.starts] / _NS
        return stamps

    names = [channel.name for channel in job.dataset.streams[job.train.stream].channels]
    extra = {READING + name: reading(name) for name in names}
    found = Regression(job, job.train, (job.train.target,), extra={"time": time, **extra})
    return found
