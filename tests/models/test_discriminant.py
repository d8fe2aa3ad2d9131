"""Discriminants from merged states against those of another library on the rows themselves."""

from __future__ import annotations

import array_api_compat.numpy as np_compat
import numpy as np
import pytest

from conftest import to_numpy
from lumipipe.fold import merge_all
from lumipipe.models.discriminant import balanced_brier, discriminant_path, discriminants
from lumipipe.models.ridge import RidgeReducer


def rows(counts=(60, 25, 9), width=4, seed=2):
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), counts)
    mixed = rng.normal(size=(width, width))
    centre = 2.0 * rng.normal(size=(len(counts), width))
    x = rng.normal(size=(len(truth), width)) @ mixed + centre[truth] + 50.0
    return x, truth


def state_of(x, truth, classes=3, parts=4):
    reducer = RidgeReducer(np_compat, x.shape[1], classes, 1000, 1)
    order = np.random.default_rng(0).permutation(len(x))
    states = []
    for part in np.array_split(order, parts):
        batch = {"x": x[part], "y": np.eye(classes)[truth[part]], "number": part}
        states.append(reducer.update(reducer.empty(), batch))
    return merge_all(reducer, states)


def test_without_penalty_they_are_those_of_another_library():
    analysis = pytest.importorskip("sklearn.discriminant_analysis")
    x, truth = rows()
    model = discriminant_path(state_of(x, truth), x.shape[1], [1e-9])
    own = discriminants(model, x)[0]
    priors = np.full(3, 1 / 3)
    peer = analysis.LinearDiscriminantAnalysis(solver="svd", priors=priors).fit(x, truth)
    theirs = peer.decision_function(x)
    # Both are known up to a number that a row's classes share. The peer's spread is divided by
    # the rows, ours by the rows less the classes; the condition is below 1e4.
    np.testing.assert_allclose(
        (own - own[:, :1]) * len(x) / (len(x) - 3),
        theirs - theirs[:, :1],
        rtol=1e-6,
        atol=1e-6 * np.abs(theirs).max(),
    )


def test_a_class_that_was_never_shown_is_never_named():
    x, truth = rows()
    model = discriminant_path(state_of(x, truth, classes=4), x.shape[1], [1.0, 100.0])
    outputs = discriminants(model, x)
    assert np.isfinite(outputs).all()
    assert not (outputs.argmax(axis=-1) == 3).any()


def test_the_border_does_not_move_with_the_number_of_rows():
    """Two classes with the same spread: ten times the rows of one leave the border there."""
    x = np.concatenate([np.tile([[-1.0], [1.0]], (50, 1)), np.tile([[3.0], [5.0]], (5, 1))])
    truth = np.repeat([0, 1], [100, 10])
    model = discriminant_path(state_of(x, truth, classes=2), 1, [1e-9])
    low, high = discriminants(model, np.asarray([[1.99], [2.01]]))[0]
    assert low.argmax() == 0
    assert high.argmax() == 1


def test_libraries_agree(xp_array):
    x, truth = rows()
    state = state_of(x, truth)
    other = {name: xp_array(array) for name, array in state.items()}
    path = discriminant_path(other, 4, [0.1, 10.0])
    found = to_numpy(discriminants(path, xp_array(x)))
    np.testing.assert_allclose(
        found, discriminants(discriminant_path(state, 4, [0.1, 10.0]), x), rtol=1e-9, atol=1e-9
    )


def test_brier_of_certain_answers():
    truth = np.eye(3)[[0, 0, 0, 1]]
    right = 1e3 * truth[None]
    assert balanced_brier(right, truth).tolist() == [[0.0, 0.0, 0.0]]
    wrong = 1e3 * np.roll(truth, 1, axis=1)[None]
    assert balanced_brier(wrong, truth).tolist() == [[2.0, 2.0, 0.0]]
