"""The regimes that a model was trained in, and where it was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.guard import guard_model
from lumipipe.families.pages.interface import Told, not_here
from lumipipe.families.pages.windows import classifier_card
from lumipipe.language import say, say_count, translated
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject

_MOST_NAMES = 5


def regimes_told(subject: Subject) -> Told:
    """What is known of the regimes, by family."""
    family = subject.job.request.question.family
    if family == "monitoring":
        return _of_monitoring(subject)
    if family == "bearing":
        return _of_bearings(subject)
    if "windows" in subject.outcome.tables:
        return _of_classes(subject)
    if "guard_low" in subject.model.arrays or "inside_envelope" in _rows(subject):
        return _of_inputs(subject)
    if family == "remaining_life" and subject.facts is not None:
        return _of_lives(subject)
    return _of_coverage(subject)


def _rows(subject: Subject) -> dict[str, Any]:
    """The table of rows, where there is one."""
    return subject.outcome.tables.get("rows", {})


def _section(figures: list[Any], text: str) -> Section:
    """A section with the map."""
    return Section(
        title=say("Regimes, and where the model was not trained"),
        paragraphs=[text] if text else [],
        figures=figures,
    )


def _of_monitoring(subject: Subject) -> Told:
    """Recordings: rows that taught, and tested rows by what is unlike the taught ones."""
    rows = subject.outcome.tables["rows"]
    names, phase = rows["recording"].astype(str), rows["phase"]
    t2, spe = rows["t2_alarm"].astype(bool), rows["spe_alarm"].astype(bool)
    found: list[list[Any]] = []
    for name in dict.fromkeys(names):
        mine = names == name
        tested = mine & (phase == "test")
        groups = (~t2 & ~spe, t2 & ~spe, ~t2 & spe, t2 & spe)
        counts = [int((tested & group).sum()) for group in groups]
        found.append([name, int((mine & (phase != "test")).sum()), int(tested.sum()), *counts])
    table = Table(
        kind="table",
        title=say("Rows like those that taught, and rows unlike them"),
        caption=say(
            "T²: the channels move together as before, but further; SPE: they no longer move "
            "together. The model says that such a row is unlike its training, not why."
        ),
        alt=say("Rows by recording."),
        columns=[
            Column(label=label)
            for label in (
                say("recording"),
                say("rows that teach or set limits"),
                say("rows tested"),
                say("like them"),
                say("beyond in T² alone"),
                say("beyond in SPE alone"),
                say("beyond in both"),
            )
        ],
        rows=found,
    )
    untaught = [row[0] for row in found if not row[1]]
    text = say(
        "Trained in the normal rows of the request alone. Another grade, load or season is unlike "
        "them and raises alarms, whether or not anything is broken."
    )
    if untaught:
        more = ", …" if len(untaught) > _MOST_NAMES else ""
        listed = ", ".join(untaught[:_MOST_NAMES]) + more
        text += " " + say("No row of {names} taught.", names=listed)
    outside = sum(sum(row[4:]) for row in found)
    tested = sum(row[2] for row in found)
    return Told(
        say(
            "{outside} of {tested} tested rows are unlike those that taught.",
            outside=rounded(outside),
            tested=rounded(tested),
        ),
        [_section([table], text)],
    )


def _of_bearings(subject: Subject) -> Told:
    """Speeds and labels of the recordings, with what can be said of each."""
    rows, job = subject.outcome.tables["diagnoses"], subject.job
    shaft = np.asarray(rows["shaft_hz"], dtype=float)
    band = job.train.band_hz
    known = {one["recording"]: one for one in job.known()}
    labels = sorted({name for source in job.request.data for name in source.labels})
    found = [
        [
            name,
            *(known[name].get(label, "") for label in labels),
            float(shaft[n]) if np.isfinite(shaft[n]) else None,
            translated(str(rows["verdict"][n])),
        ]
        for n, name in enumerate(rows["recording"])
    ]
    table = Table(
        kind="table",
        title=say("Recordings by what is known of them"),
        caption=say("A verdict holds for its own speed and load."),
        alt=say("One row a recording."),
        columns=[
            Column(label=say("recording")),
            *(Column(label=label) for label in labels),
            Column(label=say("shaft"), unit="Hz"),
            Column(label=say("verdict")),
        ],
        rows=found,
    )
    finite = shaft[np.isfinite(shaft)]
    lowest, highest = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    text = say(
        "Looked at from {low:g} to {high:g} Hz, at shaft speeds from {lowest:.4g} to {highest:.4g} "
        "Hz. Nothing is said of other speeds, of other bearing types, or of faults that are not "
        "seeded here.",
        low=band[0],
        high=band[1],
        lowest=lowest,
        highest=highest,
    )
    return Told(text, [_section([table], "")])


def _of_classes(subject: Subject) -> Told:
    """Classes and units that taught a classifier, with what was recognised of each."""
    rows = subject.outcome.tables["windows"]
    truth, right = rows["truth"].astype(str), rows["truth"] == rows["recognised"]
    unit_of = {row.id: row.unit for row in subject.job.dataset.recordings}
    units = np.array([unit_of[name] for name in rows["recording"]])
    found = [
        [
            name,
            len(np.unique(units[truth == name])),
            int((truth == name).sum()),
            round(100.0 * float(np.mean(right[truth == name])), 1),
        ]
        for name in sorted(set(truth))
    ]
    table = Table(
        kind="table",
        title=say("Classes that the model knows"),
        caption=say("Recognised by models that have not seen the group of the window."),
        alt=say("One row a class."),
        columns=[
            Column(label=say("class")),
            Column(label=say("units that teach it")),
            Column(label=say("windows")),
            Column(label=say("recognised"), unit="%"),
        ],
        rows=found,
    )
    card = classifier_card(subject)
    channels = ", ".join(name for name, _, _ in card["channels"])
    text = say_count(
        "Trained on {classes} classes of one unit, from {channels} at {rate:g} Hz.",
        "Trained on {classes} classes of {n} units, from {channels} at {rate:g} Hz.",
        n=len(np.unique(units)),
        classes=len(found),
        channels=channels,
        rate=float(card["rate_hz"]),
    )
    unseen = (
        say(
            "A motion of no class is still given one; another sensor, place of wearing or rate was "
            "never seen."
        )
        if subject.is_of_persons
        else say(
            "A state of no class is still given one; another sensor, mounting or rate was never "
            "seen."
        )
    )
    return Told(f"{text} {unseen}", [_section([table], "")])


def _of_inputs(subject: Subject) -> Told:
    """Ranges of the inputs of a regression in training, and tested rows outside the envelope."""
    card, arrays, rows = subject.model.card, subject.model.arrays, _rows(subject)
    tested = rows["phase"] == "test"
    inside = rows["inside_envelope"].astype(bool)
    count, outside = int(tested.sum()), int((tested & ~inside).sum())
    past = {
        name: int((tested & (rows[name].astype(float) > float(arrays[f"envelope_{name}"]))).sum())
        for name in ("t2", "spe")
    }
    figures = []
    if "guard_low" in arrays:
        guard = guard_model(arrays, -1)
        pairs = card["centre_and_scale"]
        names = [(name, unit) for name, _, unit in card["inputs"]]
        names += [(name, "") for name in card["watched"]]
        found: list[list[Any]] = []
        for n, (name, unit) in enumerate(names):
            ends = [float(guard[end][n]) + pairs[n][0] for end in ("low", "high")]
            if name in card["log"]:
                ends = [float(np.exp(end)) for end in ends]
            found.append([name, unit, *ends])
        figures.append(
            Table(
                kind="table",
                title=say("Ranges of the inputs in training"),
                caption=say("A row that passes an end by more than 5% of the range is outside."),
                alt=say("One row an input."),
                columns=[
                    Column(label=label)
                    for label in (say("input"), say("unit"), say("lowest"), say("highest"))
                ],
                rows=found,
            )
        )
    text = say(
        "Outside: {outside} of {count} tested rows; {t2} by T², {spe} by SPE, others by the range "
        "of an input. No verdict is given for them, and predictions there are marked.",
        outside=rounded(outside),
        count=rounded(count),
        t2=rounded(past["t2"]),
        spe=rounded(past["spe"]),
    )
    return Told(text, [_section(figures, "")] if figures else [])


def _of_lives(subject: Subject) -> Told:
    """Units by whether they lie inside the trained range."""
    rows = subject.facts.instants
    inside = rows["inside"].astype(bool)
    cap = subject.job.train.cap
    text = say(
        "{outside} of {units} judged units lie outside the range of those that taught; no "
        "life is given for them. Lives above {cap:g} were never told apart.",
        outside=int((~inside).sum()),
        units=len(inside),
        cap=cap,
    )
    return Told(text, _of_coverage(subject).sections)


def _of_coverage(subject: Subject) -> Told:
    """Regimes that intervals are told by."""
    coverage = subject.result.coverage
    if coverage is None:
        return not_here(say("nothing was learnt that could leave the regimes of its training."))
    if not coverage.groups:
        return Told(
            say(
                "What was learnt is judged as a whole: no regimes are told apart, and rows unlike "
                "those that taught are not left out."
            )
        )
    rows = [
        [
            group.name,
            group.count,
            Interval(value=group.achieved, lower=group.lower, upper=group.upper),
        ]
        for group in coverage.groups
    ]
    table = Table(
        kind="table",
        title=say("Regimes, and the share of cases that their intervals held"),
        caption=say("A regime without a case was not tested."),
        alt=say("One row a regime."),
        columns=[
            Column(label=say("regime")),
            Column(label=say("cases")),
            Column(label=say("share held")),
        ],
        rows=rows,
    )
    return Told(
        say("Regimes: {names}.", names=", ".join(group.name for group in coverage.groups[:6])),
        [_section([table], "")],
    )
