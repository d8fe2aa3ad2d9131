"""Heart rate variability in the time domain, with what was excluded and how sure a figure is.

Nothing is trained. What becomes of an interval is in `hrv_folding`, figures and their intervals
in `hrv_figures`, changes between recordings of a person in `hrv_change`, the answer in
`hrv_report`. Nothing is said about health, and no frequency is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from lumipipe.config import Fraction, Identifier, PositiveFloat, Settings, Text
from lumipipe.families import hrv_report
from lumipipe.families.hrv_check import METRICS, check
from lumipipe.families.hrv_folding import blocks_pass, histogram_pass
from lumipipe.families.interface import NOT_STATED, Merging, Model
from lumipipe.language import message, term

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves

_MOST_MS = 3000.0  # 20 a minute; sums stay exact up to here


class Normal(Settings):
    """Annotations of beats, where a file has them: intervals count between two normal beats."""

    label: Identifier
    """Label of each row that says what the beat at the end of the interval was."""
    values: Annotated[list[Text], Field(min_length=1)]
    """Names of normal beats, such as N."""


class Artefacts(Settings):
    """What is excluded where nobody has annotated the beats; nothing is put in its place."""

    shortest_ms: PositiveFloat = 250.0
    """Shortest credible interval; 250 ms are 240 beats a minute."""
    longest_ms: Annotated[float, Field(gt=0, le=_MOST_MS)] = 2000.0
    """Longest credible interval; 2000 ms are 30 beats a minute."""
    jump: Fraction = 0.2
    """Largest distance from the median of the neighbours, as a share of it. Karlsson et al.,
    BioMedical Engineering OnLine 11 (2012) 2, tried limits from 0.1 to 0.5 around a mean; which
    is right depends on the person, above all on age."""
    neighbours: Annotated[int, Field(ge=1, le=50)] = 5
    """Intervals on each side that the median is of, without crossing a break."""

    @model_validator(mode="after")
    def _rises(self) -> Artefacts:
        if self.shortest_ms >= self.longest_ms:
            raise ValueError("the limits do not rise; give shortest_ms below longest_ms")
        return self


class Train(Settings):
    """Which intervals count, and what they are added up over."""

    stream: Identifier = "main"
    """Stream with the intervals, one a row."""
    channel: Text = "rr"
    """Channel of the interval that ends with the beat of its row."""
    normal: Normal | None = None
    """Annotations, in the sources that have them; the rule of jumps is not applied there."""
    edited: list[Identifier] = []
    """Sources whose intervals were edited before: only the credible range is looked at."""
    artefacts: Artefacts = Artefacts()
    window_s: PositiveFloat = 300.0
    """Length of a window; figures of windows of one length can be compared."""
    block_s: PositiveFloat = 60.0
    """Length of a block; a whole number of them is a window. Intervals of figures come from the
    spread between blocks, so what lasts much longer than a block is not in them."""
    rows_per_chunk: Annotated[int, Field(ge=1)] = 4096
    """Rows that are computed together; no byte of the answer depends on it."""

    @model_validator(mode="after")
    def _whole(self) -> Train:
        blocks = self.window_s / self.block_s
        if blocks < 1 or abs(blocks - round(blocks)) > 1e-9:  # noqa: PLR2004 - rounding of a ratio
            raise ValueError("window_s is no whole number of block_s; give 300 and 60, for example")
        return self


class Declared(Settings):
    """A typical error from elsewhere."""

    kind: Literal["declared"]
    percent: Annotated[
        dict[Literal["rmssd", "sdnn", "mean_nn"], PositiveFloat], Field(min_length=1)
    ]
    """Standard deviation of repeats, per cent of the figure, between which nothing had changed."""
    source: Text
    """Who found it, with which recorder, and what the repeats were."""


class Repeats(Settings):
    """A typical error from recordings that the request calls repeats."""

    kind: Literal["repeats"]
    label: Identifier
    """Label of the recordings."""
    values: Annotated[list[Text], Field(min_length=1)]
    """Its values under which nothing had changed for the person."""


class Windows(Settings):
    """A typical error from windows of one recording: too small for changes between days."""

    kind: Literal["windows"]


class Score(Settings):
    """When a recording is refused, and how recordings are compared."""

    most_artefacts: Fraction = 0.05
    """Share of the intervals that may be excluded; recordings with more are refused. The default
    is a habit, not the limit of a standard."""
    least_covered: Fraction = 0.9
    """Share of a window that its normal intervals must fill; other windows are not compared."""
    compared_windows: Annotated[int, Field(ge=1)] = 1
    """Recordings are compared by the mean over so many of their first full windows."""
    typical_error: Annotated[Declared | Repeats | Windows | None, Field(discriminator="kind")] = (
        None
    )
    """Where it is known from how far repeats are apart when nothing has changed; a change is not
    judged where absent."""


class Recorder(Settings):
    """What is known of what recorded a source."""

    resolution_ms: PositiveFloat
    """Step of the times of beats: 1 for most straps and watches, 2.778 for 360 samples a second."""
    sensor: Text = term("not characterised")
    """What is known of its errors, and from where."""


class Asset(Settings):
    """Whose hearts these are."""

    seen_by: Text
    """Who may see the page, such as the athlete and the coach; it is printed on it."""
    protocol: Text = NOT_STATED
    """Posture, breathing, time of day, what went before."""
    recorders: dict[Identifier, Recorder] = {}
    """Source to what recorded it."""


class Hrv:
    """Variability of the heart rate in the time domain."""

    name = "hrv"
    title = message("heart rate variability in the time domain")
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
        """Refuse unknown channels, labels and sources, rows without time, splits and grids."""
        check(request, train, score, asset, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """None: nothing is learnt."""
        del job
        return {}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """An empty model."""
        del job, leaves
        return Model({}, {} if comm.rank else {"family": self.name})

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Persons leave; sites do not join."""
        del job, leaves
        return Merging(alone="nothing is learnt; figures are those of single recordings")

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Sums over the blocks of each recording, and a histogram of each."""
        del model
        return {"blocks": blocks_pass(job), "histogram": histogram_pass(job)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Figures of each recording with their intervals, refusals, and changes of persons."""
        del model
        return hrv_report.judge(job, leaves["blocks"], leaves["histogram"])
