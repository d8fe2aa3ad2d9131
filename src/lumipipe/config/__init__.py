"""The request: what a user may ask for, as typed settings, a module for each section.

A family's own settings (sections ``train`` and ``score``) and a reader's own options
(``read``) are classes beside the family and the reader; `lumipipe.tasks.request` puts them
together. How a YAML file gives line numbers is in `lumipipe.yamlfile`. All names are imported
from here, wherever they stand.
"""

from lumipipe.config.channel import NOT_CHARACTERISED, Certificate, Channel, member_name
from lumipipe.config.compute import Ceiling, Compute
from lumipipe.config.evaluation import (
    Baseline,
    Evaluation,
    FixedAlarm,
    GroupSplit,
    Interval,
    NoSplit,
    RandomSplit,
    SourceSplit,
    Split,
    TimeSplit,
)
from lumipipe.config.label import Label, Recordings
from lumipipe.config.prepare import Filled, Grid, Prepare
from lumipipe.config.question import Event, Question
from lumipipe.config.request import DossierWords, Report, Request
from lumipipe.config.requester import Approver, Requester
from lumipipe.config.rights import Actor, Publication, Purpose, Reach, Rights
from lumipipe.config.settings import (
    PATTERNS,
    Digest,
    Fraction,
    Identifier,
    PositiveFloat,
    Settings,
    Text,
)
from lumipipe.config.source import Source
from lumipipe.config.times import (
    Clock,
    CommonEvent,
    Gaps,
    KnownEvent,
    Order,
    Regular,
    Time,
    TimeColumn,
)

__all__ = [
    "NOT_CHARACTERISED",
    "PATTERNS",
    "Actor",
    "Approver",
    "Baseline",
    "Ceiling",
    "Certificate",
    "Channel",
    "Clock",
    "CommonEvent",
    "Compute",
    "Digest",
    "DossierWords",
    "Evaluation",
    "Event",
    "Filled",
    "FixedAlarm",
    "Fraction",
    "Gaps",
    "Grid",
    "GroupSplit",
    "Identifier",
    "Interval",
    "KnownEvent",
    "Label",
    "NoSplit",
    "Order",
    "PositiveFloat",
    "Prepare",
    "Publication",
    "Purpose",
    "Question",
    "RandomSplit",
    "Reach",
    "Recordings",
    "Regular",
    "Report",
    "Request",
    "Requester",
    "Rights",
    "Settings",
    "Source",
    "SourceSplit",
    "Split",
    "Text",
    "Time",
    "TimeColumn",
    "TimeSplit",
    "member_name",
]
