from __future__ import annotations

from lumipipe.backend import choose_backend
from lumipipe.tasks.calibration import gram_rate, middle


def test_a_rate_for_each_of_at_least_five_repeats():
    rates = gram_rate(choose_backend("numpy"), seconds=0.0)
    assert len(rates) == 5
    # From a tenth of a core of 2005 to a hundred of the fastest: a wrong unit lies outside.
    assert 1e8 < min(rates) <= middle(rates) <= max(rates) < 1e14


def test_the_middle_is_the_median():
    assert middle([5.0, 1.0, 3.0]) == 3.0
