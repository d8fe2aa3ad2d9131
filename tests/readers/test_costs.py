from __future__ import annotations

from lumipipe.readers import READERS, costs
from lumipipe.readers.costs import gridding_cost, reading_cost


def test_text_costs_more_than_binary_and_compressed_more_than_plain():
    million = {name: reading_cost(name, "a.dat", 10**6).seconds for name in READERS}
    assert million["npy"] < million["text"] < million["csv"]
    assert reading_cost("npy", "a.npy.gz", 10**6).seconds > million["npy"]
    assert reading_cost("npy", "a.npy.XZ", 10**6).bytes == 4 * 10**6


def test_many_small_files_cost_more_than_one_of_their_size():
    assert (
        1000 * reading_cost("csv", "a.csv", 1000).seconds > reading_cost("csv", "a", 10**6).seconds
    )


def test_every_format_has_a_measured_rate():
    assert set(READERS) == set(costs._RATES)
    # A format without one counts as slower than all that were measured.
    slowest = reading_cost("none of these", "a", 10**6)
    assert all(reading_cost(name, "a", 10**6).seconds <= slowest.seconds for name in READERS)


def test_a_grid_takes_longer_for_more_rows():
    assert gridding_cost(2 * 10**6).seconds > gridding_cost(10**6).seconds
