"""What no section of a request can see by itself: formats, units, names, stamps, certificates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lumipipe.config import Certificate, GroupSplit, Settings, SourceSplit
from lumipipe.config.moments import in_words
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers import PUBLISHED, READERS, remedy_for
from lumipipe.readers.certificates import certified_u
from lumipipe.readers.clocks import alignment
from lumipipe.readers.units import conversion
from lumipipe.tasks.adopting import check_adopted
from lumipipe.tasks.dated import check_form_of_dates
from lumipipe.tasks.outputs import check_outputs
from lumipipe.yamlfile import input_error

if TYPE_CHECKING:
    from lumipipe.config import Channel, Request, Source
    from lumipipe.yamlfile import YamlFile


def check_form(file: YamlFile, request: Request, train: Settings) -> None:
    """Refuse what sections of a request say against one another.

    Parameters
    ----------
    file : YamlFile
        The file, for lines.
    request : Request
        The form.
    train : Settings
        The family's section of that name.

    Raises
    ------
    InputError
        At the first thing that is wrong, with its place and the remedy.
    """
    _check_sources(file, request)
    _check_names(file, request, train)
    _check_interval(file, request, train)
    check_form_of_dates(file, request)
    check_outputs(file, request)


def _check_sources(file: YamlFile, request: Request) -> None:
    """Refuse what is wrong with a source by itself."""
    check_adopted(request)
    for number, source in enumerate(request.data):
        _check_reader(file, source, number)
        _check_stamps(file, source, number)
        _check_clock(file, source, number)
        _check_events(file, source, number)
        for channel in source.channels:
            conversion(
                channel.quantity, channel.unit, f"source {source.id}: channel {channel.name}"
            )
        for at, channel in enumerate(source.channels):
            _check_certificate(file, source, channel, (number, at))


def _check_reader(file: YamlFile, source: Source, number: int) -> None:
    """Refuse an unknown format and wrong options of its reader."""
    if source.format == PUBLISHED:
        return
    if source.format not in READERS:
        place = file.place(("data", number, "format"))
        raise InputError(place, f"no reader for format {source.format}", remedy_for(source.format))
    options = READERS[source.format].Options
    try:
        options.model_validate(source.read)
    except ValidationError as error:
        raise input_error(file, error, options, ("data", number, "read")) from error


def _check_names(file: YamlFile, request: Request, train: Settings) -> None:
    """Refuse names of sources and streams that the request does not have."""
    split = request.evaluation.split
    sources = [source.id for source in request.data]
    for role in ("train", "calibrate", "test") if isinstance(split, SourceSplit) else ():
        for name in getattr(split, role):
            if name not in sources:
                raise InputError(
                    file.place(("evaluation", "split", role)),
                    f"no source {name}",
                    f"use {', '.join(sources)}",
                )
    streams = {source.stream for source in request.data}
    streams = {"main"} if request.prepare.grid is not None else streams
    wanted = getattr(train, "stream", None)
    if wanted is not None and wanted not in streams:
        raise InputError(
            file.place(("train", "stream")), f"no stream {wanted}", f"use {', '.join(streams)}"
        )
    if isinstance(split, GroupSplit):
        _check_group(file, request, split.by, FAMILIES[request.question.family].groups)


def _check_group(file: YamlFile, request: Request, by: str, made: tuple[str, ...]) -> None:
    """Refuse a split by something that no source tells of its recordings."""
    known = {"unit", "recording", "source", *made}
    for source in request.data:
        known |= {*source.labels, *re.findall(r"{(\w+)(?::\d+)?}", source.recordings.id)}
        known |= set(filter(None, [source.recordings.column]))
        known |= set(re.findall(r"\(\?P<(\w+)>", source.recordings.pattern or ""))
    if by not in known:
        raise InputError(
            file.place(("evaluation", "split", "by")),
            f"no source tells {by} of its recordings",
            f"split by one of {', '.join(sorted(known))}",
        )


def _check_stamps(file: YamlFile, source: Source, number: int) -> None:
    """Refuse what only stamps of the calendar can be compared with, where rows have none."""
    if source.is_stamped:
        return
    needs = (
        ("clock", source.clock is not None, ("clock",)),
        ("outside_period", source.outside_period == "refuse", ("outside_period",)),
        (
            "gaps.largest_accepted_s",
            source.gaps.largest_accepted_s is not None and not _has_stamps(source),
            ("gaps", "largest_accepted_s"),
        ),
    )
    for name, is_set, keys in needs:
        if is_set:
            raise InputError(
                file.place(("data", number, *keys)),
                f"data.{number}.{name} is about stamps, and rows of source {source.id} have none",
                f"name the column of stamps under time, or take {name} out",
            )


def _check_clock(file: YamlFile, source: Source, number: int) -> None:
    """Refuse events by which a clock cannot be set: one line does not fit them."""
    clock = source.clock
    if clock is None or clock.largest_residual_s is None:
        return
    off = alignment(clock).residual_s
    if off > clock.largest_residual_s:
        raise InputError(
            file.place(("data", number, "clock", "events")),
            f"one of the {len(clock.events)} events of source {source.id} is {off:.3g} s off the "
            f"offset and drift that fit best, and largest_residual_s is "
            f"{clock.largest_residual_s:g}",
            "correct the event, or raise largest_residual_s",
        )


def _has_stamps(source: Source) -> bool:
    """Whether the distance between rows is known, if not when they were recorded."""
    return source.time.kind == "column"


def _check_certificate(
    file: YamlFile, source: Source, channel: Channel, numbers: tuple[int, int]
) -> None:
    """Refuse a certificate in a wrong unit, or that does not hold in the whole period.

    Without a period, `prepare` compares it with the stamps.
    """
    known = channel.certificate
    if not isinstance(known, Certificate):
        return
    source_at, channel_at = numbers
    name = f"data.{source_at}.channels.{channel_at}.certificate"
    place = file.place(("data", source_at, "channels", channel_at, "certificate"))
    certified_u(channel, f"{place}: {name}")
    if not known.has_validity:
        return
    if source.period is not None:
        problem = known.problem_on(*(moment.date() for moment in source.period))
        if problem is not None:
            remedy = "give the certificate of that time, or a period that it holds for"
            raise InputError(place, f"{name}: {problem}", remedy)
    elif not source.is_stamped:
        raise InputError(
            place,
            f"{name}: nothing says when the data are of, so its validity cannot be compared",
            "give the period of the source: [first day, last day]",
        )


def _check_events(file: YamlFile, source: Source, number: int) -> None:
    """Refuse a known event outside the period."""
    for at, event in enumerate(source.known_events):
        if source.period is not None and not source.period[0] <= event.at <= source.period[1]:
            raise InputError(
                file.place(("data", number, "known_events", at)),
                f"data.{number}.known_events.{at}: {in_words(event.at)} lies outside the period",
                "correct the day, or the period",
            )


def _check_interval(file: YamlFile, request: Request, train: Settings) -> None:
    """Refuse intervals by regime where no regimes are set."""
    if request.evaluation.interval.by is None or getattr(train, "regimes", None) is not None:
        return
    family = request.question.family
    can = "regimes" in type(train).model_fields
    raise InputError(
        file.place(("evaluation", "interval", "by")),
        "evaluation.interval.by is regime, and there are no regimes"
        + ("" if can else f" in {family}"),
        "add train.regimes: {channel: ..., edges: [...]}" if can else "take it out",
    )
