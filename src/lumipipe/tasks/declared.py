"""The section of a report on what the request declares of its data, and how the files compare.

Nothing is judged here: who asked, periods, clocks, gaps, sensors, certificates, labels and events
stand beside what `prepare` found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.config import NOT_CHARACTERISED, Certificate
from lumipipe.config.moments import in_words
from lumipipe.families.certificates import has_stated_u
from lumipipe.families.pages.build import READERS
from lumipipe.language import FINDING, say, say_count, translated
from lumipipe.readers.clocks import alignment
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.result import LeftOut, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.config import Channel, Request, Source
    from lumipipe.reporting.parts import Cell

_MOST_CHANNELS, _MOST_NAMES = 60, 60
_DAY_S = 86_400


def declared_section(request: Request, prepared: dict[str, Any]) -> Section:
    """The section of a report on what the request declares.

    Parameters
    ----------
    request : Request
        The request.
    prepared : dict
        Record of the manifest of ``prepare``.

    Returns
    -------
    Section
        Tables of sources and channels, and of labels and events where there are any.
    """
    tables = [
        _sources(request, prepared) if _tells_times(request, prepared) else None,
        _channels(request),
        _labels(request),
        _events(request),
    ]
    return Section(
        title=say("What the request declares of the data"),
        paragraphs=_paragraphs(request),
        figures=[table for table in tables if table is not None],
    )


def left_outside(prepared: dict[str, Any]) -> list[LeftOut]:
    """Rows outside the declared period, with their number.

    Parameters
    ----------
    prepared : dict
        Record of the manifest of ``prepare``.

    Returns
    -------
    list of LeftOut
        One for each recording with such rows.
    """
    return [
        LeftOut(
            what=say("rows of {id} outside the declared period", id=item["id"]),
            reason=say("{count} rows have stamps before or after it", count=item["told"]),
        )
        for item in prepared.get("outside_period", [])
    ]


def _paragraphs(request: Request) -> list[str]:
    """Who asked, and what the tables are."""
    told = [say("As the request states it; nothing of this was measured by lumipipe.")]
    if not any(source.period or source.clock or source.gaps for source in request.data):
        told.append(say("Of no source a period, a clock or an accepted gap is stated."))
    plain = list(
        dict.fromkeys(
            channel.name
            for source in request.data
            for channel in source.channels
            if not _is_stated(channel)
        )
    )
    if plain:
        names = ", ".join(plain[:_MOST_NAMES]) + (", …" if len(plain) > _MOST_NAMES else "")
        told.append(
            say_count(
                "One channel without a stated sensor, mounting or certificate: {names}.",
                "{n} channels without a stated sensor, mounting or certificate: {names}.",
                n=len(plain),
                names=names,
            )
        )
    who = request.requester
    if who is not None:
        parts = [who.organisation, who.role, who.contact_ref]
        asked = ", ".join(part for part in parts if part is not None)
        told.insert(0, say("Asked by: {who}.", who=asked))
    if request.compute.deadline is not None:
        told.append(say("The answer is of use until {day}.", day=request.compute.deadline))
    return told


def _table(title: str, caption: str, columns: Sequence[str], rows: list[list[Cell]]) -> Table:
    """A table whose alternative text is its caption."""
    return Table(
        kind="table",
        title=title,
        caption=caption,
        alt=caption,
        columns=[Column(label=label) for label in columns],
        rows=rows,
    )


def _sources(request: Request, prepared: dict[str, Any]) -> Table:
    """Period, clock and gaps of each source."""
    return _table(
        say("Sources: period, clock and gaps"),
        say(
            "Clock: stamps were set back by its offset. Gaps: what is accepted and what is longer."
        ),
        [
            say("source"),
            say("period"),
            say("clock"),
            say("gaps"),
            say("longer gaps that were found"),
        ],
        [
            [
                source.id,
                _period(source),
                _clock(source),
                _gaps(source),
                _long_gaps(source, prepared),
            ]
            for source in request.data
        ],
    )


def _period(source: Source) -> str:
    """First and last day that a source declares."""
    if source.period is None:
        return say("not stated")
    first, last = (in_words(moment) for moment in source.period)
    if not source.is_stamped:
        return say("{first} to {last}, not compared: rows have no stamps", first=first, last=last)
    return say("{first} to {last}", first=first, last=last)


def _clock(source: Source) -> str:
    """Reference and offset of the clock of a source."""
    clock = source.clock
    if clock is None:
        return say("not stated")
    if clock.events:
        found = alignment(clock)
        return say(
            "{reference}, by {count} events: ahead by {offset:.3g} s at their middle "
            "(u {u:.2g} s), gains {drift:.3g} s a day (u {u_drift:.2g} s); {off:.2g} s off at most",
            reference=clock.reference,
            count=len(clock.events),
            offset=found.offset_s,
            u=found.u_offset_s,
            drift=found.drift * _DAY_S,
            u_drift=found.u_drift * _DAY_S,
            off=found.residual_s,
        )
    u = "" if clock.u_offset_s is None else say(", u {u:g} s", u=clock.u_offset_s)
    return say(
        "{reference}, ahead by {offset:g} s{u}",
        reference=clock.reference,
        offset=clock.offset_s,
        u=u,
    )


def _gaps(source: Source) -> str:
    """What a source says of its gaps."""
    gaps = source.gaps
    told = [] if gaps.expected is None else [say("expected: {why}", why=gaps.expected)]
    if gaps.largest_accepted_s is not None:
        told.append(say("accepted up to {seconds:g} s", seconds=gaps.largest_accepted_s))
    return "; ".join(told) or say("not stated")


def _long_gaps(source: Source, prepared: dict[str, Any]) -> str:
    """Recordings of a source with gaps longer than accepted."""
    found = [item for item in prepared.get("long_gaps", []) if item["source"] == source.id]
    return "; ".join(f"{item['id']}: {translated(item['told'], FINDING)}" for item in found) or "–"


def _tells_times(request: Request, prepared: dict[str, Any]) -> bool:
    """Whether anything is stated, or was found, of periods, clocks and gaps."""
    stated = any(source.period or source.clock or source.gaps for source in request.data)
    return stated or bool(prepared.get("long_gaps"))


def _is_stated(channel: Channel) -> bool:
    """Whether the request says more of a channel than its unit."""
    return bool(
        channel.sensor != NOT_CHARACTERISED
        or channel.mounting
        or channel.accept is not None
        or isinstance(channel.certificate, Certificate)
    )


def _channels(request: Request) -> Table | None:
    """Sensor, mounting and certificate of each channel of which something is stated."""
    pairs = [
        (source, channel)
        for source in request.data
        for channel in source.channels
        if _is_stated(channel)
    ]
    if not pairs:
        return None
    more = len(pairs) - _MOST_CHANNELS
    caption = say("u: standard uncertainty that the certificate states, in the channel's unit.")
    if more > 0:
        caption += " " + say("{count} more channels are in the request.", count=more)
    if has_stated_u(request) and "metrologist" not in READERS[request.question.family]:
        caption += " " + say(
            "This analysis has no uncertainty budget: u of a certificate enters no figure of this "
            "analysis."
        )
    return _table(
        say("Channels: sensors and certificates"),
        caption,
        [
            say("channel"),
            say("unit"),
            say("sensor"),
            say("mounting"),
            say("certificate"),
            say("valid"),
            say("u"),
        ],
        [_channel(source, channel) for source, channel in pairs[:_MOST_CHANNELS]],
    )


def _channel(source: Source, channel: Channel) -> list[Cell]:
    """A row of the table of channels."""
    unknown = say(NOT_CHARACTERISED)
    return [
        f"{source.id}.{channel.name}",
        _unit(channel),
        unknown if channel.sensor == NOT_CHARACTERISED else channel.sensor,
        channel.mounting or "–",
        *_certificate(channel, unknown),
    ]


def _unit(channel: Channel) -> str:
    """Its unit, and what is said of gravity in it."""
    match channel.gravity:
        case "included":
            return say("{unit}, gravity included", unit=channel.unit)
        case "removed":
            return say("{unit}, gravity removed", unit=channel.unit)
    return channel.unit


def _certificate(channel: Channel, unknown: str) -> list[Cell]:
    """Identity with signature, validity and standard uncertainty of a certificate."""
    known = channel.certificate
    if not isinstance(known, Certificate):
        accepted = say("none, accepted as not characterised")
        return [unknown if channel.accept is None else accepted, "–", "–"]
    days = (str(day or "…") for day in (known.valid_from, known.valid_until))
    valid = " – ".join(days) if known.has_validity else say("not stated")
    signature = translated(known.signature or "", FINDING)
    name = f"{known.id}; {signature}" if signature else known.id
    u = known.standard_u
    if u is not None and known.unit is not None:
        return [name, valid, f"{rounded(u)} {known.unit}"]
    return [name, valid, "–" if u is None else u]


def _labels(request: Request) -> Table | None:
    """Who set each label, and how many are known to be wrong."""
    told: dict[tuple[str, str, str, int | None], list[str]] = {}
    for source in request.data:
        for name, label in source.labels.items():
            by = label.labelled_by or say("not stated")
            told.setdefault((name, label.meaning, by, label.known_wrong), []).append(source.id)
    rows: list[list[Cell]] = [
        [name, ", ".join(sources), meaning, by, say("not stated") if wrong is None else wrong]
        for (name, meaning, by, wrong), sources in told.items()
    ]
    if not rows:
        return None
    return _table(
        say("Labels"),
        say("What each label says, who set it, and how many of them are known to be wrong."),
        [say("label"), say("source"), say("meaning"), say("set by"), say("known to be wrong")],
        rows,
    )


def _events(request: Request) -> Table | None:
    """What happened while the data were recorded."""
    rows: list[list[Cell]] = [
        [source.id, in_words(event.at), event.what]
        for source in request.data
        for event in sorted(source.known_events, key=lambda event: event.at)
    ]
    if not rows:
        return None
    return _table(
        say("Known events"),
        say("What happened while the data were recorded; times in UTC."),
        [say("source"), say("when"), say("what")],
        rows,
    )
