"""Sections of the answer of the family `technique`: first for the coach, then for the engineer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.classifier_scores import confusion_section, set_section
from lumipipe.families.pages.interface import read_by
from lumipipe.families.technique_cycles import Exported
from lumipipe.families.technique_tables import MODELS, Estimate
from lumipipe.language import say, translated
from lumipipe.metrics.confusion import f1_scores
from lumipipe.reporting.figures.declared import (
    Chart,
    Column,
    Confusion,
    ConfusionPanel,
    Panel,
    Table,
)
from lumipipe.reporting.parts import Cell, Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.technique_facts import Facts
    from lumipipe.families.technique_tables import Recognition
    from lumipipe.uncertainty.means import Mean


def sections(facts: Facts) -> list[Section]:
    """What a coach reads, what an engineer reads, and who may read it."""
    found: list[Section] = []
    if facts.means is not None:
        found += read_by("coach", [_cycle_section(facts)])
        if facts.conditions:
            found += read_by("coach", [_condition_section(facts)])
    if facts.scores is not None and facts.coverage is not None:
        found += [
            _recognition_section(facts),
            _confusions(facts),
            set_section(),
            *read_by("engineer", [_label_section(facts), _model_section(facts)]),
        ]
    if facts.means is not None:
        found += read_by("engineer", [_count_section(facts)])
    return [*found, *read_by("coach", [_reader_section(facts)])]


def signed(value: float, digits: int = 2) -> str:
    """A difference in words, with a sign."""
    return say("{value:+.{digits}f}", value=value, digits=digits).replace("-", "\u2212")


def _cell(mean: Mean) -> Cell:
    """A mean over athletes in a table."""
    if not mean.units:
        return None
    low, high = (b if np.isfinite(b) else None for b in (mean.lower, mean.upper))
    return Interval(value=mean.value, lower=low, upper=high)


def _cycle_section(facts: Facts) -> Section:
    """For the coach: cycles by technique."""
    means, cycles = facts.means, facts.cycles
    assert means is not None and cycles is not None  # noqa: PT018
    shown = [c for c in range(len(cycles.names)) if c != 1]  # the second count has its own place
    kinds: list[int | None] = [*range(len(facts.classes)), None]
    kinds = [k for k in kinds if means.technique(k).any()]
    heads = [facts.classes[k] if k is not None else say("all cycles") for k in kinds]
    rows: list[list[Cell]] = [
        [
            cycles.label(c),
            *(_cell(means.mean(c, means.technique(k))) for k in kinds),
        ]
        for c in shown
    ]
    if facts.classes:
        shares = [means.poling_share(k) for k in kinds]
        rows.append(
            [
                say("windows with cycles (%)"),
                *(round(100 * s) if np.isfinite(s) else None for s in shares),
            ]
        )
    text = [
        say(
            "A cycle runs from one plant of a pole to its next. In a technique with a "
            "pole plant on every second stride it is two strides long."
        ),
        say("All numbers are of one athlete, so that none has an interval.")
        if len(means.athletes) == 1
        else say(
            "Each number is the mean over {athletes} athletes, each counting once, with its "
            "{confidence:.0%} interval in brackets. Numbers of single athletes are not compared "
            "here: this is no ranking.",
            athletes=len(means.athletes),
            confidence=means.confidence,
        ),
    ]
    if facts.classes:
        text.append(
            say(
                "{without_technique} of {poling} windows lie near a change of technique; they "
                "are in the last column only.",
                without_technique=means.without_technique,
                poling=len(means.poling),
            )
        )
    return Section(
        title=say("The cycles"),
        paragraphs=text,
        figures=[
            Table(
                kind="table",
                title=say("Cycles by technique") if facts.classes else say("Cycles"),
                caption=say(
                    "Windows with cycles, side by side, of {window_s:g} s; technique as labelled.",
                    window_s=cycles.cycles.window_s,
                )
                if facts.classes
                else say(
                    "Windows with cycles, side by side, of {window_s:g} s.",
                    window_s=cycles.cycles.window_s,
                ),
                alt=say("Mean cycle rate, contact, force and impulse of each technique."),
                columns=[
                    Column(label=say("of the cycles")),
                    *(Column(label=head) for head in heads),
                ],
                rows=rows,
            )
        ],
    )


def _condition_section(facts: Facts) -> Section:
    """For the coach: what differs between two conditions."""
    means, cycles = facts.means, facts.cycles
    assert means is not None and cycles is not None  # noqa: PT018
    one, two = facts.conditions
    everything = means.technique(None)
    rows: list[list[Cell]] = []
    clear = 0
    for c in range(len(cycles.names)):
        if c == 1:
            continue
        first, second, change = means.difference(c, everything, (one, two))
        sure = bool(change.units > 1 and (change.lower > 0 or change.upper < 0))
        clear += sure
        rows.append(
            [
                cycles.label(c),
                first.value if first.units else None,
                second.value if second.units else None,
                _cell(change),
                say("yes") if sure else say("no"),
            ]
        )
    units = means.difference(0, everything, (one, two))[2].units
    return Section(
        title=say("Compared: {one} and {two}", one=one, two=two),
        paragraphs=[
            say(
                "The same {units} athletes under both conditions, all cycles together, so "
                "that no label of technique matters here. The difference is the second "
                "less the first, with its {confidence:.0%} interval over athletes.",
                units=units,
                confidence=means.confidence,
            ),
            say(
                "{clear} of {rows} intervals do not contain zero. Of so many intervals "
                "one in twenty misses by chance alone. Which run came first is not told "
                "apart from the condition.",
                clear=clear,
                rows=len(rows),
            ),
        ],
        figures=[
            Table(
                kind="table",
                title=say("What differs between {one} and {two}", one=one, two=two),
                caption=say("Mean over athletes, each counting once; all windows with cycles."),
                alt=say("Cycles under {one}, under {two}, and their difference.", one=one, two=two),
                columns=[
                    Column(label=say("of the cycles")),
                    Column(label=one),
                    Column(label=two),
                    Column(label=say("difference")),
                    Column(label=say("interval without zero")),
                ],
                rows=rows,
            )
        ],
    )


def _recognition_section(facts: Facts) -> Section:
    """Who taught the model, side by side."""
    seen = facts.recognition
    assert seen is not None
    rows: list[list[Cell]] = []
    for model, words in MODELS.items():
        if model != "outputs" and not seen.has_personal:
            continue
        rows.append([say(words), *_row(facts, seen, model)])
    conditions = facts.conditions
    columns = [say("away from changes"), say("near changes"), *conditions]
    if len(conditions) > 1:
        columns.append(
            say(
                "{conditions} less {conditions_2}",
                conditions=conditions[1],
                conditions_2=conditions[0],
            )
        )
    text = [
        say(
            "Macro-F1 counts each technique alike; 1 is perfect. Every window is judged "
            "by a model that has not seen its recording; in the first row, not its "
            "athlete either. The intervals come from drawing the {athletes} athletes again.",
            athletes=len(seen.athletes),
        ),
    ]
    if seen.has_personal:
        gain = seen.f1_difference(("own", seen.stable), ("outputs", seen.stable))
        text.append(
            say(
                "Personal less unseen athlete, window by window: {signed} (interval "
                "{signed_2} to {signed_3}). A personal model has far fewer windows to learn "
                "from, but the right person.",
                signed=signed(gain.value),
                signed_2=signed(gain.lower),
                signed_3=signed(gain.upper),
            )
        )
    if facts.copies:
        text.append(
            say(
                "Do not believe the personal rows: the labels of {pairs_in_words} are one set "
                "that was carried over from one recording to the other, with its errors.",
                pairs_in_words=facts.pairs_in_words(),
            )
        )
    return Section(
        title=say("Recognising technique: an athlete never seen, and a personal model"),
        paragraphs=text,
        figures=[
            Table(
                kind="table",
                title=say("Macro-F1 by who taught the model"),
                caption=say("The columns of conditions are away from changes."),
                alt=say("Macro-F1 of three ways to teach, with intervals over athletes."),
                columns=[Column(label=say("taught by")), *(Column(label=name) for name in columns)],
                rows=rows,
            )
        ],
    )


def _row(facts: Facts, seen: Recognition, model: str) -> list[Cell]:
    """Figures of one model in a row."""
    found: list[Estimate] = [seen.f1(model, seen.stable), seen.f1(model, ~seen.stable)]
    masks = [seen.stable & (seen.condition == value) for value in facts.conditions]
    found += [seen.f1(model, mask) for mask in masks]
    if len(masks) > 1:
        found.append(seen.f1_difference((model, masks[1]), (model, masks[0])))
    return [estimate.cell() for estimate in found]


def _confusions(facts: Facts) -> Section:
    """What is taken for what, athletes together; single athletes are not shown."""
    scores, seen = facts.scores, facts.recognition
    assert scores is not None and seen is not None  # noqa: PT018
    whole = confusion_section(scores)
    panels = [
        ConfusionPanel(
            title=say("away from changes"), counts=scores.confusion.sum(axis=0).tolist()
        ),
        ConfusionPanel(
            title=say("near changes"),
            counts=seen.confusions("outputs", ~seen.stable).sum(axis=0).tolist(),
        ),
    ]
    panels += [
        ConfusionPanel(
            title=value,
            counts=seen.confusions("outputs", seen.stable & (seen.condition == value))
            .sum(axis=0)
            .tolist(),
        )
        for value in facts.conditions
    ]
    by_class = f1_scores(scores.confusion.sum(axis=0))
    weakest = int(by_class.argmin())
    return Section(
        title=whole.title,
        paragraphs=[
            *whole.paragraphs,
            say(
                "The weakest is {classes} (F1 {by_class:.2f}). Of the four panels below, "
                "those of the conditions are away from changes.",
                classes=scores.classes[weakest],
                by_class=by_class[weakest],
            )
            if facts.conditions
            else say(
                "The weakest is {classes} (F1 {by_class:.2f}).",
                classes=scores.classes[weakest],
                by_class=by_class[weakest],
            ),
        ],
        figures=[
            Confusion(
                kind="confusion",
                title=say("Windows by labelled and recognised technique"),
                caption=say(
                    "Rows are labelled, columns recognised; athletes never seen, all together."
                ),
                alt=say("Confusion matrices away from changes, near them, and by condition."),
                labels=scores.classes,
                panels=panels,
            )
        ],
    )


def _label_section(facts: Facts) -> Section:
    """For the engineer: how far labels can be trusted."""
    seen, classifier = facts.recognition, facts.classifier
    assert seen is not None and classifier is not None  # noqa: PT018
    near = float((~seen.stable).mean())
    text = [
        say(
            "A window of {window_s:g} s with a change of label in it or within "
            "{margin_s:g} s of it taught nothing and is judged apart: {near:.0%} of all "
            "windows. The margin is the request's (margin_s), to be set before figures "
            "are seen. The first and last seconds of each part, up to the margin, are not "
            "judged.",
            window_s=classifier.settings.window_s,
            margin_s=classifier.settings.margin_s,
            near=near,
        ),
    ]
    if not classifier.per_row:
        text = [say("The label is one for each recording; nothing changes within.")]
    elif facts.copies:
        text.append(
            say(
                "The labels of {pairs_in_words} agree in {share:.1%} of the rows, counted "
                "from the start of each part up to its last change. Two persons, or one "
                "person twice, do not agree so well: one set of labels was carried over. "
                "Where the athlete was faster or slower the second time, labels stand at "
                "wrong places far beyond any margin, and no figure for these recordings can "
                "be near 1.",
                pairs_in_words=facts.pairs_in_words(),
                share=min(c.share for c in facts.copies),
            )
        )
    else:
        text.append(say("No two recordings of an athlete have the same labels row by row."))
    return Section(title=say("Labels and changes"), paragraphs=text)


def _model_section(facts: Facts) -> Section:
    """For the engineer: what the model is and how its penalty was chosen."""
    model, settings = facts.model, facts.job.train.classifier
    error = model.arrays["path_error"].mean(axis=0)
    penalties = model.card["penalties"]
    choice = float(model.arrays["final_choice"])
    edge = (
        say(" It stands at the end of the list: a longer list may do better.")
        if choice in (penalties[0], penalties[-1])
        else ""
    )
    return Section(
        title=say("The model"),
        paragraphs=[
            say(
                "{features} features of {window_s:g} s windows ({settings_features}) of "
                "{channels} channels, and linear discriminants whose classes weigh alike. "
                "The penalty of each athlete's model was chosen on the other athletes; "
                "personal models take the same. For new data it is {choice:g}.{edge}",
                features=len(model.card["features"]),
                window_s=settings.window_s,
                settings_features=", ".join(settings.features),
                channels=len(model.card["channels"]),
                choice=choice,
                edge=edge,
            ),
        ],
        figures=[
            Chart(
                kind="chart",
                title=say("Validation error along the penalties"),
                caption=say("Brier score, each class counting alike, on athletes not seen."),
                alt=say("Validation error against the logarithm of the penalty."),
                x=[float(np.log10(penalty)) for penalty in penalties],
                x_label=say("log10 of the penalty"),
                panels=[Panel(y=error.tolist(), y_label=say("Brier score"))],
            )
        ],
    )


def _count_section(facts: Facts) -> Section:
    """For the engineer: two ways of counting, and how far they agree."""
    means, cycles = facts.means, facts.cycles
    assert means is not None and cycles is not None  # noqa: PT018
    agreement = means.agreement()
    ways, where, grain = _two_ways(facts)
    if agreement.pairs < 2:  # noqa: PLR2004  # limits need two
        text = [say("No window has both counts, so nothing can be said of their agreement.")]
        return Section(title=say("Are the cycles counted rightly?"), paragraphs=text)
    difference = means.rows["values"][:, 0] - means.rows["values"][:, 1]
    known = difference[np.isfinite(difference)]
    middle = float(np.median(known))
    return Section(
        title=say("Are the cycles counted rightly?"),
        paragraphs=[
            say(
                "Compared are {ways} and {ways_2}, in {where}. Neither is the truth: "
                "nobody has counted by eye.",
                ways=ways[0],
                ways_2=ways[1],
                where=where,
            ),
            say(
                "The median difference is {signed} per minute. The limits of agreement take "
                "differences as normal; rare windows in which one way takes two cycles for "
                "one, or one for two, widen them.",
                signed=signed(middle),
            )
            + grain,
        ],
        figures=[
            Table(
                kind="table",
                title=say("Agreement of two counts"),
                caption=say("First way less second; the limits hold about 95 % of single windows."),
                alt=say("Bias and limits of agreement."),
                columns=[
                    Column(label=say("windows")),
                    Column(label=say("bias"), unit="1/min"),
                    Column(label=say("lower limit"), unit="1/min"),
                    Column(label=say("upper limit"), unit="1/min"),
                ],
                rows=[
                    [
                        agreement.pairs,
                        round(agreement.bias, 2),
                        round(agreement.lower, 1),
                        round(agreement.upper, 1),
                    ]
                ],
            )
        ],
    )


def _two_ways(facts: Facts) -> tuple[tuple[str, str], str, str]:
    """What is compared, in which windows, and how fine the coarser way is."""
    cycles = facts.cycles
    assert cycles is not None  # told apart by the caller
    settings = cycles.cycles
    if isinstance(settings, Exported):
        step = 60.0 * cycles.rate_hz / max(1, cycles.window_rows - 1)
        return (
            (
                say("the instrument's rate"),
                say("the steps of its counter {counter}", counter=settings.counter),
            ),
            say("windows in which every row has a rate"),
            say(
                " The counter knows whole cycles only: one more or less is {step:.0f} per "
                "minute in such a window, so the bias says more than the limits.",
                step=step,
            ),
        )
    way = say(
        "onsets above {begins:g} after falling below {ends:g}",
        begins=settings.begins,
        ends=settings.ends,
    )
    other = say("autocorrelation of each pole's force")
    if settings.rate is not None:
        other = say("the instrument's rate {rate}", rate=settings.rate)
    return (way, other), say("windows with three whole cycles of each pole or more"), ""


def _reader_section(facts: Facts) -> Section:
    """Who may see the page."""
    rights = facts.job.request.rights
    if rights.personal_data == "none":
        text = [say("The request declares that these are no data of persons.")]
    else:
        text = [
            say(
                "These are data of persons ({personal_data}). With so few athletes in a "
                "team, a pseudonym is soon a name: show the page to the athletes "
                "themselves, to their coach and to whom the owner allows it (owner: "
                "{owner}), and to nobody else. The tables beside it hold each window of "
                "each athlete and are for the engineer only.",
                personal_data=translated(rights.personal_data),
                owner=rights.owner,
            ),
            say(
                "This page draws no track, no position and no trace of a single athlete. "
                "Athletes stand in the order of their pseudonyms; a low figure says that "
                "the method fails, not the athlete."
            ),
        ]
    return Section(title=say("Who may see this page"), paragraphs=text)
