"""The answer of the family `technique`: metrics, verdict, what stays open, tables.

Its sections are in `lumipipe.families.technique_sections`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.baseline import NOTHING_PREDICTED, against_majority
from lumipipe.families.class_events import class_decisions
from lumipipe.families.classifier_scores import (
    ClassifierScores,
    classifier_metrics,
    set_coverage,
    window_table,
)
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.technique_classifier import STABLE
from lumipipe.families.technique_facts import FEWEST_ATHLETES, Facts
from lumipipe.families.technique_labels import copied_labels
from lumipipe.families.technique_sections import sections, signed
from lumipipe.families.technique_tables import CycleMeans, Recognition, joined_rows
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, message, say, term
from lumipipe.metrics.confusion import accuracy, macro_f1
from lumipipe.reporting.result import Metric, NotAnswered, Result, Run, Split, Unit
from lumipipe.splits import split_sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job, Model
    from lumipipe.families.technique_classifier import TechniqueClassifier
    from lumipipe.families.technique_cycles import CycleWindows
    from lumipipe.families.technique_tables import Estimate
    from lumipipe.fold import Leaves

_NO_SPLIT = message("Nothing was learnt from these data, so nothing was held out.")


def judge(
    job: Job,
    model: Model,
    windows: tuple[Leaves | None, TechniqueClassifier | None],
    cycles: tuple[Leaves | None, CycleWindows | None],
) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        The trained model.
    windows : tuple
        Folded scores and the classifier; None where nothing was learnt.
    cycles : tuple
        Folded cycles and their windows; None where none are described.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    facts = _facts(job, model, windows, cycles)
    metrics = _metrics(job, facts)
    leakage = []
    if facts.scores is not None and facts.classifier is not None:
        leakage = facts.classifier.leakage(model, facts.scores.rows["number"])
    split = job.request.evaluation.split
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(facts, metrics),
        verdict=allowed(conclude(metrics), leakage),
        would_change=_would_change(job, metrics),
        metrics=metrics,
        units=_units(facts),
        coverage=facts.coverage,
        split=Split(
            kind=split.kind,
            sentence=say(_NO_SPLIT)
            if facts.scores is None
            else split_sentence(split, len(model.arrays["fold_choice"])),  # type: ignore[arg-type]
        ),
        leakage=leakage,
        counts=_counts(facts),
        not_answered=_not_answered(facts),
        not_answered_reason=say(
            "Each technique, condition and count had enough athletes and windows."
        ),
        sections=sections(facts),
        run=Run(),
    )
    if facts.scores is None or facts.classifier is None:
        without = say("nothing is learnt without train.classifier")
        return Outcome(
            result,
            _tables(facts),
            facts,
            not_compared=say(NOTHING_PREDICTED),
            decisions=without,
        )
    folds = facts.classifier.fold_of_group
    return Outcome(
        result,
        _tables(facts),
        facts,
        compared=tuple(against_majority(facts.scores, folds, job.seed)),
        decisions=class_decisions(facts.classifier, model, facts.scores.rows),
    )


def _facts(
    job: Job,
    model: Model,
    windows: tuple[Leaves | None, TechniqueClassifier | None],
    cycles: tuple[Leaves | None, CycleWindows | None],
) -> Facts:
    """Everything that metrics and sections look at."""
    recordings, condition = job.dataset.recordings, job.train.condition
    leaves, classifier = windows
    scores = recognition = coverage = None
    copies = []
    if leaves is not None and classifier is not None:
        stable = {leaf[:2]: state for leaf, state in leaves.items() if leaf[2] == STABLE}
        scores = ClassifierScores(model.card["classes"], stable, None)
        recognition = Recognition(
            joined_rows(leaves),
            recordings,
            scores.classes,
            condition,
            job.seed,
            job.score.confidence,
        )
        coverage = set_coverage(job.request.evaluation.interval.coverage, scores)
        if classifier.per_row:
            copies = copied_labels(job.dataset, classifier.stream, classifier.settings.label)
    means = None
    if cycles[0] is not None:
        rows = joined_rows(cycles[0], "")
        means = CycleMeans(rows, recordings, condition, job.score.confidence)
    return Facts(job, model, classifier, scores, recognition, coverage, copies, cycles[1], means)


def _metrics(job: Job, facts: Facts) -> list[Metric]:
    """All figures with intervals over athletes; those that conditions may name come first."""
    found: list[Metric] = []
    if facts.scores is not None and facts.recognition is not None:
        found += classifier_metrics(job.request, facts.scores, job.score.confidence)
        found = [_not_from_few(metric) for metric in found]
        found += _beside(facts)
    if facts.means is not None:
        agreement = facts.means.agreement()
        if agreement.pairs > 1:
            limit = max(abs(agreement.lower), abs(agreement.upper))
            metric = Metric(
                name="count_limit",
                label=say("Largest limit of agreement of two ways to count cycles (1/min)"),
                value=float(limit),
                count=agreement.pairs,
                of=many("windows"),
                note=say("about 95 % of the differences of single windows are smaller"),
            )
            found.append(judged(metric, job.request.evaluation.metrics))
    return found


def _not_from_few(metric: Metric) -> Metric:
    """The metric; what rests on too few athletes is at best undecided."""
    few = (metric.count or 0) < FEWEST_ATHLETES
    changes: dict[str, Any] = {"of": many("athletes held out"), "note": _note(metric.count or 0)}
    if few and metric.met:
        changes["met"] = None
    return metric.model_copy(update=changes)


def _note(athletes: int) -> str:
    """How an interval was made, and whether it can be believed."""
    if athletes >= FEWEST_ATHLETES:
        return say("interval: athletes drawn again, 2000 times")
    # short: it stands under each figure of page 1, which is one sheet
    return say("{athletes} athletes drawn again: too narrow", athletes=athletes)


def _beside(facts: Facts) -> list[Metric]:
    """Figures that stand beside the one of unseen athletes; no condition may name them."""
    seen = facts.recognition
    assert seen is not None  # told apart by the caller
    change = ~seen.stable
    wanted: list[tuple[str, str, Estimate]] = [
        (
            "macro_f1_at_changes",
            say("Macro-F1 near changes of technique"),
            seen.f1("outputs", change),
        )
    ]
    if seen.has_personal:
        wanted += [
            ("macro_f1_personal", say("Macro-F1 of personal models"), seen.f1("own", seen.stable)),
            (
                "macro_f1_personal_gain",
                say("Macro-F1, personal less unseen athlete"),
                seen.f1_difference(("own", seen.stable), ("outputs", seen.stable)),
            ),
        ]
    for value in facts.conditions:
        mask = seen.stable & (seen.condition == value)
        wanted.append(
            (
                f"macro_f1_{value}",
                say("Macro-F1, {condition}", condition=value),
                seen.f1("outputs", mask),
            )
        )
    return [
        Metric(
            name=name,
            label=label,
            value=found.value,
            lower=found.lower if np.isfinite(found.lower) else None,
            upper=found.upper if np.isfinite(found.upper) else None,
            confidence=seen.confidence,
            count=len(seen.athletes),
            of=many("athletes"),
            note=_note(len(seen.athletes)),
        )
        for name, label, found in wanted
        if np.isfinite(found.value)
    ]


def _answer(facts: Facts, metrics: list[Metric]) -> str:
    """The answer in a sentence or two."""
    if facts.scores is None:
        return _cycle_answer(facts)
    metric, name = metrics[0], facts.job.train.classifier.label
    count = len(facts.scores.names)
    spread = (
        say(
            " (interval {lower:.2f} to {upper:.2f} over {count} athletes)",
            lower=metric.lower,
            upper=metric.upper,
            count=count,
        )
        if metric.lower is not None
        else ""
    )
    personal = next((m for m in metrics if m.name == "macro_f1_personal"), None)
    beside = (
        say(" From the athlete's own other recordings: {value:.2f}.", value=personal.value)
        if personal
        else ""
    )
    return say(
        "{classes} kinds of {name} are recognised with a macro-F1 of {value:.2f}{spread} "
        "on athletes never seen, away from changes.{beside}",
        classes=len(facts.scores.classes),
        name=name,
        value=metric.value,
        spread=spread,
        beside=beside,
    )


def _cycle_answer(facts: Facts) -> str:
    """The answer where only cycles are described."""
    assert facts.means is not None  # a request asks for one of the two
    agreement = facts.means.agreement()
    windows = int(facts.means.poling.sum())
    said = say(
        "Cycles were found in {windows} of {poling} windows",
        windows=windows,
        poling=len(facts.means.poling),
    )
    if agreement.pairs < 2:  # noqa: PLR2004  # limits need two
        return say("{said}; no second way of counting could be compared.", said=said)
    return say(
        "{said}; their rate differs from that of the second way of counting by {signed} "
        "per minute on average, and in single windows by {signed_2} to {signed_3} per "
        "minute.",
        said=said,
        signed=signed(agreement.bias),
        signed_2=signed(agreement.lower, 1),
        signed_3=signed(agreement.upper, 1),
    )


def _would_change(job: Job, metrics: list[Metric]) -> str:
    """What would change the answer."""
    if not job.request.evaluation.metrics:
        return say("No condition was set under evaluation.metrics, so nothing can be supported.")
    for metric in metrics:
        few = (metric.count or 0) < FEWEST_ATHLETES and metric.of == "athletes held out"
        if metric.condition is not None and metric.met is None and few:
            return say(
                "More athletes: {label} rests on {count}. Below {fewest_athletes}, even "
                "if all lay on one side of a bound, chance alone would do so more often "
                "than once in forty.",
                label=metric.label,
                count=metric.count,
                fewest_athletes=FEWEST_ATHLETES,
            )
    if job.train.classifier is None:
        return say(
            "A count by eye or of the instrument itself, with which both ways can be compared."
        )
    return undecided_sentence(metrics) or (
        say(
            "Labels set for each recording from its own video, and more athletes; on other "
            "poles, courses or snow the figures may be others."
        )
    )


def _units(facts: Facts) -> list[Unit]:
    """One entry for each athlete, by pseudonym: how the method does, not how the athlete does."""
    if facts.scores is None or facts.recognition is None:
        assert facts.means is not None  # a request asks for one of the two
        return [
            Unit(id=name, verdict=term("described"), sentence=say("cycles are in the table"))
            for name in facts.means.athletes
        ]
    seen, units = facts.recognition, []
    for g, name in enumerate(facts.scores.names):
        counts = facts.scores.confusion[g]
        values: dict[str, Any] = {
            term("windows"): int(counts.sum()),
            term("macro-F1, never seen"): round(float(macro_f1(counts)), 2),
            term("accuracy, never seen"): round(float(accuracy(counts)), 2),
        }
        own = seen.confusions("own", seen.stable)[seen.athletes.index(name)]
        if own.sum():
            values[term("macro-F1, personal")] = round(float(macro_f1(own)), 2)
        units.append(
            Unit(
                id=name,
                verdict=term("judged apart"),
                sentence=say(
                    "how well the method does on these data, not how well the athlete skis"
                ),
                values=values,
            )
        )
    return units


def _counts(facts: Facts) -> dict[str, int]:
    """How much of what was looked at."""
    found = {many("recordings"): len(facts.job.dataset.recordings)}
    if facts.scores is not None and facts.recognition is not None:
        found |= {
            many("athletes held out"): len(facts.scores.names),
            many("windows away from changes"): int(facts.recognition.stable.sum()),
            many("windows near changes"): int((~facts.recognition.stable).sum()),
            many("techniques"): len(facts.scores.classes),
        }
    if facts.means is not None:
        found |= {
            many("windows with cycles"): int(facts.means.poling.sum()),
            many("windows without cycles"): int((~facts.means.poling).sum()),
        }
    return found


def _not_answered(facts: Facts) -> list[NotAnswered]:
    """What so few athletes, copied labels and missing checks cannot carry."""
    return [NotAnswered(question=q, reason=r) for q, r in facts.open_questions()]


def _tables(facts: Facts) -> dict[str, dict[str, NDArray[Any]]]:
    """One row a window: techniques, and cycles."""
    recordings = facts.job.dataset.recordings
    tables: dict[str, dict[str, NDArray[Any]]] = {}
    if facts.scores is not None and facts.recognition is not None:
        rows, classes = facts.recognition.rows, np.array(facts.scores.classes, dtype=object)
        facts.scores.rows = rows  # stable windows and those near changes, in one table
        tables["windows"] = window_table(recordings, facts.scores) | {
            "near_change": rows["change"],
            **{
                f"{name}_recognised": np.where(
                    np.isfinite(rows[name]).all(axis=1),
                    classes[np.nan_to_num(rows[name]).argmax(axis=1)],
                    "",
                )
                for name in ("own", "both")
            },
        }
    if facts.means is not None and facts.cycles is not None:
        rows = facts.means.rows
        names = np.array([row.id for row in recordings], dtype=object)
        known = np.array([*facts.classes, ""], dtype=object)
        tables["cycles"] = {
            "recording": names[rows["recording"]],
            "technique": known[rows["technique"]],
            **{
                f"{name} ({unit})": rows["values"][:, c]
                for c, (name, unit) in enumerate(facts.cycles.names)
            },
        }
    return tables
