"""The answer of the family `activity`: figures over held-out groups, sets, sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.families.baseline import against_majority
from lumipipe.families.class_events import class_decisions
from lumipipe.families.classifier_scores import (
    ClassifierScores,
    classifier_metrics,
    confusion_section,
    majority_share,
    set_coverage,
    set_section,
    window_table,
)
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.pages.interface import read_by
from lumipipe.families.verdicts import allowed, conclude, undecided_sentence
from lumipipe.families.window_classifier import classifier_split
from lumipipe.language import many, say, term
from lumipipe.metrics.confusion import accuracy, f1_scores, macro_f1
from lumipipe.reporting.figures.declared import (
    Chart,
    IntervalRow,
    Intervals,
    Panel,
    Reference,
)
from lumipipe.reporting.result import (
    Coverage,
    Metric,
    NotAnswered,
    Result,
    Run,
    Section,
    Split,
    Unit,
)
from lumipipe.splits import split_sentence
from lumipipe.uncertainty.proportions import clopper_pearson

if TYPE_CHECKING:
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.window_classifier import WindowClassifier
    from lumipipe.fold import Leaves


def judge(job: Job, model: Model, leaves: Leaves, classifier: WindowClassifier) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        The trained model.
    leaves : dict of (unit, group) to State
        Folded scores.
    classifier : WindowClassifier
        What was fitted.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    whole = not classifier.per_row and isinstance(classifier.split, GroupSplit)
    groups = classifier.groups if whole else None  # recordings are judged as a whole, or not
    scores = ClassifierScores(model.card["classes"], leaves, groups)
    leakage = classifier.leakage(model, scores.rows["number"])
    metrics = classifier_metrics(job.request, scores, job.score.confidence)
    verdict = conclude(metrics)
    coverage = set_coverage(job.request.evaluation.interval.coverage, scores)
    split = classifier_split(job.request)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(job, scores, metrics[0], coverage),
        verdict=allowed(verdict, leakage),
        would_change=_would_change(job, metrics),
        metrics=metrics,
        units=_units(job, scores),
        coverage=coverage,
        split=Split(
            kind=split.kind,
            sentence=split_sentence(split, len(model.arrays["fold_choice"])),
            because=split.because if isinstance(split, RandomSplit) else None,
        ),
        leakage=leakage,
        counts={
            many("groups held out"): len(scores.names),
            many("recordings"): len(scores.recordings),
            many("windows"): len(scores.rows["number"]),
            many("classes"): len(scores.classes),
        },
        not_answered=_not_answered(scores),
        not_answered_reason=say(
            "Every class was told apart from the others better than by chance."
        ),
        sections=_sections(job, model, scores),
        run=Run(),
    )
    return Outcome(
        result,
        {"windows": window_table(job.dataset.recordings, scores)},
        compared=tuple(against_majority(scores, classifier.fold_of_group, job.seed)),
        decisions=class_decisions(classifier, model, scores.rows),
    )


def _answer(job: Job, scores: ClassifierScores, metric: Metric, coverage: Coverage) -> str:
    """The answer in one sentence."""
    size = scores.set_size.sum() / max(1, scores.confusion.sum())
    spread = (
        say(
            " ({confidence:.0%} interval {lower:.3f} to {upper:.3f} over {count} held-out groups)",
            confidence=job.score.confidence,
            lower=metric.lower,
            upper=metric.upper,
            count=metric.count,
        )
        if metric.lower is not None
        else ""
    )
    return say(
        "{classes} classes of {label} are recognised with a macro-F1 of {value:.3f} per "
        "window{spread}; sets that promise {nominal:.0%} contained the truth in "
        "{achieved:.1%} of the windows with {size:.1f} classes on average.",
        classes=len(scores.classes),
        label=job.train.label,
        value=metric.value,
        spread=spread,
        nominal=coverage.nominal,
        achieved=coverage.achieved,
        size=size,
    )


def _would_change(job: Job, metrics: list[Metric]) -> str:
    """What would change the answer."""
    if not job.request.evaluation.metrics:
        return say("No condition was set under evaluation.metrics, so nothing can be supported.")
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    close = min(
        (metric for metric in metrics if metric.condition and metric.value is not None),
        key=lambda metric: abs((metric.lower or 0.0) - (metric.value or 0.0)),
    )
    return say(
        "Groups unlike those held out here: {label} rests on {count} of them, and sensors "
        "worn in another place or way were not tested.",
        label=close.label,
        count=close.count,
    )


def _units(job: Job, scores: ClassifierScores) -> list[Unit]:
    """One entry for each recording, or for each held-out group where labels change within."""
    if not scores.by_recording:
        f1 = macro_f1(scores.confusion)
        return [
            Unit(
                id=name,
                verdict=term("macro-F1 {value}", value=f"{f1[g]:.2f}"),
                sentence=say(
                    "{confusion} windows, none of them seen in training",
                    confusion=int(scores.confusion[g].sum()),
                ),
                values={
                    term("macro-F1"): float(f1[g]),
                    term("accuracy"): float(accuracy(scores.confusion[g])),
                },
            )
            for g, name in enumerate(scores.names)
        ]
    units = []
    ordered = np.sort(scores.recording_outputs, axis=1)
    for i, r in enumerate(scores.recordings):
        truth = scores.classes[scores.recording_truth[i]]
        predicted = scores.classes[scores.recording_predicted[i]]
        units.append(
            Unit(
                id=job.dataset.recordings[r].id,
                verdict=term("correct") if truth == predicted else term("wrong"),
                severity="good" if truth == predicted else "bad",
                sentence=say(
                    "recognised as {predicted}, labelled {truth}",
                    predicted=predicted,
                    truth=truth,
                ),
                values={term("margin"): round(float(ordered[i, -1] - ordered[i, -2]), 3)},
            )
        )
    return units


def _not_answered(scores: ClassifierScores) -> list[NotAnswered]:
    """Classes that are not told from the rest better than by chance."""
    counts = scores.confusion.sum(axis=0)
    total = counts.sum()
    open_questions = []
    for c, name in enumerate(scores.classes):
        predicted = int(counts[:, c].sum())
        base = counts[c].sum() / max(1, total)
        lower, _ = clopper_pearson(int(counts[c, c]), predicted) if predicted else (0.0, 1.0)
        if lower <= base:
            open_questions.append(
                NotAnswered(
                    question=say("Is this {name}?", name=name),
                    reason=say(
                        "{name} is named no more often rightly than its share of {base:.0%}",
                        name=name,
                        base=base,
                    ),
                )
            )
    return open_questions


def _sections(job: Job, model: Model, scores: ClassifierScores) -> list[Section]:
    """Confusions, spread over groups, sets, and the choice of the penalty."""
    return [
        confusion_section(scores),
        set_section(),
        *read_by("engineer", [_group_section(scores), _model_section(job, model)]),
    ]


def _group_section(scores: ClassifierScores) -> Section:
    """How much the figures differ between held-out groups."""
    f1 = macro_f1(scores.confusion)
    shares = accuracy(scores.confusion)
    rows = []
    for g in np.argsort(shares, kind="stable"):
        right, total = int(np.trace(scores.confusion[g])), int(scores.confusion[g].sum())
        low, high = clopper_pearson(right, total)
        rows.append(
            IntervalRow(
                label=scores.names[g], value=float(shares[g]), lower=low, upper=high, count=total
            )
        )
    by_class = f1_scores(scores.confusion.sum(axis=0))
    return Section(
        title=say("From group to group"),
        paragraphs=[
            say(
                "Macro-F1 of single groups runs from {f1:.2f} to {f1_2:.2f}. The weakest "
                "class is {classes} (F1 {by_class:.2f}).",
                f1=f1.min(),
                f1_2=f1.max(),
                classes=scores.classes[int(by_class.argmin())],
                by_class=by_class.min(),
            )
        ],
        figures=[
            Intervals(
                kind="intervals",
                title=say("Accuracy of each held-out group"),
                caption=say(
                    "Windows overlap, so the bars of single groups are too short; the "
                    "spread between groups is what counts."
                ),
                alt=say("One interval a held-out group."),
                rows=rows,
                reference=Reference(
                    value=majority_share(scores), label=say("always the most frequent class")
                ),
                x_label=say("share of windows recognised"),
            )
        ],
    )


def _model_section(job: Job, model: Model) -> Section:
    """What the model is and how its penalty was chosen."""
    error = model.arrays["path_error"].mean(axis=0)
    penalties = model.card["penalties"]
    count = len(model.card["features"])
    edge = float(model.arrays["final_choice"]) in (penalties[0], penalties[-1])
    note = say(" It stands at the end of the list: a longer list may do better.") if edge else ""
    return Section(
        title=say("The model"),
        paragraphs=[
            say(
                "{count} features of {window_s:g} s windows ({features}) and a ridge "
                "classifier. The penalty of each held-out group was chosen on other "
                "groups; for new data it is {final_choice:g}.{note}",
                count=count,
                window_s=job.train.window_s,
                features=", ".join(job.train.features),
                final_choice=float(model.arrays["final_choice"]),
                note=note,
            )
        ],
        figures=[
            Chart(
                kind="chart",
                title=say("Validation error along the penalties"),
                caption=say("Mean squared error on groups that the model had not seen."),
                alt=say("Validation error against the logarithm of the penalty."),
                x=[float(np.log10(penalty)) for penalty in penalties],
                x_label=say("log10 of the penalty"),
                panels=[Panel(y=error.tolist(), y_label=say("mean squared error"))],
            )
        ],
    )
