"""What moved a window's score from one class to another: an exact sum over features and channels.

Outputs of the classifiers are linear in the features, so that the difference of two outputs is a
constant and one term a feature: (value - mean) times the difference of two coefficients. A feature
of one channel belongs to it. One of several channels is laid on them in equal shares, which is
what the value of Shapley [1]_ gives where a feature needs all of its channels to be there.

References
----------
.. [1] L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II,
   Annals of Mathematics Studies 28 (1953) 307-317.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.families.bearing import CLASSIFIER, classifiers
from lumipipe.families.bearing_report import classifier_model
from lumipipe.families.guarded_classifier import GuardedClassifier
from lumipipe.families.technique_classifier import TechniqueClassifier
from lumipipe.families.window_classifier import classifier_split
from lumipipe.features import measure_features
from lumipipe.features.convolution import RandomConvolution
from lumipipe.kernels.convolution import KERNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from lumipipe.families.interface import Model
    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.window_classifier import WindowClassifier


class Push(NamedTuple):
    """What moved the score of one window; arrays of shape (channel,)."""

    towards: str
    """The class that was recognised."""
    against: str
    """The true class, or for a hit the next likely one."""
    difference: float
    """Output of the one less that of the other."""
    constant: float
    """What it would be for a window whose features are the training means."""
    channels: list[str]
    """Names of the channels."""
    added: NDArray[np.float64]
    """What each channel adds; with the constant they sum to the difference."""
    of_several: NDArray[np.float64]
    """The part of it from features of several channels, in equal shares."""
    own_towards: NDArray[np.float64]
    """Root mean square of z of the channel's own features among training windows of `towards`."""
    own_against: NDArray[np.float64]
    """The same among those of `against`."""

    @property
    def alone(self) -> list[bool | None]:
        """Whether each channel alone lies nearer to `towards`; None where it has no feature."""
        pairs = zip(self.own_towards, self.own_against, strict=True)
        return [bool(a < b) if np.isfinite([a, b]).all() else None for a, b in pairs]


def classifier_of(subject: Subject) -> tuple[WindowClassifier, Model] | None:
    """The classifier behind the table of windows, with its arrays; None without one."""
    job, model = subject.job, subject.model
    if "windows" not in subject.outcome.tables:
        return None
    family = job.request.question.family
    if family == "activity":
        return GuardedClassifier(job, job.train, classifier_split(job.request)), model
    if family == "technique":
        own = job.train.classifier
        return TechniqueClassifier(job, own, classifier_split(job.request)), model
    if family == "bearing":
        return classifiers(job)[CLASSIFIER], classifier_model(model, CLASSIFIER)
    return None


def push_of(subject: Subject, place: int) -> Push | None:
    """What moved the score of one window.

    Parameters
    ----------
    subject : Subject
        The judged request.
    place : int
        Its row in the table of windows.

    Returns
    -------
    Push or None
        None where the family has no classifier.
    """
    found = classifier_of(subject)
    if found is None:
        return None
    classifier, model = found
    rows = subject.outcome.tables["windows"]
    names = classifier.classes
    outputs = np.array([float(rows[f"output_{name}"][place]) for name in names])
    p = names.index(str(rows["recognised"][place]))
    q = names.index(str(rows["truth"][place]))
    if p == q:
        q = int(np.argmax(np.where(np.arange(len(names)) == p, -np.inf, outputs)))
    fold = _fold(subject, classifier, str(rows["recording"][place]), int(rows["first_row"][place]))
    x = _features(classifier, int(rows["first_row"][place]))
    terms, constant = _terms(model, fold, x, (p, q))
    members = members_of(classifier.features, [c.name for c in classifier.channels])
    added, of_several = _by_channel(terms, members, len(classifier.channels))
    own = [_own(model.arrays, fold, c, x, members, len(classifier.channels)) for c in (p, q)]
    return Push(
        names[p],
        names[q],
        float(outputs[p] - outputs[q]),
        constant,
        [channel.name for channel in classifier.channels],
        added,
        of_several,
        own[0],
        own[1],
    )


def _fold(subject: Subject, classifier: WindowClassifier, name: str, first_row: int) -> int:
    """The fold whose model judged a window."""
    recording = [row.id for row in subject.job.dataset.recordings].index(name)
    plan = classifier.plan
    before = (classifier.plan_rows - classifier.window_rows) // 2
    number = np.flatnonzero((plan.recording == recording) & (plan.start == first_row - before))
    return int(classifier.folds_of(number, plan.recording[number])[0])


def _features(classifier: WindowClassifier, first_row: int) -> NDArray[np.float64]:
    """Features of a window: float64 (feature,)."""
    backend = classifier.job.backend
    rows = classifier.stream.read_rows(first_row, first_row + classifier.window_rows)
    window = np.ascontiguousarray(rows[:, classifier.inputs, None], dtype=np.float32)
    found = measure_features(classifier.features, backend.asarray(window), classifier.rate_hz)
    return np.asarray(backend.to_host(found)[0], dtype=np.float64)


def _terms(
    model: Model, fold: int, x: NDArray[np.float64], pair: tuple[int, int]
) -> tuple[NDArray[np.float64], float]:
    """What each feature adds to the first output less the second, and the constant."""
    coef = model.arrays["fold_coef"][fold]
    weight = coef[:, pair[0]] - coef[:, pair[1]]
    if len(weight) > len(x):  # discriminants have their constant in a last row
        constant, weight = float(weight[-1]), weight[:-1]
    else:
        mean = model.arrays["fold_mean_y"][fold]
        constant = float(mean[pair[0]] - mean[pair[1]])
    return (x - model.arrays["fold_mean_x"][fold]) * weight, constant


def members_of(features: Sequence[Any], channels: Sequence[str]) -> list[tuple[int, ...]]:
    """Numbers of the channels that each feature is made of.

    Parameters
    ----------
    features : sequence of Feature
        From `lumipipe.features.build_features`.
    channels : sequence of str
        Names of the channels.

    Returns
    -------
    list of tuple of int
        In the order of the features; all channels where a name tells none.
    """
    own = _by_name(channels)
    found: list[tuple[int, ...]] = []
    for feature in features:
        if isinstance(feature, RandomConvolution):
            parameters = feature.parameters
            for number, count in enumerate(parameters.biases_per_kernel):
                at = number * len(KERNELS)
                for subset in parameters.subsets[at : at + len(KERNELS)]:
                    found += [subset] * count
            continue
        found += [own.get(_stem(name), tuple(range(len(channels)))) for name in feature.names]
    return found


def _stem(name: str) -> str:
    """The part of a feature's name that names its channels."""
    return name.rpartition(":")[0] or name.rpartition("@-")[0] or name


def _by_name(channels: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """Channels by what features call them: one, or two with a sign between."""
    found: dict[str, tuple[int, ...]] = {}
    for a, first in enumerate(channels):
        for b, second in enumerate(channels):
            for sign in "~*":
                found[f"{first}{sign}{second}"] = (a,) if a == b else (a, b)
    for a, name in enumerate(channels):
        found |= {name: (a,), f"log {name}": (a,), f"slope of {name}": (a,)}
    return found


def _by_channel(
    terms: NDArray[np.float64], members: Sequence[tuple[int, ...]], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each channel adds, and the part of it from features of several channels."""
    added, of_several = np.zeros(count), np.zeros(count)
    for term, channels in zip(terms, members, strict=True):
        for channel in channels:
            added[channel] += term / len(channels)
            if len(channels) > 1:
                of_several[channel] += term / len(channels)
    return added, of_several


def _own(
    arrays: Mapping[str, NDArray[Any]],
    fold: int,
    c: int,
    x: NDArray[np.float64],
    members: Sequence[tuple[int, ...]],
    count: int,
) -> NDArray[np.float64]:
    """Root mean square of z of each channel's own features about the mean of a class."""
    z = (x - arrays["fold_class_mean"][fold, c]) / arrays["fold_spread"][fold]
    found = np.full(count, np.nan)
    for channel in range(count):
        own = np.array([z[n] for n, m in enumerate(members) if m == (channel,)])
        own = own[np.isfinite(own)]
        if len(own):
            found[channel] = float(np.sqrt(np.mean(own**2)))
    return found
