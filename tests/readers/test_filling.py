"""What is filled in on a grid, row by row, and stretches where it is too much (case C53)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config import Filled, Grid
from lumipipe.readers.filling import filled_rows, too_much_filled
from lumipipe.readers.grid import on_grid
from lumipipe.readers.recording import Recording, Stream
from lumipipe.readers.resampling import grid_times, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


def stream(times: NDArray[np.int64], values: NDArray[np.float64], rate_hz: float) -> Stream:
    """One channel with a stamp for each row."""
    return Stream(
        values=values.reshape(-1, 1),
        time_ns=times,
        start_ns=int(times[0]),
        rate_hz=rate_hz,
        rate_u_hz=0.0,
        nominal_hz=rate_hz,
        segments=np.array([[0, len(times)]]),
        labels={},
        channels=("x",),
        units=("m",),
    )


def joined(found: Stream, **grid: Any) -> tuple[Stream, tuple[str, ...]]:
    """The stream on a grid, and the notes."""
    one = Recording("r", "u", "s", "f.csv", "0", {}, {}, {"main": found}, ())
    recording = on_grid([one], Grid(**grid))
    return recording.streams["main"], recording.notes


@pytest.mark.parametrize("missing", [1, 2, 3, 10])
def test_rows_over_missing_samples_are_filled_in_and_no_others(missing: int) -> None:
    kept = np.r_[0:10, 10 + missing : 40]
    found = stream(T0 + kept * SECOND // 10, kept.astype(float), 10.0)
    rows = filled_rows(found, grid_times(T0, 40, 10.0))
    assert np.flatnonzero(rows).tolist() == list(range(10, 10 + missing))
    # Nothing is made up before the first and after the last sample.
    main, notes = joined(found, rate_hz=10.0, longest_gap_s=5.0)
    assert len(main.values) == 40
    assert f"{missing} of 40 rows are filled in" in notes


def test_missing_readings_at_both_ends_stay_missing() -> None:
    values = np.arange(30.0)
    values[[0, 1, 28, 29]] = np.nan
    values[12:14] = np.nan
    found = stream(T0 + np.arange(30) * SECOND // 10, values, 10.0)
    main, notes = joined(found, rate_hz=10.0, longest_gap_s=5.0)
    assert np.flatnonzero(np.isnan(main.values[:, 0])).tolist() == [0, 1, 28, 29]
    assert main.segments.tolist() == [[2, 26]]
    assert "2 of 30 rows are filled in" in notes


def test_a_jitter_is_no_missing_sample() -> None:
    rng = np.random.default_rng(3)
    steps = np.arange(200) * 100 + rng.integers(-20, 21, 200)
    found = stream(T0 + steps * 1_000_000, np.ones(200), 10.0)
    wanted = grid_times(T0, 190, 10.0)
    assert not filled_rows(found, wanted).any()
    # Without three samples in a row the rows between their neighbours are filled in.
    kept = np.delete(np.arange(200), [50, 51, 52])
    thinner = stream(found.time_ns[kept], np.ones(197), 10.0)  # type: ignore[index]
    before, after = T0 + steps[49] * 1_000_000, T0 + steps[53] * 1_000_000
    expected = (wanted > before) & (wanted < after)
    assert filled_rows(thinner, wanted).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("missing", "kept"),
    [
        ([], True),  # 0 %
        ([30], True),  # 5 % of each stretch of 20 rows
        ([30, 55], True),  # each stretch has one of them at most
        ([30, 49], False),  # a stretch of 20 has both: 10 %
        (list(range(30, 40)), False),  # 50 %
    ],
)
def test_stretches_with_too_much_filled_in_are_left_as_gaps(
    missing: list[int], *, kept: bool
) -> None:
    there = np.delete(np.arange(100), missing)
    found = stream(T0 + there * SECOND // 10, there.astype(float), 10.0)
    limit = Filled(most_share=0.05, within_s=2.0)
    main, notes = joined(found, rate_hz=10.0, longest_gap_s=5.0, filled=limit)
    gaps = [] if kept else missing
    assert np.flatnonzero(np.isnan(main.values[:, 0])).tolist() == gaps
    expected = np.ones(100, dtype=bool)
    expected[gaps] = False
    assert main.segments.tolist() == runs(expected).tolist()
    assert any("not filled in" in note for note in notes) is not kept


@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.integers(1, 12),
    st.floats(0.0, 0.99),
)
def test_no_stretch_that_is_left_has_too_many(
    filled: list[bool], covered: list[bool], length: int, share: float
) -> None:
    rows = np.array(filled)
    there = np.array(covered[: len(filled)])
    dropped = too_much_filled(rows, runs(there), length, share)
    assert not (dropped & ~rows).any()
    assert not (dropped & ~there).any()

    def stretches(of: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """First row and row after the last of each stretch of the segments."""
        return [
            (start, start + min(length, count))
            for first, count in runs(of).tolist()
            for start in range(first, first + count - min(length, count) + 1)
        ]

    # Shorter segments may be made by dropping; full stretches keep to the limit.
    assert all(
        rows[a:b].sum() <= share * length for a, b in stretches(there & ~dropped) if b - a == length
    )
    # What is dropped lies in a stretch that had too many.
    bad = [(a, b) for a, b in stretches(there) if rows[a:b].sum() > share * (b - a)]
    assert all(any(a <= row < b for a, b in bad) for row in np.flatnonzero(dropped))
