"""Cycles and techniques of skiing from pole forces and motion, athletes held out.

The classifier is `lumipipe.families.technique_classifier`, cycles are
`lumipipe.families.technique_cycles`, the answer `lumipipe.families.technique_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from lumipipe.config import GroupSplit, Identifier, NoSplit, Settings, Text
from lumipipe.errors import InputError
from lumipipe.families import technique_report, verdicts
from lumipipe.families.interface import Merging, Model
from lumipipe.families.technique_classifier import TechniqueClassifier, TechniqueSettings
from lumipipe.families.technique_cycles import Cycles, CycleWindows, Exported
from lumipipe.families.window_classifier import check_classifier, classifier_split
from lumipipe.language import message

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves

METRICS = {"macro_f1": ">=", "accuracy": ">=", "count_limit": "<="}
_PASS, _CYCLES = "windows", "cycles"  # the names of the folds


class Train(Settings):
    """How techniques are learnt, and where cycles come from."""

    classifier: TechniqueSettings | None = None
    """How techniques are recognised; only cycles are described where absent."""
    cycles: Cycles | None = None
    """Where cycles come from; none are described where absent."""
    condition: Identifier | None = None
    """Label of recordings with two values that are compared, such as the rifle."""

    @model_validator(mode="after")
    def _something(self) -> Train:
        if self.classifier is None and self.cycles is None:
            raise ValueError("nothing is asked for; give classifier, cycles or both")
        return self


class Score(Settings):
    """How techniques are judged."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence of the intervals."""


class Asset(Settings):
    """What is known of the athletes; nothing is needed."""

    page_for: Text | None = None
    """Who may see the coach's page, such as the person and the coach; it is printed on it."""


class Technique:
    """Recognition of techniques, and the cycles in which they are done."""

    name = "technique"
    title = message("cycles and techniques of skiing")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "classes"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse splits that do not hold athletes out, and channels that are not there."""
        del score, asset
        split = request.evaluation.split
        if train.classifier is None:
            if not isinstance(split, NoSplit):
                raise InputError(
                    "evaluation.split",
                    f"kind {split.kind}, but nothing is learnt without train.classifier",
                    "write {kind: none}, or give the classifier",
                )
        elif not isinstance(split, GroupSplit) or split.by != "unit":
            raise InputError(
                "evaluation.split",
                "athletes are held out in this family",
                "write {kind: group, by: unit}",
            )
        else:
            check_classifier(request, train.classifier, place)
        known = {channel.name for source in request.data for channel in source.channels}
        for name in _channels(train):
            if name not in known:
                raise InputError(
                    place, f"cycles: {name} is no channel", f"use {', '.join(sorted(known))}"
                )
        labels = {name for source in request.data for name in source.labels}
        if train.condition is not None and train.condition not in labels:
            raise InputError(
                place,
                f"condition {train.condition} is no label of the data",
                f"declare it under data.labels; known: {', '.join(sorted(labels)) or 'none'}",
            )
        verdicts.check_conditions(
            request.evaluation.metrics, METRICS, place, with_unit=("count_limit",)
        )

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Cross-products and a sample of windows of each recording."""
        classifier = _classifier(job)
        return {} if classifier is None else {_PASS: classifier.train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """Models for athletes that are not seen, and personal ones."""
        classifier = _classifier(job)
        if classifier is None:
            return Model({}, {} if comm.rank else {"family": self.name})
        return classifier.fit(leaves[_PASS], comm)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Athletes leave; sites do not join."""
        classifier = _classifier(job)
        if classifier is None:
            return Merging(alone="nothing is learnt without train.classifier")
        alone = "penalties are chosen on rows, and each athlete has models of their own"
        return classifier.merging(_PASS, leaves)._replace(alone=alone)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each window by models that have not seen it, and the cycles."""
        classifier, cycles = _classifier(job), _cycles(job)
        windows = {} if classifier is None else {_PASS: classifier.score_pass(model)}
        return windows | ({} if cycles is None else {_CYCLES: cycles.cycle_pass()})

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Unseen athletes beside personal models, cycles, conditions, and the verdict."""
        return technique_report.judge(
            job,
            model,
            (leaves.get(_PASS), _classifier(job)),
            (leaves.get(_CYCLES), _cycles(job)),
        )


def _channels(train: Train) -> list[str]:
    """Channels that cycles come from."""
    cycles = train.cycles
    if cycles is None:
        return []
    if not isinstance(cycles, Exported):
        return [*cycles.sides.values(), *filter(None, [cycles.rate]), *cycles.beside]
    sides = [name for s in cycles.sides.values() for name in (s.contact, s.impulse, s.force)]
    return [cycles.rate, *sides, *filter(None, [cycles.counter]), *cycles.beside]


def _classifier(job: Job) -> TechniqueClassifier | None:
    """The classifier of the request, where there is one."""
    if job.train.classifier is None:
        return None
    return TechniqueClassifier(job, job.train.classifier, classifier_split(job.request))


def _cycles(job: Job) -> CycleWindows | None:
    """The cycles of the request, where there are some."""
    if job.train.cycles is None:
        return None
    classifier = _classifier(job)
    name = classifier.settings.stream if classifier is not None else "main"
    return CycleWindows(job, job.train.cycles, job.dataset.streams[name], classifier)
