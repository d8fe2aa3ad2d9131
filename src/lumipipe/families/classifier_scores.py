"""What the folded scores of a window classifier say, for the families that share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.verdicts import judged
from lumipipe.language import many, message, say
from lumipipe.metrics.confusion import accuracy, macro_f1
from lumipipe.reporting.figures.declared import (
    Confusion,
    ConfusionPanel,
)
from lumipipe.reporting.result import Coverage, CoverageGroup, Metric, Section
from lumipipe.uncertainty.proportions import bootstrap_units, share_between_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Request
    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import RecordingRow

METRICS = dict.fromkeys(("macro_f1", "accuracy", "recording_macro_f1", "recording_accuracy"), ">=")
"""Metrics by name, and the side on which they are good."""
_LABELS = {
    "macro_f1": message("Macro-F1 by window"),
    "accuracy": message("Accuracy by window"),
    "recording_macro_f1": message("Macro-F1 by recording"),
    "recording_accuracy": message("Accuracy by recording"),
}
_MOST_PANELS = 6  # more are not legible on one printed page, and a figure is never cut


class ClassifierScores:
    """What the folded scores say, by held-out group and in all.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes.
    leaves : dict of (unit, group) to State
        Folded scores.
    groups : sequence of str or None
        Held-out group of each recording; None where a recording cannot be judged as a whole.
    """

    def __init__(
        self, classes: Sequence[str], leaves: Leaves, groups: Sequence[str] | None
    ) -> None:
        self.classes = list(classes)
        self.by_recording = groups is not None
        self.names = sorted({leaf[1] for leaf in leaves})
        shape = (len(self.names), len(self.classes))
        self.confusion = np.zeros((*shape, len(self.classes)), dtype=np.int64)
        self.covered, self.set_size = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        parts: dict[str, list[NDArray[Any]]] = {}
        for leaf in sorted(leaves):
            state, group = leaves[leaf], self.names.index(leaf[1])
            self.confusion[group] += state["confusion.counts"]
            self.covered[group] += state["confusion.covered"]
            self.set_size[group] += state["confusion.set_size"]
            for name, array in state.items():
                if name.startswith("rows."):
                    parts.setdefault(name.removeprefix("rows."), []).append(array)
        joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        order = np.argsort(joined["number"], kind="stable")
        self.rows = {name: array[order] for name, array in joined.items()}
        self.recordings = np.unique(self.rows["recording"])
        if groups is not None:
            self._judge_recordings(groups)

    def _judge_recordings(self, groups: Sequence[str]) -> None:
        """Mean output over the windows of each recording, and its confusion by group."""
        outputs = self.rows["outputs"]
        number = np.searchsorted(self.recordings, self.rows["recording"])
        sums = np.zeros((len(self.recordings), outputs.shape[1]))
        np.add.at(sums, number, outputs)
        self.recording_outputs = sums / np.bincount(number)[:, None]
        first = np.unique(number, return_index=True)[1]
        self.recording_truth = self.rows["truth"][first]
        self.recording_predicted = self.recording_outputs.argmax(axis=1)
        self.recording_confusion = np.zeros_like(self.confusion)
        for r, truth, predicted in zip(
            self.recordings, self.recording_truth, self.recording_predicted, strict=True
        ):
            self.recording_confusion[self.names.index(groups[r]), truth, predicted] += 1


def classifier_metrics(
    request: Request, scores: ClassifierScores, confidence: float
) -> list[Metric]:
    """Macro-F1 and accuracy, by window and by recording, with intervals over groups."""
    kinds = [("macro_f1", macro_f1, scores.confusion), ("accuracy", accuracy, scores.confusion)]
    if scores.by_recording:
        whole = scores.recording_confusion
        kinds += [("recording_macro_f1", macro_f1, whole), ("recording_accuracy", accuracy, whole)]
    metrics = []
    for name, statistic, counts in kinds:
        lower, upper = bootstrap_units(counts, statistic, request.evaluation.seed, confidence)
        known = np.isfinite([lower, upper]).all()
        metric = Metric(
            name=name,
            label=say(_LABELS[name]),
            value=float(statistic(counts.sum(axis=0))),
            lower=lower if known else None,
            upper=upper if known else None,
            confidence=confidence,
            count=len(scores.names),
            of=many("held-out groups"),
            note=say("interval: groups drawn again, 2000 times"),
        )
        metrics.append(judged(metric, request.evaluation.metrics))
    return metrics


def set_coverage(nominal: float, scores: ClassifierScores) -> Coverage:
    """Share of windows whose set held their class, in all and by class."""
    totals = scores.confusion.sum(axis=2)
    lower, upper, _ = share_between_units(scores.covered.sum(axis=1), totals.sum(axis=1))
    count = int(totals.sum())
    groups = []
    for c, name in enumerate(scores.classes):
        low, high, _ = share_between_units(scores.covered[:, c], totals[:, c])
        seen = int(totals[:, c].sum())
        groups.append(
            CoverageGroup(
                name=name,
                achieved=float(scores.covered[:, c].sum() / seen) if seen else None,
                lower=low,
                upper=high,
                count=seen,
                width=float(scores.set_size[:, c].sum() / seen) if seen else None,
            )
        )
    return Coverage(
        nominal=nominal,
        achieved=float(scores.covered.sum() / count) if count else None,
        lower=lower,
        upper=upper,
        count=count,
        width_unit=say("classes"),
        groups=groups,
    )


def confusion_section(scores: ClassifierScores) -> Section:
    """Who is taken for what, in all and by held-out group."""
    f1 = macro_f1(scores.confusion)
    worst = np.argsort(f1, kind="stable")[: _MOST_PANELS - 1]
    panels = [ConfusionPanel(title=say("all"), counts=scores.confusion.sum(axis=0).tolist())]
    panels += [
        ConfusionPanel(
            title=say("{names} (F1 {f1:.2f})", names=scores.names[g], f1=f1[g]),
            counts=scores.confusion[g].tolist(),
        )
        for g in worst
    ]
    counts = scores.confusion.sum(axis=0)
    wrong = counts - np.diag(np.diag(counts))
    true, taken = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return Section(
        title=say("What is taken for what"),
        paragraphs=[
            say(
                "The most frequent mistake: {classes} is taken for {scores_classes} in "
                "{wrong} of {counts} windows.",
                classes=scores.classes[true],
                scores_classes=scores.classes[taken],
                wrong=int(wrong[true, taken]),
                counts=int(counts[true].sum()),
            )
        ],
        figures=[
            Confusion(
                kind="confusion",
                title=say("Windows by true and recognised class"),
                caption=say(
                    "Rows are true, columns recognised. Shown are all windows, and those of "
                    "{shown} of {count} held-out groups, the worst first.",
                    shown=len(worst),
                    count=len(f1),
                ),
                alt=say(
                    "Confusion matrices of all windows and of {shown} held-out groups.",
                    shown=len(worst),
                ),
                labels=scores.classes,
                panels=panels,
            )
        ],
    )


def majority_share(scores: ClassifierScores) -> float:
    """Accuracy of always naming the most frequent class."""
    totals = scores.confusion.sum(axis=(0, 2))
    return float(totals.max() / max(1, totals.sum()))


def set_section() -> Section:
    """What the sets promise; `Coverage` shows how far they kept it."""
    return Section(
        title=say("Sets that promise to contain the truth"),
        paragraphs=[
            say(
                "Thresholds come from groups that neither trained the model nor are "
                "tested; the interval of each share takes into account that windows of "
                "one group hang together. A set may be empty: the window then looks like "
                "none of the classes, which is why sets can hold less than one class on average. "
                "The section on coverage shows it for each class."
            )
        ],
    )


def window_table(
    recordings: Sequence[RecordingRow], scores: ClassifierScores
) -> dict[str, NDArray[Any]]:
    """One row a window."""
    names = np.array([row.id for row in recordings], dtype=object)
    classes = np.array(scores.classes, dtype=object)
    rows = scores.rows
    table = {
        "recording": names[rows["recording"]],
        "first_row": rows["first_row"],
        "truth": classes[rows["truth"]],
        "recognised": classes[rows["outputs"].argmax(axis=1)],
    }
    for c, name in enumerate(scores.classes):
        table[f"output_{name}"] = rows["outputs"][:, c]
        table[f"in_set_{name}"] = rows["in_set"][:, c]
    return table
