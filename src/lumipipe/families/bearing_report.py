"""The answer of the family `bearing`: a verdict for each recording, and the honest classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.families.baseline import against_majority
from lumipipe.families.bearing_diagnosis import KINEMATICS, Diagnosis, diagnose
from lumipipe.families.class_events import class_decisions
from lumipipe.families.classifier_scores import (
    METRICS as CLASSIFIER_METRICS,
)
from lumipipe.families.classifier_scores import (
    ClassifierScores,
    classifier_metrics,
    confusion_section,
    set_coverage,
    set_section,
    window_table,
)
from lumipipe.families.interface import Model, Outcome, asked, known_of
from lumipipe.families.pages.interface import read_by
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, say, term, translated
from lumipipe.reporting.figures.declared import Column, Line, Spectrum, Table
from lumipipe.reporting.result import (
    LeakageTest,
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
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.interface import Job
    from lumipipe.families.window_classifier import WindowClassifier
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity

METRICS = {"wrong_verdicts": "<=", "inconclusive": "<=", **CLASSIFIER_METRICS}
_SHOWN_MULTIPLES = 4.0
_SEVERITIES: dict[str, Severity] = {"fault": "bad", "no fault": "good"}


def judge(
    job: Job,
    model: Model,
    leaves: dict[str, Leaves],
    classifiers: Mapping[str, WindowClassifier],
) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Averaged spectra and classifiers.
    leaves : dict of str to dict of (unit, group) to State
        Scores of the windows by each classifier.
    classifiers : mapping of str to WindowClassifier
        The classifiers.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    found = diagnose(job, model)
    scores = {name: _scores(part, leaves[name]) for name, part in classifiers.items()}
    metrics = _metrics(job, found, scores)
    coverage, tables, leakage = None, {"diagnoses": _table(found)}, list[LeakageTest]()
    nominal = job.request.evaluation.interval.coverage
    sections = read_by("engineer", [_overview(found), *_spectra_sections(job, model, found)])
    for name, part in classifiers.items():
        if name == "classifier":
            coverage = set_coverage(nominal, scores[name])
            leakage = part.leakage(classifier_model(model, name), scores[name].rows["number"])
            tables["windows"] = window_table(job.dataset.recordings, scores[name])
            sections += [_honest_section(part, scores), confusion_section(scores[name])]
            sections.append(set_section())
    split = job.request.evaluation.split
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(found),
        verdict=allowed(conclude(metrics), leakage),
        would_change=_would_change(found, metrics),
        metrics=metrics,
        units=[_unit(job, one) for one in found],
        coverage=coverage,
        split=_split(split, classifiers),
        leakage=leakage,
        counts={
            many("recordings"): len(found),
            many("spectra averaged"): int(model.arrays["spectrum_windows"].sum()),
        },
        not_answered=_not_answered(found),
        not_answered_reason=say("Every recording has a verdict that its spectrum carries."),
        sections=sections,
        run=Run(),
    )
    own = classifiers.get("classifier")
    if own is None:
        without = say("nothing is learnt without train.classifier: fault lines are no score")
        return Outcome(result, tables, decisions=without)
    windows = scores["classifier"]
    return Outcome(
        result,
        tables,
        compared=tuple(against_majority(windows, own.fold_of_group, job.seed)),
        decisions=class_decisions(own, classifier_model(model, "classifier"), windows.rows),
    )


def classifier_model(model: Model, name: str) -> Model:
    """The part of the model that is one classifier."""
    arrays = {
        key.removeprefix(f"{name}/"): array
        for key, array in model.arrays.items()
        if key.startswith(f"{name}/")
    }
    return Model(arrays, model.card["classifiers"][name])


def _scores(part: WindowClassifier, leaves: Leaves) -> ClassifierScores:
    """Scores of a classifier."""
    whole = isinstance(part.split, GroupSplit) and not part.per_row
    return ClassifierScores(part.classes, leaves, part.groups if whole else None)


def _truth(job: Job, one: Diagnosis) -> str | None:
    """The true fault of a recording, where the request tells it."""
    if job.score.truth is None:
        return None
    value = known_of(one.recording).get(job.score.truth)
    return None if value is None else job.score.meaning.get(value)


def _metrics(
    job: Job, found: list[Diagnosis], scores: Mapping[str, ClassifierScores]
) -> list[Metric]:
    """Wrong and open verdicts, then the honest figures of the classifier."""
    known = [(one, _truth(job, one)) for one in found if one.verdict != "reference"]
    known = [(one, truth) for one, truth in known if truth is not None]
    metrics = []
    if known:
        decided = [(one, truth) for one, truth in known if one.fault]
        wrong = sum(one.fault != truth for one, truth in decided)
        counted = (
            ("wrong_verdicts", say("Wrong among the decided recordings"), wrong, len(decided)),
            ("inconclusive", say("Inconclusive"), len(known) - len(decided), len(known)),
        )
        for name, label, hits, total in counted:
            lower, upper = clopper_pearson(hits, total)
            metrics.append(
                Metric(
                    name=name,
                    label=label,
                    value=hits / total if total else None,
                    lower=lower,
                    upper=upper,
                    confidence=0.95,
                    count=total,
                    of=many("recordings"),
                    note=say("{hits} of {total}", hits=hits, total=total),
                )
            )
    if "classifier" in scores:
        metrics += classifier_metrics(job.request, scores["classifier"], 0.95)
    return [judged(metric, job.request.evaluation.metrics) for metric in metrics]


def _answer(found: list[Diagnosis]) -> str:
    """The answer in one sentence."""
    counts = {
        word: sum(one.verdict == word for one in found)
        for word in ("fault", "no fault", "inconclusive", "reference")
    }
    named = "; ".join(
        f"{one.recording.id}: {translated(one.fault)}" for one in found if one.verdict == "fault"
    )
    text = say(
        "{fault} of {found} recordings show a fault, {no_fault} show none and "
        "{inconclusive} are inconclusive",
        fault=counts["fault"],
        found=len(found),
        no_fault=counts["no fault"],
        inconclusive=counts["inconclusive"],
    )
    text += say("; {reference} set the level of good order", reference=counts["reference"]) * bool(
        counts["reference"]
    )
    return f"{text}{': ' + named if named else ''}."


def _would_change(found: list[Diagnosis], metrics: list[Metric]) -> str:
    """What would change the answer."""
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    if any(one.verdict == "inconclusive" for one in found):
        return say(
            "For inconclusive recordings: another band around a resonance, a longer "
            "recording, or a sensor nearer to the bearing."
        )
    return say("Another speed or load than recorded here.")


def _unit(job: Job, one: Diagnosis) -> Unit:
    """The answer for one recording."""
    values: dict[str, Any] = {
        term("score {name}", name=KINEMATICS[fault]): round(lines.score, 1)
        for fault, lines in one.lines.items()
    }
    best = max(one.lines.values(), key=lambda lines: lines.score)
    values |= {
        term("chance"): round(one.chance, 1),
        term("found"): round(best.found_hz, 1),
        term("expected"): round(best.expected_hz, 1),
    }
    truth = _truth(job, one)
    sentence = (
        one.reason
        if truth is None
        else say("{reason}; in truth {truth}", reason=one.reason, truth=translated(truth))
    )
    return Unit(
        id=one.recording.id,
        verdict=one.verdict,
        severity=_SEVERITIES.get(one.verdict, "neither"),
        sentence=sentence,
        values=values,
    )


def _split(split: Any, classifiers: Mapping[str, WindowClassifier]) -> Split:
    """The split in words."""
    if not classifiers:
        return Split(
            kind="none",
            sentence=say("Nothing is learnt: every recording is judged by the lines it must show."),
        )
    text = split_sentence(split, classifiers["classifier"].folds)
    because = split.because if isinstance(split, RandomSplit) else None
    return Split(kind=split.kind, sentence=say("Classifier: {text}", text=text), because=because)


def _begun(reason: str) -> str:
    """A reason as the beginning of a sentence."""
    return reason[:1].upper() + reason[1:]


def _not_answered(found: list[Diagnosis]) -> list[NotAnswered]:
    """Recordings whose spectrum carries no verdict."""
    return [
        NotAnswered(
            question=say("Which fault has {id}?", id=one.recording.id), reason=_begun(one.reason)
        )
        for one in found
        if one.verdict == "inconclusive"
    ]


def _overview(found: list[Diagnosis]) -> Section:
    """Scores of all recordings."""
    columns = [
        Column(label=say("recording")),
        Column(label=say("verdict")),
        Column(label=say("shaft"), unit="Hz"),
    ]
    columns += [Column(label=say("score {name}", name=name)) for name in KINEMATICS.values()]
    columns += [Column(label=say("99 % of chance")), Column(label=say("level over baseline"))]
    rows: list[list[Any]] = [
        [
            one.recording.id,
            translated(one.verdict),
            round(one.shaft_hz, 2),
            *(round(lines.score, 1) for lines in one.lines.values()),
            round(one.chance, 1),
            None if one.level is None else round(one.level, 2),
        ]
        for one in found
    ]
    return Section(
        title=say("Lines that the geometry expects"),
        paragraphs=[
            say(
                "A score is the geometric mean of peak to background at the first "
                "harmonics, so it is high only when all of them stand out. The same score "
                "at frequencies where no fault can be gives what chance does in the same "
                "spectrum."
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Scores by recording"),
                caption=say(
                    "A fault is named when its score passes the limit, chance and the others."
                ),
                alt=say("Scores of inner race, outer race, ball and cage lines of each recording."),
                columns=columns,
                rows=rows,
            )
        ],
    )


def _spectra_sections(job: Job, model: Model, found: list[Diagnosis]) -> list[Section]:
    """The envelope spectrum of each recording with the expected lines, faults first."""
    order = {"fault": 0, "inconclusive": 1, "no fault": 2, "reference": 3}
    shown = sorted(found, key=lambda one: (order[one.verdict], one.recording.id))
    return [
        Section(
            title=f"{one.recording.id}: {translated(one.verdict)}",
            paragraphs=[f"{_begun(one.reason)}."],
            figures=[_spectrum(job, model, one)],
        )
        for one in shown[: job.request.report.most_units]
    ]


def _spectrum(job: Job, model: Model, one: Diagnosis) -> Spectrum:
    """The averaged envelope spectrum of a recording."""
    resolution = model.card["resolution_hz"]
    highest = _SHOWN_MULTIPLES * max(lines.expected_hz for lines in one.lines.values())
    power = model.arrays["spectrum_power"][one.row][1 : int(highest / resolution)]
    best = max(one.lines, key=lambda fault: one.lines[fault].score)
    expected = [
        Line(
            x=h * lines.expected_hz,
            label=f"{KINEMATICS[fault]} {h}x",
            group=translated(fault),
            tolerance=h * lines.expected_hz * job.score.tolerance,
        )
        for fault, lines in sorted(one.lines.items(), key=lambda item: item[0] != best)
        for h in range(1, job.score.harmonics + 1)
    ]
    rms = float(model.arrays["signal_rms"][one.row])
    kurtosis = float(model.arrays["signal_kurtosis"][one.row])
    return Spectrum(
        kind="spectrum",
        title=say("Envelope spectrum of {id}", id=one.recording.id),
        caption=say(
            "Squared envelope, {band_hz:g} to {train_band_hz:g} Hz; shaft {shaft_hz:.2f} "
            "Hz; signal {rms:.3g} {unit} rms, kurtosis {kurtosis:.2f}. Bands: where lines "
            "of each fault would be.",
            band_hz=job.train.band_hz[0],
            train_band_hz=job.train.band_hz[1],
            shaft_hz=one.shaft_hz,
            rms=rms,
            unit=model.card["unit"],
            kurtosis=kurtosis,
        ),
        alt=say("Spectrum with expected fault lines; {reason}.", reason=one.reason),
        x=[float(resolution * k) for k in range(1, len(power) + 1)],
        y=[float(value) for value in power],
        x_label=say("frequency of the envelope (Hz)"),
        y_label=say("power of the squared envelope (({unit})^4)", unit=model.card["unit"]),
        log_y=True,
        lines=expected,
    )


def _honest_section(part: WindowClassifier, scores: Mapping[str, ClassifierScores]) -> Section:
    """What the classifier does for unseen groups, beside what a random split would claim."""
    by = part.split.by if isinstance(part.split, GroupSplit) else say("random windows")
    rows: list[list[Any]] = []
    for name, one in scores.items():
        for g, group in enumerate(one.names):
            counts = one.confusion[g]
            label = (
                say("{by} {group} held out", by=by, group=group)
                if name == "classifier"
                else say("random {group}", group=translated(group))
            )
            rows.append(
                [label, int(counts.sum()), round(float(np.trace(counts) / counts.sum()), 3)]
            )
    honest = scores["classifier"]
    share = np.trace(honest.confusion.sum(axis=0)) / honest.confusion.sum()
    text = say(
        "On a {by} that was not in training, {share:.0%} of the windows are recognised.",
        by=by,
        share=share,
    )
    if "random split" in scores:
        claim = scores["random split"].confusion.sum(axis=0)
        text += say(
            " Windows dealt at random would claim {trace:.0%}. Do not believe that "
            "figure: windows of one recording are near copies of each other, so a random "
            "split asks the model only to remember the recording, not to know the fault.",
            trace=np.trace(claim) / claim.sum(),
        )
    return Section(
        title=say("The classifier: what it does, and what a random split would claim"),
        paragraphs=[text],
        figures=[
            Table(
                kind="table",
                title=say("Share of windows recognised"),
                caption=say("First the split that counts, then the one that flatters."),
                alt=say("Accuracy for each held-out group and for each random fold."),
                columns=[
                    Column(label=say("test")),
                    Column(label=say("windows")),
                    Column(label=say("recognised")),
                ],
                rows=rows,
            )
        ],
    )


def _table(found: list[Diagnosis]) -> dict[str, NDArray[Any]]:
    """One row a recording."""
    table: dict[str, NDArray[Any]] = {
        "recording": np.array([one.recording.id for one in found], dtype=object),
        "verdict": np.array([one.verdict for one in found], dtype=object),
        "fault": np.array([one.fault for one in found], dtype=object),
        "reason": np.array([one.reason for one in found], dtype=object),
        "shaft_hz": np.array([one.shaft_hz for one in found]),
        "chance": np.array([one.chance for one in found]),
    }
    for fault, name in KINEMATICS.items():
        table[f"score_{name}"] = np.array([one.lines[fault].score for one in found])
        table[f"mean_{name}"] = np.array([one.lines[fault].mean for one in found])
        table[f"expected_hz_{name}"] = np.array([one.lines[fault].expected_hz for one in found])
        table[f"found_hz_{name}"] = np.array([one.lines[fault].found_hz for one in found])
    return table
