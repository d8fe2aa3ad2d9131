"""Esports and exergaming: actions per minute, latencies and time in zones, by game and person.

Nothing is trained; only the question who wins by what was played early looks from game to game,
each held out. Passes are in `esports_folding`, numbers by recording and person in
`esports_numbers`, the winner in `esports_winner`, the answer in `esports_report`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from lumipipe.config import Identifier, PositiveFloat, Settings, Text
from lumipipe.families import esports_report
from lumipipe.families.esports_check import check, known_metrics
from lumipipe.families.esports_folding import passes
from lumipipe.families.interface import Merging, Model
from lumipipe.language import message, term

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves

NOT_CHARACTERISED = term("not characterised")


class Latency(Settings):
    """A time from an event to the first that answers it."""

    begins: Annotated[list[Identifier], Field(min_length=1)]
    """Classes of events that begin an episode; it ends where the next one begins."""
    answered_by: Annotated[list[Identifier], Field(min_length=1)]
    """Classes of events of which the first one answers it."""
    still_s: Annotated[float, Field(ge=0)] = 0.0
    """Shortest episode that counts: the next one must not begin sooner."""
    least_s: PositiveFloat = 0.01
    """Latency below which none are told apart."""
    greatest_s: PositiveFloat = 1000.0
    """Latency above which none are told apart."""
    meaning: Text
    """What the latency is, and what it is not."""
    source: Text = NOT_CHARACTERISED
    """Where the definition is from."""

    @model_validator(mode="after")
    def _either(self) -> Latency:
        if both := sorted(set(self.begins) & set(self.answered_by)):
            raise ValueError(f"{both[0]} both begins and answers; take it out of one of the two")
        if not self.least_s < self.greatest_s:
            raise ValueError("greatest_s is not above least_s; give a range")
        return self


class Events(Settings):
    """A stream with a row for each event."""

    stream: Identifier = "main"
    """Stream of the events."""
    channel: Text = "kind"
    """Channel with the number of the kind of each event."""
    classes: Annotated[dict[Identifier, list[int]], Field(min_length=1)]
    """Name of a class to the kinds that are of it; other kinds are of none."""
    actions: Annotated[list[Identifier], Field(min_length=1)]
    """Classes that are actions."""
    meaning: Text
    """What an action is, in words, and where this definition is from."""
    block_s: PositiveFloat = 60.0
    """Length of the stretches of time by which actions are counted."""
    latencies: dict[Identifier, Latency] = {}
    """Times from one event to another, each with a name."""
    rows_per_chunk: Annotated[int, Field(ge=1)] = 4096
    """Rows that are computed together; no byte of the answer depends on it."""

    @model_validator(mode="after")
    def _distinct(self) -> Events:
        kinds = [kind for found in self.classes.values() for kind in found]
        if twice := [kind for kind in kinds if kinds.count(kind) > 1]:
            raise ValueError(f"kind {twice[0]} is of two classes; name it once")
        return self


class Zones(Settings):
    """Zones of a reading, such as a heart rate."""

    channel: Text
    """Channel with the readings."""
    bounds: Annotated[list[float], Field(min_length=1)]
    """Bounds between zones, rising, in the unit in which the channel is stored; a reading on a
    bound is in the zone above it."""
    names: list[Text] = []
    """Names of the zones, one more than there are bounds; told by the bounds where empty."""
    source: Text = NOT_CHARACTERISED
    """Where the bounds are from, such as a test of this person. Without it, times stand in bins
    and nothing is said of intensity."""

    @model_validator(mode="after")
    def _rises(self) -> Zones:
        if any(a >= b for a, b in pairwise(self.bounds)):
            raise ValueError("the bounds do not rise; sort them")
        if self.names and len(self.names) != len(self.bounds) + 1:
            raise ValueError(f"{len(self.names)} names for {len(self.bounds) + 1} zones")
        return self

    @property
    def is_characterised(self) -> bool:
        """Whether the bounds mean something for the person."""
        return self.source != NOT_CHARACTERISED


class Intensity(Settings):
    """A stream of readings whose time in zones is summed."""

    stream: Identifier = "main"
    """Stream of the readings."""
    zones: Annotated[dict[Identifier, Zones], Field(min_length=1)]
    """Zones of each reading, each with a name."""
    longest_step_s: PositiveFloat = 5.0
    """Longest time for which a reading holds until the next; a longer one counts as unknown."""
    rows_per_chunk: Annotated[int, Field(ge=1)] = 65536
    """Rows that are computed together; no byte of the answer depends on it."""


class Train(Settings):
    """What is counted; one of the two at least."""

    events: Events | None = None
    """A stream of events."""
    intensity: Intensity | None = None
    """A stream of readings."""

    @model_validator(mode="after")
    def _something(self) -> Train:
        if self.events is None and self.intensity is None:
            raise ValueError("nothing is asked for; give events, intensity or both")
        return self


class Winner(Settings):
    """The question who wins, by what was played early."""

    game: Text = "game"
    """Label or attribute that recordings of one game share."""
    result: Text = "result"
    """Label or attribute with the result."""
    won: Text = "won"
    """Result of who won."""
    lost: Text = "lost"
    """Result of who lost."""
    first_s: PositiveFloat
    """Length of what counts as early, a multiple of `block_s`."""
    latency: Identifier | None = None
    """Latency that is looked at beside the actions."""
    leave_out: dict[Text, list[Text]] = {}
    """Label or attribute to values whose games are not used."""
    half_width: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Half-width of the interval that is wanted; how many games it takes is told."""


class Sessions(Settings):
    """The question whether somebody gets better from session to session."""

    order: Text
    """Label or attribute by which the sessions of a person are sorted, as numbers or as text."""
    fewest: Annotated[int, Field(ge=4)] = 5
    """Sessions that a person must have."""


class Score(Settings):
    """What is asked beside counts and times."""

    winner: Winner | None = None
    """Whether the winner is told by what was played early."""
    sessions: Sessions | None = None
    """Whether persons get better from session to session."""
    shown: list[Text] = []
    """Labels or attributes that name a recording in tables, such as race."""


class Asset(Settings):
    """What was played; nothing is needed."""

    page_for: Text | None = None
    """Who may see the coach's page, such as the person and the coach; it is printed on it."""

    clock_s: Annotated[float, Field(ge=0)] = 0.0
    """Step of the clock of the events; latencies are no finer."""


class Esports:
    """Events and intensity of games."""

    name = "esports"
    title = message("actions, latencies and intensity of games")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = None

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        return known_metrics(train, score)

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse unknown channels and classes, conditions on what is not there, and splits."""
        del asset
        check(request, train, score, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Nothing is trained."""
        del job
        return {}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """Nothing is trained."""
        del job, leaves
        return Model({}, {} if comm.rank else {"family": self.name})

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Persons leave; sites do not join."""
        del job, leaves
        return Merging(alone="nothing is learnt; figures are those of single sessions")

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Counts and latencies of events, and time in zones, by recording."""
        del model
        return passes(job)

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Rates, latencies and times with their intervals, and what they do not tell."""
        del model
        return esports_report.judge(job, leaves)
