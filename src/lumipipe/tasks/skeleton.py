"""The skeleton of a request: YAML with comments, from what was seen of the data and a family.

What only the user can know is `"?"`, which a check refuses with its line. What stands in the
sections of a family is in `lumipipe.tasks.skeleton_sections`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.reporting.parts import printable
from lumipipe.tasks.request import TO_FILL, checked, places_to_fill
from lumipipe.tasks.skeleton_people import learns_technique, timed_by_beats
from lumipipe.tasks.skeleton_sections import (
    NO_SPLIT_KNOWN,
    evaluation_of,
    filled_by,
    inline,
    question_of,
    section_lines,
)
from lumipipe.yamlfile import parse_yaml

if TYPE_CHECKING:
    from lumipipe.families.interface import Family

_COMMENT_AT = 60  # column from which comments begin, where lines are short
_MOST_LISTED = 60  # channels that have a line each
_UNIT = re.compile(r"\s*[\[(][^\[\]()]*[\])]\s*$")  # at the end of a name
_UNFIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class ChannelToUse:
    """A column that a request may use.

    Parameters
    ----------
    column : str
        Its name in the file.
    quantity, unit : str or None
        None where they are not known.
    invalid : tuple of float
        Numbers that may mean "no reading".
    comment : str
        What the user should know of it.
    is_used : bool
        Whether it is a channel, or a line that is commented out.
    """

    column: str
    quantity: str | None = None
    unit: str | None = None
    invalid: tuple[float, ...] = ()
    comment: str = ""
    is_used: bool = True


@dataclass(frozen=True)
class SourceToUse:
    """Files that a request may use as one source.

    Parameters
    ----------
    id : str
        Name of the source.
    patterns : tuple of str
        Paths or globs as the request writes them; one source each.
    format : str
        Name from the registry of readers.
    read : dict
        Options of the reader.
    time : dict
        The section `time`; what is not known is "?".
    channels : tuple of ChannelToUse
        Columns that are no time.
    rows : int
        Rows of the shortest recording.
    other_times : tuple of dict
        Other sections `time` that fit as well.
    rate_hz : float or None
        Rows per second, where they are even.
    labels : dict of str to str
        Columns or attributes that may be labels, to ``column`` or ``attribute``.
    personal : bool or None
        Whether the data come from people; None where that is not known.
    comments : tuple of str
        Remarks above the source.
    recordings : dict of str to str
        The section `recordings`.
    step_s : float or None
        The usual time from a row to the next.
    sport : str or None
        What the file calls the sport.
    """

    id: str
    patterns: tuple[str, ...]
    format: str
    read: dict[str, Any]
    time: dict[str, Any]
    channels: tuple[ChannelToUse, ...]
    rows: int
    other_times: tuple[dict[str, Any], ...] = ()
    rate_hz: float | None = None
    labels: dict[str, str] = field(default_factory=dict)
    personal: bool | None = None
    comments: tuple[str, ...] = ()
    recordings: dict[str, str] = field(default_factory=lambda: {"unit": "{name}"})
    step_s: float | None = None
    sport: str | None = None

    def used(self) -> list[str]:
        """Names of the channels that are used."""
        return [
            name for name, item in zip(self.names(), self.channels, strict=True) if item.is_used
        ]

    def names(self) -> list[str]:
        """Names of all channels in the request: short words, none twice."""
        found: list[str] = []
        for item in self.channels:
            told = _UNIT.sub("", item.column) if item.unit else item.column
            plain = _UNFIT.sub("_", told.lower()).strip("_") or "channel"
            number = 1
            name = plain
            while name in found:
                number += 1
                name = f"{plain}_{number}"
            found.append(name)
        return found


def request_text(source: SourceToUse, family: str, because: str = "") -> str:
    """The skeleton of a request.

    Parameters
    ----------
    source : SourceToUse
        The data.
    family : str
        Name from the registry of families.
    because : str
        Why that family, for the first lines.

    Returns
    -------
    str
        YAML that a check accepts once every "?" is filled in.

    Examples
    --------
    >>> level = ChannelToUse("Level", "length", "m")
    >>> flow = ChannelToUse("Flow", "volume_flow", None)
    >>> time = {"kind": "order", "row": "one hour"}
    >>> source = SourceToUse("tank", ("tank.csv",), "csv", {}, time, (level, flow), rows=100)
    >>> to_fill(request_text(source, "monitoring"))
    ['data.0.channels.1.unit', 'rights.personal_data']
    """
    chosen = FAMILIES[family]
    source = timed_by_beats(source) if family == "hrv" else source
    splits = evaluation_of(family, source) or list(NO_SPLIT_KNOWN)
    texts = [_text(source, chosen, split, because) for split in splits]
    # The first split that this family takes; which one is right, the user decides.
    return next((text for text in texts if fault_of(text) is None), texts[0])


def to_fill(text: str) -> list[str]:
    """Keys of a skeleton that are still "?", such as data.0.channels.1.unit."""
    places = places_to_fill(parse_yaml(Path("request.yaml"), text))
    return [".".join(str(part) for part in place) for place in places]


def fault_of(text: str) -> str | None:
    """Why a check would refuse a request; None where it is accepted as it is."""
    try:
        checked(parse_yaml(Path("request.yaml"), text))
    except InputError as error:
        return str(error)
    return None


def _text(source: SourceToUse, family: Family, split: dict[str, Any], because: str) -> str:
    """The skeleton with one of the splits."""
    question = question_of(family.name)
    lines = [
        '# A skeleton: look at every line. What is "?" only you can know; `lumipipe request check`',
        "# names the next of them with its line, and what else does not fit.",
        *([f"# Family {family.name}: {because}." if because else f"# Family {family.name}."]),
        f"# Others: {', '.join(name for name in FAMILIES if name != family.name)}.",
        "lumipipe_request: 1",
        f"id: {inline(_identifier(source.id))}",
        f"title: {inline(question.title)}",
        "# requester: {organisation: ..., role: ..., contact_ref: ...}  # no e-mail",
        "question:",
        f"  family: {family.name}",
        _commented(f"  decision: {inline(question.decision)}", "what somebody will do or not do"),
        _commented(f"  unit_of_decision: {inline(question.unit)}", "what one answer is about"),
        _commented(
            f"  not_to_be_used_for: {inline(question.never)}", "add what else it must not be"
        ),
        "data:",
        *_sources(source, family.name),
        "rights:",
        _commented("  owner: whoever recorded these files", "say who decides about them"),
        _personal(source),
        "evaluation:",
        _commented(f"  split: {inline(split)}", _about_split(split)),
        *_metrics(family.name),
    ]
    filled = filled_by(family.name, source)
    for name, model in (
        ("asset", family.asset_section),
        ("train", family.train_section),
        ("score", family.score_section),
    ):
        lines += section_lines(name, model, filled.get(name, {}))
    return "\n".join(lines) + "\n"


def _sources(source: SourceToUse, family: str) -> list[str]:
    """The section `data`."""
    lines = [f"  # {' '.join(printable(comment).split())}" for comment in source.comments]
    for number, pattern in enumerate(source.patterns, start=1):
        own = _identifier(source.id if len(source.patterns) == 1 else f"{source.id}-{number}")
        lines += [
            f"  - id: {inline(own)}",
            f"    source: {inline(pattern)}",
            f"    format: {source.format}",
            *([f"    read: {inline(source.read)}"] if source.read else []),
            _commented(f"    recordings: {_recordings(source)}", _whose(source)),
            *_time(source),
            *_MORE_OF_SOURCE,
            "    channels:",
            *_channels(source),
            *_labels(source, family),
        ]
    return lines


_MORE_OF_SOURCE = (
    "    # period: [2026-01-01, 2026-03-31]  # rows outside are left out, and counted",
    "    # clock: {reference: ntp, offset_s: 0.0}  # what the stamps were off by",
    "    # gaps: {expected: ..., largest_accepted_s: 3600}  # a longer one is refused",
    "    # known_events: [{at: 2026-02-03, what: ...}]",
    "    # channels also take sensor, mounting, certificate: {id, valid_from, valid_until, u}",
    "    # or certificate: {file: DCC.xml, trust: [ROOT.crt]}; lumipipe inspect DCC.xml shows it",
)
"""What a source may say as well, commented out."""


def _recordings(source: SourceToUse) -> str:
    """The section `recordings` in a line."""
    told = ", ".join(f'{key}: "{value}"' for key, value in source.recordings.items())
    return f"{{{told}}}"


def _whose(source: SourceToUse) -> str:
    """What the user should know of the unit."""
    if source.recordings["unit"] == "{name}":
        return "whose it is; here each is its own"
    return "one player in one game"


def _time(source: SourceToUse) -> list[str]:
    """The section `time` of a source."""
    told = {
        "order": "what one row is; or {kind: regular, rate_hz: 50}",
        "regular": "as the file states it",
        "column": _about_stamps(source.time),
    }[source.time["kind"]]
    lines = [_commented(f"    time: {inline(source.time)}", told)]
    return lines + [f"    # or: {inline(other)}" for other in source.other_times]


def _about_stamps(time: dict[str, Any]) -> str:
    """What stamps leave open: their unit, or the zone of the clock that wrote them."""
    if TO_FILL in time.values():
        return "the unit of the stamps"
    if "format" in time and "%z" not in time["format"]:
        return "read as UTC; for a local clock add zone: Europe/Helsinki, or zone: +02:00"
    return ""


def _channels(source: SourceToUse) -> list[str]:
    """The channels; many that are called by numbers are one line."""
    pairs = list(zip(source.names(), source.channels, strict=True))
    numbered = [item for _, item in pairs if re.fullmatch(r"[0-9]+(\.[0-9]+)?", item.column)]
    lines = []
    if len(pairs) > _MOST_LISTED and len(numbered) > len(pairs) / 2:
        pattern = r"[0-9]+(\.[0-9]+)?"
        content = {"name": "column", "columns": pattern, "quantity": TO_FILL, "unit": TO_FILL}
        lines = [_commented(f"      - {inline(content)}", f"{len(numbered)} columns")]
        pairs = [(name, item) for name, item in pairs if item not in numbered]
    for name, item in pairs:
        content = {"name": name, "column": item.column, "quantity": item.quantity or TO_FILL}
        if name == item.column:
            content.pop("column")
        content["unit"] = item.unit or TO_FILL
        invalid: dict[str, Any] = {"invalid": list(item.invalid)} if item.invalid else {}
        mark = "      - " if item.is_used else "      # - "
        lines.append(_commented(f"{mark}{inline(content | invalid)}", item.comment))
    return lines


def _labels(source: SourceToUse, family: str) -> list[str]:
    """A label, where the family learns one."""
    name = {"activity": "activity", "technique": "technique"}.get(family)
    if family == "hrv" and source.format == "wfdb" and source.labels:
        name = "beat"
    if name is None or (family == "technique" and not learns_technique(source)):
        return []
    column, origin = next(iter(source.labels.items()), (TO_FILL, "column"))
    content = {origin: column, "meaning": TO_FILL}
    return [
        "    labels:",
        _commented(f"      {name}: {inline(content)}", "who noted it, and when"),
    ]


def _personal(source: SourceToUse) -> str:
    """Whether the data come from people."""
    known = {True: "pseudonymous", False: "none", None: TO_FILL}[source.personal]
    return _commented(f"  personal_data: {inline(known)}", "none, pseudonymous or personal")


def _metrics(family: str) -> list[str]:
    """A condition that makes the answer supported, where one is usual."""
    usual = {"monitoring": ("alarm_rate", "<= 0.05"), "activity": ("macro_f1", ">= 0.8")}
    if family not in usual:
        return [
            '  # metrics: {NAME: "<= 0.1"}  # the condition under which the answer is supported'
        ]
    name, condition = usual[family]
    line = f'  metrics: {{{name}: "{condition}"}}'
    return [_commented(line, "supported only if this holds; your own number")]


def _about_split(split: dict[str, Any]) -> str:
    """What a split asks the user for."""
    return {
        "time": "the first rows, which you vouch for as normal",
        "group": "each unit is held out in turn; at least three",
        "none": "nothing is learnt, so nothing is held out",
    }.get(split["kind"], "")


def _commented(line: str, comment: str) -> str:
    """A line with a comment behind it."""
    told = " ".join(printable(comment).split())  # a line break would end the comment
    return f"{line.ljust(_COMMENT_AT)}  # {told}" if told else line


def _identifier(text: str) -> str:
    """A text as an identity: letters, digits and . _ - only."""
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64]
    return found or "data"
