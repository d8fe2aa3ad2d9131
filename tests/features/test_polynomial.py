"""Values, squares and products of channels, against products written out."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.features.polynomial import Polynomial, PolynomialSettings

NAMES, SCALES = ("a", "b", "c"), (2.0, 1.0, 4.0)


def built(**settings):
    return Polynomial.build(NAMES, SCALES, 5, 1.0, PolynomialSettings(**settings), 0)


def means():
    windows = np.random.default_rng(0).normal(size=(5, 3, 7))
    return windows, windows.mean(axis=0) / np.array(SCALES)[:, None]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"degree": 2}, ["a", "b", "c", "a*a", "a*b", "a*c", "b*b", "b*c", "c*c"]),
        ({"degree": 2, "among": ["b"]}, ["a", "b", "c", "b*b"]),
        ({"degree": 2, "among": ["c", "a"]}, ["a", "b", "c", "a*a", "a*c", "c*c"]),
    ],
)
def test_terms_are_what_their_names_say(settings, names):
    feature, (windows, mean) = built(**settings), means()
    assert list(feature.names) == names
    value = dict(zip(NAMES, mean, strict=True))
    wanted = [np.prod([value[part] for part in name.split("*")], axis=0) for name in names]
    found = np.asarray(built(**settings)(windows, 1.0))
    # Means of five numbers of size 1, and their products: a few roundings.
    np.testing.assert_allclose(found, np.stack(wanted, axis=1), rtol=1e-13, atol=1e-14)


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match="no input d"):
        built(degree=2, among=["d"])
    with pytest.raises(ValidationError, match="degree 1 has none"):
        PolynomialSettings(among=["a"])
