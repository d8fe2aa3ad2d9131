"""Carbon footprint: activity times factor, with the uncertainty of both and the scope stated.

Nothing is trained. The first pass looks at a column of filed emissions, where there is one, for
its resolution; the second adds up. Passes are in `carbon_folding`, totals and their budgets in
`carbon_totals`, what is said of the filed column in `carbon_filed`, the answer in
`carbon_report`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from lumipipe.config import Fraction, Identifier, PositiveFloat, Settings, Text
from lumipipe.families import carbon_report
from lumipipe.families.audited import Audited
from lumipipe.families.carbon_check import METRICS, check
from lumipipe.families.carbon_filed import fit_filed
from lumipipe.families.carbon_folding import filed_pass, totals_pass
from lumipipe.families.interface import Merging, Model
from lumipipe.language import message

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves


class Meter(Settings):
    """What measures activities; its error is the same in all its readings."""

    expanded: Annotated[float, Field(ge=0, lt=1)]
    """Expanded uncertainty of a reading, as a share of it, such as 0.01."""
    k: PositiveFloat
    """Coverage factor that `expanded` was multiplied with."""
    source: Text
    """Where the uncertainty is from: a certificate, a class of accuracy, an assumption."""


class Factor(Settings):
    """Emission for each unit of an activity."""

    value: PositiveFloat
    """The factor, in `unit`."""
    unit: Text
    """A mass for each unit of the activity, such as kg/kWh."""
    expanded: Annotated[float, Field(ge=0)]
    """Expanded uncertainty, in `unit`."""
    k: PositiveFloat
    """Coverage factor that `expanded` was multiplied with."""
    source: Text
    """Where value and uncertainty are from."""
    year: Annotated[int, Field(ge=1900, le=2200)]
    """Year that the factor is for."""
    scope: Literal[1, 2, 3]
    """Scope of the emission: 1 own, 2 bought energy, 3 others along the chain."""
    boundary: Text
    """What the factor covers and what not, such as losses of the grid."""
    checked_by: Text | None = None
    """Who compared the value with its source; the report says so where nobody has."""


class Activity(Settings):
    """What causes an emission."""

    channel: Text
    """Channel of its readings; the channel's resolution enters the budget."""
    kind: Literal["amount", "rate"]
    """Whether a reading is what the interval of its row took, or a rate during it."""
    meter: Identifier
    """What measures it: a key of `meters`."""
    factor: Identifier
    """What it emits: a key of `factors`."""


class Filed(Settings):
    """A column of emissions that somebody computed from an activity and filed."""

    channel: Text
    """Channel of the filed emissions, in a unit of mass."""
    activity: Identifier
    """What they were computed from: a key of `activities`."""


class Period(Settings):
    """The days that a total is for."""

    first: date
    """First day."""
    last: date
    """Last day, which belongs to the period."""

    @model_validator(mode="after")
    def _rises(self) -> Period:
        if self.last < self.first:
            raise ValueError("the period ends before it begins; give first and then last")
        return self


class Train(Settings):
    """What is added up."""

    stream: Identifier = "main"
    """Stream with the readings."""
    interval_s: PositiveFloat
    """Length of the interval of each row."""
    stamp: Literal["begins", "ends"]
    """Whether a time stamp begins or ends the interval of its row."""
    period: Period | None = None
    """Days that the total is for; from the first to the last row where absent."""
    meters: Annotated[dict[Identifier, Meter], Field(min_length=1)]
    """What measures."""
    factors: Annotated[dict[Identifier, Factor], Field(min_length=1)]
    """What is emitted."""
    activities: Annotated[dict[Identifier, Activity], Field(min_length=1)]
    """What causes emissions; the total is their sum."""
    filed: Filed | None = None
    """Filed emissions that the total is compared with."""
    rows_per_chunk: Annotated[int, Field(ge=1)] = 4096
    """Rows that are computed together; no byte of the answer depends on it."""


class Score(Settings):
    """What the total is shown by."""

    unit: Text = "kg"
    """Unit of mass of the answer."""
    gas: Text = "CO2e"
    """What the factors count."""
    by: list[Text] = []
    """Beside the total: by month, by unit (plant), or by a label."""
    largest_step: Fraction = 0.1
    """Step of the filed values, as a share of their mean, above which nothing is said about a
    single interval."""


class Asset(Audited):
    """What the footprint is of."""

    boundary: Text
    """What the total covers, and what it does not."""


class Carbon:
    """Activity times factor."""

    name = "carbon"
    title = message("carbon footprint from activities and factors")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = None

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse unknown channels, meters and factors, units that do not fit, and splits."""
        del asset
        check(request, train, score, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """The filed column, where there is one: its distinct values, beside the activity."""
        return {} if job.train.filed is None else {"filed": filed_pass(job)}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """What the filed column looks like; rank 0 looks, for states are small."""
        if comm.rank:
            return Model({}, {})
        found = {} if job.train.filed is None else fit_filed(job, leaves["filed"])
        return Model({}, {"family": self.name, "filed": found})

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Units leave; sites do not join."""
        del job, leaves
        return Merging(alone="nothing is learnt; totals are sums that sites can add by themselves")

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Sums of all activities by month, unit and label, and rows that are out of step."""
        return {"totals": totals_pass(job, model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """The total with its budget, and what the filed column can and cannot say."""
        return carbon_report.judge(job, model, leaves["totals"])
