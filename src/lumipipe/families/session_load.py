"""Training load of sessions: zones, mean-maximal curve, critical power, load, decoupling.

Windows are whole sessions, leaves are sessions, and what is said of a person is a merge of their
leaves. Passes are in `session_measures`, what is learnt in `session_model`, figures of persons in
`session_persons`, uncertainty in `session_uncertainty`, the answer in `session_load_report`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from lumipipe.config import Fraction, Identifier, PositiveFloat, Settings, Text
from lumipipe.families import session_load_report
from lumipipe.families.interface import Merging, Model
from lumipipe.families.session_load_check import METRICS, check
from lumipipe.families.session_measures import curve_pass, sessions_pass
from lumipipe.families.session_model import fit_sessions
from lumipipe.language import message, term

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves

MeasureName: TypeAlias = Literal["power", "speed", "heart_rate"]
ThresholdKind: TypeAlias = Literal[
    "threshold_power",
    "critical_power",
    "w_prime",
    "threshold_speed",
    "max_heart_rate",
    "resting_heart_rate",
]
_DURATIONS = (5, 10, 30, 60, 120, 180, 300, 480, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200)


class Measure(Settings):
    """A channel and what of it is credible."""

    channel: Text
    """Channel of the readings; for speed one of distance may stand, too."""
    most: PositiveFloat | None = None
    """Largest credible value, in W, m/s or 1/min; what is above is no reading."""


class HeartRateModel(Settings):
    """Heart rate from power or speed, learnt from a person's other sessions."""

    lags_s: Annotated[list[PositiveFloat], Field(min_length=1, max_length=6)] = [15.0, 60.0, 240.0]
    """Time constants of the exponential averages of the effort that it is told from."""
    every_s: Annotated[int, Field(ge=1)] = 10
    """Seconds from one row that teaches to the next."""
    penalty: PositiveFloat = 1.0
    """Penalty on coefficients of standardised inputs; that of ridge regression."""
    least_s: PositiveFloat = 600.0
    """Seconds with both readings that a session needs to take part."""


class Train(Settings):
    """What sessions are measured by."""

    stream: Identifier = "main"
    """Stream with the readings."""
    power: Measure | None = None
    """Mechanical power; 0 is a reading."""
    speed: Measure | None = None
    """Speed, or the distance that it is told from; 0 is a reading."""
    heart_rate: Measure | None = None
    """Heart rate; 0 is no reading."""
    longest_hold_s: PositiveFloat = 5.0
    """Longest time that a reading stands for; a longer step is a gap, and is not filled."""
    durations_s: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = [*_DURATIONS]
    """Durations of the mean-maximal curve, in whole seconds."""
    heart_rate_model: HeartRateModel | None = None
    """Heart rate from the effort; none where absent."""
    recordings_per_chunk: Annotated[int, Field(ge=1)] = 8
    """Sessions that are computed together; no byte of the answer depends on it."""

    @model_validator(mode="after")
    def _something(self) -> Train:
        if self.power is None and self.speed is None and self.heart_rate is None:
            raise ValueError("there is nothing to measure; give power, speed or heart_rate")
        return self

    @field_validator("durations_s")
    @classmethod
    def _rise(cls, value: list[int]) -> list[int]:
        if value != sorted(set(value)):
            raise ValueError("durations do not rise; write each once, the shortest first")
        return value


class Zones(Settings):
    """Zones of one measure."""

    edges: Annotated[list[PositiveFloat], Field(min_length=1, max_length=11)]
    """Lower ends of all zones but the first, in W, m/s or 1/min, or as shares of `of`."""
    of: ThresholdKind | None = None
    """Kind of the threshold that the edges are shares of."""
    source: Text
    """Where the edges are from: a test, a book, an agreement."""

    @field_validator("edges")
    @classmethod
    def _rise(cls, value: list[float]) -> list[float]:
        if value != sorted(set(value)):
            raise ValueError("edges do not rise; write each once, the lowest first")
        return value


class Load(Settings):
    """The load of a session, and its averages from day to day."""

    kind: Literal["work", "relative_power", "heart_rate"]
    """`work` in kJ; `relative_power`: hours times the square of weighted power over
    threshold_power, times 100; `heart_rate`: minutes times reserve times
    ``factor exp(exponent reserve)``, the training impulse."""
    factor: PositiveFloat | None = None
    """Of the training impulse."""
    exponent: PositiveFloat | None = None
    """Of the training impulse."""
    source: Text
    """Where the formula and its numbers are from."""
    fitness_days: PositiveFloat = 42.0
    """Time constant of the slow average, days."""
    fatigue_days: PositiveFloat = 7.0
    """Time constant of the fast average, days."""
    days_source: Text = term(
        "a convention of the field, after Banister, Calvert, Savage and Bach 1975"
    )
    """Where the two time constants are from."""
    longest_rest_days: Annotated[int, Field(ge=0)] = 2
    """Days in a row without a session that are taken for rest; more of them are missing."""

    @model_validator(mode="after")
    def _impulse(self) -> Load:
        given = self.factor is not None and self.exponent is not None
        if (self.kind == "heart_rate") != given:
            raise ValueError("factor and exponent belong to kind heart_rate; give both or none")
        return self


class Decoupling(Settings):
    """The change of effort over heart rate from the first to the second half of a session."""

    skip_s: Annotated[float, Field(ge=0)] = 600.0
    """Seconds at the start that are not looked at."""
    least_s: PositiveFloat = 1200.0
    """Seconds with both readings that are needed after that."""
    most_variation: Annotated[float, Field(gt=1)] = 1.1
    """Weighted over plain mean of the effort above which it is called unsteady, and not judged."""


class Score(Settings):
    """What sessions are shown by."""

    zones: dict[MeasureName, Zones] = {}
    """Zones of each measure; none where absent."""
    load: Load | None = None
    """Load of sessions; none where absent."""
    decoupling: Decoupling | None = None
    """Decoupling; none where absent."""
    compare_s: Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=4)] = [300, 1200]
    """Durations whose best mean is followed from session to session."""
    confidence: Fraction = 0.95
    """Confidence of intervals and of smallest detectable changes."""


class Accuracy(Settings):
    """What all readings of a sensor share: the error of its calibration."""

    expanded: Annotated[float, Field(ge=0, lt=1)]
    """Expanded uncertainty as a share of the reading."""
    k: PositiveFloat
    """Coverage factor that it was multiplied with."""
    source: Text
    """A certificate or a specification."""


class Repeatability(Settings):
    """How much a mean differs from session to session when nothing has changed."""

    share: PositiveFloat
    """Standard deviation of one session, as a share of the value."""
    degrees_of_freedom: PositiveFloat | None = None
    """What it rests on; none for a specification."""
    source: Text
    """Repeat tests or a specification."""


class Sensor(Settings):
    """What measured, from a day on, until another one of its measure did."""

    id: Identifier
    """Name of the sensor."""
    measure: MeasureName
    """What it measures."""
    model: Text
    """Maker and model."""
    firmware: Text
    """Version of its firmware."""
    persons: list[Text] | None = None
    """Who used it; all where absent."""
    since: dt.date | None = None
    """First day of its use; always where absent."""
    accuracy: Accuracy | None = None
    """Error that its readings share; *not characterised* where absent."""
    repeatability: Repeatability | None = None
    """Spread between sessions; *not characterised* where absent."""


class Threshold(Settings):
    """What a test found of a person; it holds from its day on, until the next of its kind."""

    person: Text
    """The unit of the recordings."""
    kind: ThresholdKind
    """What it is of."""
    value: PositiveFloat
    """In W, J, m/s or 1/min."""
    date: dt.date
    """Day of the test."""
    test: Text
    """What the test was."""


class Effort(Settings):
    """An effort to exhaustion, or against the clock with nothing kept back."""

    recording: Text
    """The session that it is in."""
    duration_s: Annotated[int, Field(ge=60, le=3600)]
    """How long it lasted; the best mean of that length is taken for it."""


class Asset(Settings):
    """What is known of sport, sensors and persons."""

    sport: Text
    """The sport, in words."""
    page_for: Text
    """Who may see the report."""
    sensors: list[Sensor] = []
    """What measured."""
    thresholds: list[Threshold] = []
    """What tests found; nothing is estimated in their place."""
    maximal_efforts: list[Effort] = []
    """Efforts that critical power may be told from."""


class SessionLoad:
    """Sessions of endurance sport."""

    name = "session_load"
    title = message("training load and power-duration of sessions")
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
        """Refuse unknown channels, wrong quantities, splits, and thresholds of nobody."""
        check(request, train, score, asset, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Mean-maximal curves of sessions, and what heart rate is told from."""
        return {"curves": curve_pass(job)}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """Critical power of each person, and heart rate of each session from the others."""
        return fit_sessions(job, leaves["curves"]) if comm.rank == 0 else Model({}, {})

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Persons leave; sites do not join."""
        del job, leaves
        return Merging(alone="each person has a model of their own")

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Times in zones and the figures of each session."""
        return {"sessions": sessions_pass(job, model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """What the sessions say of each person, and what they cannot say."""
        return session_load_report.judge(job, model, leaves["sessions"])
