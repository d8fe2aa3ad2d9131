"""Exercise and activity recognition from wearable signals, persons held out.

The classifier is `lumipipe.families.guarded_classifier`, what the answer looks like is
`lumipipe.families.activity_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from lumipipe.config import Settings, Text
from lumipipe.families import activity_report, verdicts
from lumipipe.families.bundled import classifier_scorer
from lumipipe.families.classifier_scores import METRICS
from lumipipe.families.guarded_classifier import GuardedClassifier, GuardedSettings
from lumipipe.families.window_classifier import check_classifier, classifier_split
from lumipipe.language import message

if TYPE_CHECKING:
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Merging, Model, Outcome, Pass
    from lumipipe.fold import Leaves

_PASS = "windows"  # noqa: S105  # the name of the fold, no password


class Train(GuardedSettings):
    """How activities are learnt."""


class Score(Settings):
    """How the recognition is judged."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence of the intervals of metrics."""


class Asset(Settings):
    """What is known of the persons; nothing is needed."""

    page_for: Text | None = None
    """Who may see the coach's page, such as the person and the coach; it is printed on it."""


class Activity:
    """Recognition of activities in windows of wearable signals."""

    name = "activity"
    title = message("exercise and activity recognition")
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
        """Refuse a label without meaning, unknown features, and splits that do not fit."""
        del score, asset
        check_classifier(request, train, place)
        verdicts.check_conditions(request.evaluation.metrics, METRICS, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Cross-products and a sample of rows for each fold of each unit."""
        return {_PASS: _classifier(job).train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models of all folds with their thresholds, and the one for new data."""
        return _classifier(job).fit(leaves[_PASS], comm)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each window by the model that has not seen its group."""
        return {_PASS: _classifier(job).score_pass(model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Accuracy and F1 over held-out groups, coverage of the sets, and the verdict."""
        return activity_report.judge(job, model, leaves[_PASS], _classifier(job))

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Persons leave, and sites join whose classes and rate agree."""
        return _classifier(job).merging(_PASS, leaves)

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model:
        """What answers new rows without the data."""
        del leaves
        return classifier_scorer(_classifier(job), model)


def _classifier(job: Job) -> GuardedClassifier:
    """The classifier of the request."""
    return GuardedClassifier(job, job.train, classifier_split(job.request))
