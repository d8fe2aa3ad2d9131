"""The sections of a report of the family `hrv`: tables, figures, and how they are to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import NOT_CHARACTERISED
from lumipipe.families.hrv_figures import COMPARED
from lumipipe.families.hrv_folding import KINDS
from lumipipe.families.hrv_history import history_section
from lumipipe.families.hrv_recordings import LONG
from lumipipe.families.hrv_words import LABELS, cell, number
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.pages.interface import read_by
from lumipipe.language import message, say, translated
from lumipipe.reporting.figures.declared import (
    Bars,
    Chart,
    Column,
    Panel,
    Table,
)
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.hrv_change import Changes
    from lumipipe.families.hrv_recordings import Heart
    from lumipipe.families.interface import Job

_MOST_CHARTS = 4
_FEWEST_POINTS = 3
_HOW_SURE = message(
    "Type A: the delete-one jackknife over blocks of {block} s, of the logarithm of each "
    "figure. It says how well the recording shows the state that it was made in, as long "
    "as that state did not change; what swings more slowly than a block is not in it. "
    "Type B: the resolution q of the recorder adds q²/2 to the mean squared successive "
    "difference and q²/6 to the variance of NN, for times that are multiples of q; "
    "figures are not corrected for it. Errors of a sensor that is not characterised, and "
    "beats that it misses or makes up without a jump, are in no interval."
)
_TASK_FORCE = "Task Force of ESC and NASPE, Circulation 93 (1996) 1043-1065"


def sections(job: Job, found: list[Heart], changes: Changes) -> list[Section]:
    """All sections, in order."""
    answered = [heart for heart in found if not heart.is_refused]
    parts = read_by("coach", [_seen(job), history_section(job, found, changes)])
    if answered:
        parts += [*read_by("coach", [_windows(job, answered)]), _figures(job, answered)]
    return [*parts, _excluded(job, found), *read_by("metrologist", [_sure(job, found)])]


def _seen(job: Job) -> Section:
    """Who may look, and how the recordings were made."""
    return Section(
        title=say("Who may see this page"),
        paragraphs=[
            say(
                "To be seen by: {seen_by}. It shows figures of single persons.",
                seen_by=job.asset.seen_by.rstrip("."),
            ),
            say(
                "How the recordings were made: {protocol}. Figures of unlike posture, "
                "breathing or effort differ for that reason alone.",
                protocol=translated(job.asset.protocol, among=(NOT_STATED,)).rstrip("."),
            ),
        ],
    )


def _windows(job: Job, answered: Sequence[Heart]) -> Section:
    """RMSSD and mean NN along the longest recordings."""
    long = [heart for heart in answered if len(heart.full) >= _FEWEST_POINTS]
    long = sorted(long, key=lambda heart: -heart.beats.seconds)[:_MOST_CHARTS]
    text = say(
        "Windows of {window_s:g} s, counted from the first beat. Those that are not full "
        "have no value.",
        window_s=job.train.window_s,
    )
    if not long:
        text = say(
            "No recording is long enough for a course over windows of {window_s:g} s.",
            window_s=job.train.window_s,
        )
    return Section(
        title=say("Course within recordings"),
        paragraphs=[text],
        figures=[_chart(job, heart) for heart in long],
    )


def _chart(job: Job, heart: Heart) -> Chart:
    """One recording."""
    minutes = job.train.window_s / 60.0
    by_number = {window.number: window for window in heart.full}
    numbers = range(heart.full[-1].number + 1)
    panels = [
        Panel(
            y=[
                number(by_number[at].figures[name].value) if at in by_number else None
                for at in numbers
            ],
            y_label=say("{labels} (ms)", labels=say(LABELS[name])),
        )
        for name in ("rmssd", "sdnn", "mean_nn")
    ]
    return Chart(
        kind="chart",
        title=heart.row.id,
        caption=say(
            "{full} full windows of {windows}.",
            full=len(heart.full),
            windows=len(heart.windows),
        ),
        alt=say(
            "RMSSD, SDNN and mean NN of {id} in {full} windows.",
            id=heart.row.id,
            full=len(heart.full),
        ),
        x=[(at + 0.5) * minutes for at in numbers],
        x_label=say("time since the first beat (min), middle of the window"),
        panels=panels,
    )


def _figures(job: Job, answered: Sequence[Heart]) -> Section:
    """All figures of recordings that are answered."""
    coverage = job.request.evaluation.interval.coverage
    rows: list[list[Any]] = [
        [
            heart.row.id,
            round(heart.beats.seconds / 60.0, 2),
            heart.beats.count,
            *(cell(heart.figures[name]) for name in COMPARED),
            number(heart.beats.heart_rate),
        ]
        for heart in answered
    ]
    return Section(
        title=say("Figures of whole recordings"),
        paragraphs=[
            say(
                "Definitions: {task_force}. SDNN and triangular index of recordings of "
                "unlike length are not comparable; the history above compares equal "
                "windows. SDANN (spread of the means of windows) and SDNN index (mean of "
                "their SDNN) are given from {long} full windows on.",
                task_force=_TASK_FORCE,
                long=LONG,
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Time domain"),
                caption=say(
                    "With {coverage:.0%} intervals where a recording has enough blocks.",
                    coverage=coverage,
                ),
                alt=say("Figures of {rows} recordings.", rows=len(rows)),
                columns=[
                    Column(label=say("recording")),
                    Column(label=say("normal time"), unit="min"),
                    Column(label=say("NN")),
                    *(Column(label=say(LABELS[name]), unit="ms") for name in COMPARED),
                    Column(label=say("heart rate"), unit="1/min"),
                ],
                rows=rows,
            ),
            _further(answered),
        ],
    )


def _further(answered: Sequence[Heart]) -> Table:
    """Figures that are given without an interval."""
    rows: list[list[Any]] = [
        [
            heart.row.id,
            number(np.log(heart.beats.rmssd)) if heart.beats.rmssd > 0.0 else None,
            *(number(value) for value in (heart.beats.sdsd, heart.beats.pnn50, heart.index)),
            number(heart.sdann),
            number(heart.sdnn_index),
        ]
        for heart in answered
    ]
    return Table(
        kind="table",
        title=say("Further figures"),
        caption=say(
            "Without intervals. ln RMSSD is the natural logarithm of RMSSD in ms; n/a: the "
            "recording is too short."
        ),
        alt=say("Further figures of {rows} recordings.", rows=len(rows)),
        columns=[
            Column(label=say("recording")),
            Column(label=say("ln RMSSD")),
            Column(label=say("SDSD"), unit="ms"),
            Column(label=say("pNN50"), unit="%"),
            Column(label=say("triangular index")),
            Column(label=say("SDANN"), unit="ms"),
            Column(label=say("SDNN index"), unit="ms"),
        ],
        rows=rows,
    )


def _excluded(job: Job, found: Sequence[Heart]) -> Section:
    """What was excluded and by which rule."""
    train, score = job.train, job.score
    limits = train.artefacts
    rules = say(
        "Excluded is what lies outside {shortest_ms:g} to {longest_ms:g} ms, and where "
        "nobody annotated the beats what is more than {jump:.0%} away from the median of "
        "{neighbours} intervals on each side (the kind of rule of Karlsson et al., "
        "BioMed. Eng. OnLine 11 (2012) 2, with a median for their mean). No median "
        "reaches across a break.",
        shortest_ms=limits.shortest_ms,
        longest_ms=limits.longest_ms,
        jump=limits.jump,
        neighbours=limits.neighbours,
    )
    if train.normal is not None:
        rules += say(
            " Where beats are annotated ({label}), an interval counts only if both of its "
            "beats are {values}, and jumps are not looked for.",
            label=train.normal.label,
            values=say(" or ").join(train.normal.values),
        )
    if train.edited:
        rules += say(
            " Edited before, so that only the range is looked at: {edited}.",
            edited=", ".join(train.edited),
        )
    policy = say(
        "Nothing is put in the place of what is excluded, and no successive difference "
        "reaches over it. Recordings with more than {most_artefacts:.1%} are refused; "
        "this limit is the request's, not one of a standard.",
        most_artefacts=score.most_artefacts,
    )
    rows: list[list[Any]] = [
        [
            heart.row.id,
            heart.beats.intervals,
            *heart.beats.kinds[1:],
            round(100.0 * heart.beats.excluded_share, 2),
            say("refused") if heart.is_refused else say("answered"),
        ]
        for heart in found
    ]
    return Section(
        title=say("What was excluded"),
        paragraphs=[rules, policy],
        figures=[
            Table(
                kind="table",
                title=say("Intervals by kind"),
                caption=say(
                    "Each interval counts for the first reason that holds, from left to right."
                ),
                alt=say("Excluded intervals of {rows} recordings.", rows=len(rows)),
                columns=[
                    Column(label=say("recording")),
                    Column(label=say("intervals")),
                    *(Column(label=translated(name)) for name in KINDS[1:]),
                    Column(label=say("excluded"), unit="%"),
                    Column(label=say("recording is")),
                ],
                rows=rows,
            ),
            Bars(
                kind="bars",
                title=say("Excluded intervals"),
                caption=say(
                    "Refused above {most_artefacts:g} %.",
                    most_artefacts=100 * score.most_artefacts,
                ),
                alt=say("Share of excluded intervals of each recording."),
                labels=[heart.row.id for heart in found],
                values=[100.0 * heart.beats.excluded_share for heart in found],
                x_label=say("excluded intervals (%)"),
            ),
        ],
    )


def _sure(job: Job, found: Sequence[Heart]) -> Section:
    """What intervals hold, and what they do not."""
    rows: list[list[Any]] = []
    for heart in found:
        if heart.is_refused:
            continue
        recorder = job.asset.recorders.get(heart.row.source)
        rows.append(
            [
                heart.row.id,
                None if recorder is None else recorder.resolution_ms,
                say("not characterised")
                if recorder is None
                else translated(recorder.sensor, among=(NOT_CHARACTERISED,)),
                *(
                    part
                    for name in ("rmssd", "sdnn")
                    for part in (
                        number(heart.figures[name].u),
                        number(heart.figures[name].u_resolution),
                    )
                ),
            ]
        )
    return Section(
        title=say("How sure the figures are"),
        paragraphs=[say(_HOW_SURE, block=say("{block_s:g}", block_s=job.train.block_s))],
        figures=[
            Table(
                kind="table",
                title=say("Parts of the standard uncertainty"),
                caption=say(
                    "n/a: too short, or the resolution is not stated and not in the interval."
                ),
                alt=say("Parts of {rows} recordings.", rows=len(rows)),
                columns=[
                    Column(label=say("recording")),
                    Column(label=say("resolution q"), unit="ms"),
                    Column(label=say("sensor")),
                    Column(label=say("RMSSD: u between blocks"), unit="ms"),
                    Column(label=say("RMSSD: u of the resolution"), unit="ms"),
                    Column(label=say("SDNN: u between blocks"), unit="ms"),
                    Column(label=say("SDNN: u of the resolution"), unit="ms"),
                ],
                rows=rows,
            )
        ]
        if rows
        else [],
    )
