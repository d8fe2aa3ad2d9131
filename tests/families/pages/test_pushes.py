"""Contributions of channels to a classifier's scores: their sums, and who is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pytest

from lumipipe.backend import choose_backend
from lumipipe.families.class_moments import class_moments
from lumipipe.families.pages.build import with_pages
from lumipipe.families.pages.interface import Subject
from lumipipe.families.pages.pushes import classifier_of, members_of, push_of
from lumipipe.features import FEATURES, build_features, measure_features
from lumipipe.models.ridge import RidgeReducer
from running import answer
from small_requests import FAMILIES, activity, write_csv

if TYPE_CHECKING:
    from pathlib import Path

WITH_WINDOWS = ("activity", "bearing", "technique")


class _Channel(SimpleNamespace):
    """What a feature asks of a channel."""

    name: str
    scale: float


def test_moments_are_of_the_other_folds_and_need_two_rows() -> None:
    backend = choose_backend("numpy")
    rng = np.random.default_rng(3)
    reducer = RidgeReducer(backend.xp, 3, 3, 4, 1)
    rows = [rng.normal(size=(6, 3)) * [1.0, 50.0, 0.0] + [3.0, -2.0, 7.0] for _ in range(3)]
    codes = [np.array([0, 0, 0, 1, 1, 2 if n == 0 else 1]) for n in range(3)]
    states = [
        reducer.update(reducer.empty(), {"x": x, "y": np.eye(3)[c], "number": np.arange(6) + 6 * n})
        for n, (x, c) in enumerate(zip(rows, codes, strict=True))
    ]
    found = class_moments(backend, reducer, states)
    others, own = np.concatenate([rows[0], rows[2]]), np.concatenate([codes[0], codes[2]])
    means = np.stack([others[own == c].mean(axis=0) for c in range(3)])
    np.testing.assert_allclose(found["fold_class_mean"][1, :2], means[:2], rtol=1e-9)
    assert np.isnan(found["fold_class_mean"][1, 2]).all()  # one row is no mean
    spread = np.sqrt(((others - means[own]) ** 2).sum(axis=0) / (12 - 3))
    np.testing.assert_allclose(found["fold_spread"][1, :2], spread[:2], rtol=1e-9)
    assert np.isnan(found["fold_spread"][:, 2]).all()  # it does not vary


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {"envelope", "slopes", "poling"}))
def test_a_feature_does_not_change_with_a_channel_that_it_is_not_made_of(name: str) -> None:
    channels = ["a", "b b", "c:d"]
    settings: dict[str, Any] = {
        "ratios": {"pairs": [["a", "b b"]], "products": [["a", "c:d"]]},
        "random_convolution": {"features": 168},
        "random_fourier": {"features": 8},
        "polynomial": {"degree": 2},
    }
    described = [_Channel(name=one, scale=1.0) for one in channels]
    features = build_features({name: settings.get(name, {})}, described, 64, 32.0, 5)
    members = members_of(features, channels)
    rng = np.random.default_rng(8)
    window = rng.uniform(0.5, 1.5, size=(64, 3, 1)).astype(np.float32)
    before = np.asarray(measure_features(features, window, 32.0))[0]
    assert len(members) == len(before)
    assert name == "random_fourier" or any(len(one) == 1 for one in members)
    for channel in range(3):
        other = window.copy()
        other[:, channel, 0] = rng.uniform(0.5, 1.5, size=64)
        after = np.asarray(measure_features(features, other, 32.0))[0]
        changed = set(np.flatnonzero(before != after).tolist())
        assert changed <= {n for n, one in enumerate(members) if channel in one}


@pytest.fixture(scope="module", params=WITH_WINDOWS)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A judged small request of each family with a classifier."""
    return judged(FAMILIES[request.param](tmp_path_factory.mktemp(request.param)))


def test_channels_and_constant_sum_to_the_difference_of_the_scores(subject: Subject) -> None:
    """Features of one window and of many differ by rounding of float32, weights are below 1e2."""
    windows = subject.outcome.tables["windows"]
    places = np.linspace(0, len(windows["truth"]) - 1, 9).astype(int)
    for place in places:
        push = push_of(subject, int(place))
        assert push is not None
        whole = push.constant + float(push.added.sum())
        assert whole == pytest.approx(push.difference, rel=1e-4, abs=1e-4)
        outputs = {name: windows[f"output_{name}"][place] for name in classes(subject)}
        assert push.towards == max(outputs, key=lambda name: outputs[name])
        assert push.difference == outputs[push.towards] - outputs[push.against]
        assert push.difference >= 0.0
        assert push.against == windows["truth"][place] or push.towards == windows["truth"][place]


def test_of_several_is_a_part(subject: Subject) -> None:
    found = push_of(subject, 0)
    assert found is not None
    if len(found.channels) == 1:
        assert (found.of_several == 0.0).all()
    assert found.added.shape == found.of_several.shape == (len(found.channels),)


def classes(subject: Subject) -> tuple[str, ...]:
    found = classifier_of(subject)
    assert found is not None
    return found[0].classes


def judged(request: Path) -> Subject:
    """What the pages of a request are made of."""
    seen: list[Subject] = []

    def caught(job: Any, model: Any, outcome: Any) -> Any:
        seen.append(Subject(job, model, outcome))
        return with_pages(job, model, outcome)

    with mock.patch("lumipipe.tasks.score.with_pages", caught):
        answer(request, request.parent / "out")
    return seen[0]


def test_a_channel_of_noise_does_not_lead(tmp_path: Path) -> None:
    """Classes differ in x alone: it adds most to nearly all decisions, and alone shows it."""
    request = activity(tmp_path, train={"features": {"statistics": {}, "spectral": {}}})
    rng = np.random.default_rng(6)
    for file in sorted((tmp_path / "raw").glob("*.csv")):
        rows = np.loadtxt(file, delimiter=",", skiprows=1)
        rows[:, 1] = rng.normal(size=len(rows))
        write_csv(file, "x,y", rows)
    subject = judged(request)
    windows = subject.outcome.tables["windows"]
    hits = np.flatnonzero(windows["truth"] == windows["recognised"])
    pushes = [push for n in hits[::5] if (push := push_of(subject, int(n))) is not None]
    led = [push.channels[int(push.added.argmax())] == "acc_x" for push in pushes]
    shown = [push.alone[push.channels.index("acc_x")] for push in pushes]
    assert len(pushes) > 8
    assert np.mean(led) > 0.8
    assert np.mean(np.array(shown, dtype=float)) > 0.8
