"""The request: what a user may ask for, as typed settings.

A family's own settings (sections ``train`` and ``score``) and a reader's own options
(``read``) are classes beside the family and the reader; `lumipipe.tasks.request` puts them
together. How a YAML file gives line numbers is in `lumipipe.yamlfile`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_IDENTIFIER, _DIGEST = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", r"^[0-9a-f]{64}$"
PATTERNS = {
    _IDENTIFIER: "letters, digits and . _ - only, a letter or digit first, 64 at most",
    _DIGEST: "64 hexadecimal digits, letters small",
}
"""What the patterns of settings ask for, in words for messages."""

Identifier: TypeAlias = Annotated[str, Field(pattern=_IDENTIFIER)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Digest: TypeAlias = Annotated[str, Field(pattern=_DIGEST)]
PositiveFloat: TypeAlias = Annotated[float, Field(gt=0)]
Fraction: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class Settings(BaseModel):
    """A section of the request: known keys only, never changed after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def member_name(group: str, column: str) -> str:
    """Name of one of the channels that a channel with `columns` stands for.

    >>> member_name("absorbance", "950.0")
    'absorbance[950.0]'
    """
    return f"{group}[{column}]"


def _regular_expression(value: str | None) -> str | None:
    """A pattern that compiles."""
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression ({error}); mend the pattern") from error
    return value


class Question(Settings):
    """What is to be decided, and by which analysis."""

    decision: Text
    """What somebody will do or not do, depending on the answer."""
    family: Text
    """The analysis: a name from the registry of families."""
    unit_of_decision: Text
    """What one answer is about, such as one bearing or one recording."""
    cost_of_miss: Annotated[float, Field(ge=0)] | None = None
    """Cost of one missed event, in `currency`."""
    cost_of_false_alarm: Annotated[float, Field(ge=0)] | None = None
    """Cost of one false alarm, in `currency`."""
    currency: str = "EUR"
    """Currency of the two costs."""
    will_act_if: str | None = None
    """The condition under which somebody will act."""
    not_to_be_used_for: Annotated[list[Text], Field(min_length=1)]
    """Uses that the answer must not be put to."""


class Channel(Settings):
    """One measured quantity of a stream."""

    name: Text
    """Name by which the analysis knows the channel."""
    column: str | None = None
    """Name of the column or variable in the file; the channel's name where absent."""
    columns: str | None = None
    """Regular expression: each column whose whole name matches is a channel NAME[COLUMN]."""
    axis: str | None = None
    """Quantity and unit of the numbers that `columns` are called by, such as wavenumber, 1/cm."""
    quantity: Text
    """What is measured, such as acceleration."""
    unit: Text
    """Unit of the numbers in the file, such as m/s2; `1` for a plain number."""
    range: tuple[float, float] | None = None
    """Lowest and highest credible value, in `unit`."""
    resolution: PositiveFloat | None = None
    """Smallest step of the instrument, in `unit`."""
    scale: PositiveFloat | None = None
    """Typical amplitude known before the data, in `unit`."""
    sensor: str = "not characterised"
    """Identity of the sensor."""
    certificate: str = "not characterised"
    """Identity of the calibration certificate."""
    invalid: list[float] = []
    """Numbers that mean "no reading" in this file."""

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("the range does not rise; write [lowest, highest]")
        return value

    @field_validator("columns")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return _regular_expression(value)

    @model_validator(mode="after")
    def _one_or_many(self) -> Channel:
        if self.columns is not None and self.column is not None:
            raise ValueError("column names one, columns many; give one of the two")
        if self.axis is not None and self.columns is None:
            raise ValueError("axis says what many columns are called by; give columns, too")
        return self


class Regular(Settings):
    """Samples at a fixed rate."""

    kind: Literal["regular"]
    rate_hz: PositiveFloat
    """Samples per second."""


class TimeColumn(Settings):
    """Samples with a time stamp each."""

    kind: Literal["column"]
    column: Text | Annotated[list[Text], Field(min_length=1)]
    """Column with the time stamp, or the columns of its parts, such as a date and a clock."""
    unit: Literal["d", "h", "min", "s", "ms", "us", "ns"] | None = None
    """Unit of numbers since 1970 (UTC) or since the start of the recording."""
    origin: Literal["1970", "recording"] = "1970"
    """What numbers count from."""
    format: str | None = None
    """Format of text stamps in the notation of strptime, such as %Y-%m-%d %H:%M:%S; a blank stands
    between the parts of several columns."""
    zone: Literal["UTC"] = "UTC"
    """Time zone of text stamps."""
    midnight: Literal["begins_day", "ends_day"] = "begins_day"
    """Whether 00:00 under a date begins that day or, as 24:00 would, ends it; of text stamps."""
    rate_hz: PositiveFloat | None = None
    """Nominal rate, to be compared with the measured one."""

    @model_validator(mode="after")
    def _unit_or_format(self) -> TimeColumn:
        if (self.unit is None) == (self.format is None):
            raise ValueError("give unit for numbers or format for text; one of the two")
        if self.format is None and len(self.columns) > 1:
            raise ValueError("several columns make text stamps; give format instead of unit")
        if self.midnight == "ends_day" and (self.format is None or "%z" in self.format):
            raise ValueError(
                "midnight ends_day is for text stamps without an offset; leave midnight out"
            )
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that make up a stamp."""
        return [self.column] if isinstance(self.column, str) else self.column


class Order(Settings):
    """Rows whose order is all that is known of their time."""

    kind: Literal["order"]
    row: Text
    """What one row is, such as one batch or one day."""


Time: TypeAlias = Annotated[Regular | TimeColumn | Order, Field(discriminator="kind")]


class Label(Settings):
    """What is known about a recording, or about each of its samples."""

    column: str | None = None
    """Column with a label for each sample; where `file` is given, its column with the labels."""
    attribute: str | None = None
    """Attribute of the recording: a named group of `pattern` or one that the reader gives."""
    value: str | None = None
    """One value for all recordings of this source."""
    file: Text | None = None
    """CSV file beside the request with a label in each row."""
    by: Text | None = None
    """`recording`, `unit` or attribute that each row names; without it they go by order."""
    key: Text | None = None
    """Column of `file` that names it; the one called as in `by` where absent."""
    otherwise: Text | None = None
    """Label of recordings that no row of `file` is about; refused where absent."""
    spare: Literal["refuse", "leave_out"] = "refuse"
    """What becomes of rows of `file` that are about no recording."""
    read: dict[str, Any] = {}
    """Options of the reader csv for `file`; without `by` and `column` it has no header."""
    meaning: Text
    """What the label says and who or what set it."""
    values: dict[str, str] = {}
    """Value in the file to the name used in the report."""

    @property
    def is_of_samples(self) -> bool:
        """Whether the label may change within a recording."""
        return self.file is None and self.column is not None

    @model_validator(mode="after")
    def _one_origin(self) -> Label:
        given = [self.file or self.column, self.attribute, self.value]
        if sum(item is not None for item in given) != 1:
            raise ValueError(
                "the label has no single origin; give column, attribute, value or file"
            )
        set_ = self.model_fields_set
        needs = {"by": "file", "spare": "file", "read": "file", "key": "by", "otherwise": "by"}
        for name, other in needs.items():
            if name in set_ and getattr(self, other) is None:
                raise ValueError(f"{name} is set but {other} is not; give both or none")
        return self


class Recordings(Settings):
    """How the recordings of a source are told apart."""

    column: Text | None = None
    """Column that names the recording of each row; where absent, a table is one recording."""
    pattern: str | None = None
    """Regular expression on the file's name; its named groups become attributes."""
    id: str = "{name}"
    """Identity of a recording, built from attributes, such as {person}-{set:03}."""
    unit: str = "{name}"
    """Machine, plant or pseudonymous person, built from attributes."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return _regular_expression(value)

    @model_validator(mode="after")
    def _one_attribute_a_name(self) -> Recordings:
        if self.column is not None and self.column in re.compile(self.pattern or "").groupindex:
            raise ValueError(
                f"pattern and column both give the attribute {self.column}; rename the group"
            )
        return self


class Source(Settings):
    """One set of files that one kind of instrument wrote."""

    id: Identifier
    """Name of the source in this request."""
    source: Text
    """Path or glob beside the request, or package:NAME/PATH inside an installed package."""
    format: Text
    """Format of the files: a name from the registry of readers."""
    sha256: Digest | dict[str, Digest] | None = None
    """Digest that the file must have, or file name to digest."""
    read: dict[str, Any] = {}
    """Options of the reader."""
    stream: Identifier = "main"
    """Name of the stream; sources with equal recordings and other streams are joined."""
    recordings: Recordings = Recordings()
    time: Time
    """How samples are placed in time."""
    channels: Annotated[list[Channel], Field(min_length=1)]
    """Channels to keep, in this order."""
    labels: dict[Identifier, Label] = {}
    """What is known about the recordings or their samples."""
    rows: tuple[int, int | None] | None = None
    """First row and row after the last to keep of each recording, from 0; all where absent."""
    licence: str | None = None
    """Terms under which the source may be used."""

    @field_validator("channels")
    @classmethod
    def _distinct(cls, value: list[Channel]) -> list[Channel]:
        names = [channel.name for channel in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two channels are called {name}; give each its own name")
        return value


class Grid(Settings):
    """One regular time grid for all streams of a recording."""

    rate_hz: PositiveFloat
    """Rate of the grid."""
    longest_gap_s: PositiveFloat
    """Longest distance between samples that is bridged linearly; longer ones stay gaps."""


class Prepare(Settings):
    """How raw files become a dataset."""

    grid: Grid | None = None
    """Grid to bring irregular or unlike streams to; streams stay as they are where absent."""
    dtype: Literal["source", "float32", "float64"] = "source"
    """Number type of the stored samples; `source` keeps what the file holds."""
    bad_recordings: Literal["refuse", "leave_out"] = "refuse"
    """Whether a recording that cannot be used stops the run or is listed and left out."""
    chunk_bytes: Annotated[int, Field(ge=1024)] = 4 * 2**20
    """Bytes of samples that are read together."""
    shard_bytes: Annotated[int, Field(ge=1024)] = 64 * 2**20
    """Bytes of samples in one file."""
    most_files: Annotated[int, Field(ge=1)] = 10_000
    """Number of files that a dataset may have."""
    workers: Annotated[int, Field(ge=1)] = 2
    """Raw files that are read at a time on each rank."""


class GroupSplit(Settings):
    """Each group is held out in turn; nothing of one group is on both sides."""

    kind: Literal["group"]
    by: Text = "unit"
    """`unit`, `recording`, `source` or a label: what is held out together."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Number of folds that the groups are dealt to; one fold a group where absent."""


class TimeSplit(Settings):
    """The first part of each recording trains, the rest tests."""

    kind: Literal["time"]
    train_first_s: PositiveFloat | None = None
    """Length of the training part."""
    train_first_rows: Annotated[int, Field(ge=1)] | None = None
    """Number of rows of the training part."""

    @model_validator(mode="after")
    def _one_length(self) -> TimeSplit:
        if (self.train_first_s is None) == (self.train_first_rows is None):
            raise ValueError("give train_first_s or train_first_rows; one of the two")
        return self


class SourceSplit(Settings):
    """Whole sources train, calibrate or test."""

    kind: Literal["source"]
    train: Annotated[list[Identifier], Field(min_length=1)]
    """Sources that the model is fitted on."""
    calibrate: list[Identifier] = []
    """Sources that limits are set on."""
    test: list[Identifier] = []
    """Sources that are judged; all others where empty."""


class RandomSplit(Settings):
    """Windows are dealt at random; neighbours of one recording stand on both sides."""

    kind: Literal["random"]
    because: Text
    """Why a split that flatters is wanted; it is named on page 1 of the report."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Number of folds."""


class NoSplit(Settings):
    """Nothing is learnt from these data, so nothing is held out."""

    kind: Literal["none"]


Split: TypeAlias = Annotated[
    GroupSplit | TimeSplit | SourceSplit | RandomSplit | NoSplit, Field(discriminator="kind")
]


class Interval(Settings):
    """The interval or prediction set that is asked for."""

    coverage: Fraction = 0.90
    """Nominal coverage."""


class Evaluation(Settings):
    """How the answer is put to the test."""

    split: Split
    """How training and test are kept apart, decided before windows are cut."""
    interval: Interval = Interval()
    metrics: dict[str, str] = {}
    """Metric to the condition that makes the answer `supported`, such as macro_f1: ">= 0.8"."""
    baseline: str | None = None
    """What is used today."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    """Key of all random draws."""

    @field_validator("metrics")
    @classmethod
    def _conditions(cls, value: dict[str, str]) -> dict[str, str]:
        for name, condition in value.items():
            if not re.fullmatch(r"\s*(>=|<=)\s*-?\d+(\.\d+)?\s*", condition):
                raise ValueError(f'{name}: no condition; write it like ">= 0.8"')
        return value


class Rights(Settings):
    """Whose data these are and what may be done with them."""

    owner: Text
    """Who decides about the data."""
    personal_data: Literal["none", "pseudonymous", "personal"]
    """Whether the data come from people who could be found again."""
    licence: str | None = None
    """Licence or agreement."""


class Ceiling(Settings):
    """What a run may cost on a machine that bills; nothing is submitted above it."""

    gpu_h: Annotated[float, Field(ge=0)] | None = None
    """GPU-hours."""
    core_h: Annotated[float, Field(ge=0)] | None = None
    """Core-hours."""
    tb_h: Annotated[float, Field(ge=0)] | None = None
    """Terabyte-hours of storage."""


class Compute(Settings):
    """Where and how the run computes; nothing here changes a number of the answer."""

    target: Identifier = "laptop"
    """Kind of nodes: a target of the machine's file, such as lumi-small; unused on a laptop."""
    backend: Literal["auto", "numpy", "cupy"] = "auto"
    """Array library; `auto` takes CuPy where a device answers."""
    ranks: Annotated[int, Field(ge=1)] = 1
    """MPI ranks of each step."""
    batch_bytes: Annotated[int, Field(ge=2**16)] = 64 * 2**20
    """Bytes of samples that each rank has in memory at a time; four chunks at least."""
    checkpoint_s: Annotated[float, Field(ge=0)] = 30.0
    """Seconds between checkpoints of a fold; 0 writes one after each batch."""
    memory: Text | None = None
    """Memory of each rank, such as 4 GiB; a fair share of the node where absent."""
    minutes: Annotated[int, Field(ge=1)] | None = None
    """Time limit of each job; from the quote where absent."""
    kept_days: Annotated[float, Field(ge=0)] = 30.0
    """Days that the data stay on the machine: the storage part of the quote."""
    ceiling: Ceiling = Ceiling()
    """What the run may cost; refused above it, before anything is submitted."""


class Report(Settings):
    """What the report shows."""

    most_units: Annotated[int, Field(ge=1)] = 40
    """Units of decision that get a figure of their own."""


class DossierWords(Settings):
    """What only the provider can say in the dossier of the model."""

    oversight: Text | None = None
    """Who looks at an answer before anybody acts on it, and how they can overrule it."""
    risk_management: Text | None = None
    """How risks are found, rated and lessened, or where that is written."""
    changes: Text | None = None
    """What changed since the model before."""


class Request(Settings):
    """One request: a question, its data, how it is tested, and where it runs."""

    lumipipe_request: Literal[1]
    """Version of the form."""
    id: Identifier
    """Identity of the request."""
    title: Text
    """Title of the report."""
    language: Literal["en"] = "en"
    """Language of the report."""
    question: Question
    data: Annotated[list[Source], Field(min_length=1)]
    """Sources of measurements."""
    asset: dict[str, Any] = {}
    """What is known about the measured object; keys are the family's."""
    rights: Rights
    evaluation: Evaluation
    prepare: Prepare = Prepare()
    train: dict[str, Any] = {}
    """Settings of the model; keys are the family's."""
    score: dict[str, Any] = {}
    """Settings of the judgement; keys are the family's."""
    report: Report = Report()
    dossier: DossierWords = DossierWords()
    compute: Compute = Compute()

    @model_validator(mode="after")
    def _border(self) -> Request:
        # The machine's file decides; a target named after LUMI is refused wherever it is read.
        if self.rights.personal_data != "none" and self.compute.target.startswith("lumi"):
            raise ValueError(
                f"compute.target {self.compute.target} with personal_data "
                f"{self.rights.personal_data}: LUMI may not handle personal data; "
                "run inside (laptop) or send statistics packets only"
            )
        return self

    @field_validator("data")
    @classmethod
    def _distinct_sources(cls, value: list[Source]) -> list[Source]:
        names = [source.id for source in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called {name}; give each its own id")
        return value
