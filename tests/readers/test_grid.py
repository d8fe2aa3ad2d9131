"""One regular grid: bridging, filtering, joining, refusing."""

from __future__ import annotations

import numpy as np
import pytest

from lumipipe.config import Grid
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.grid import on_grid
from lumipipe.readers.recording import Recording, Stream
from lumipipe.readers.resampling import at_times, grid_times, resampled, runs

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


def stream(
    values: np.ndarray, times: np.ndarray | None = None, rate: float | None = None, **more: object
) -> Stream:
    """A stream of one channel, or as many as there are columns."""
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    if times is not None and rate is None:
        rate = (len(times) - 1) * SECOND / float(times[-1] - times[0])
    plain = {
        "values": values,
        "time_ns": times,
        "start_ns": None if times is None else int(times[0]),
        "rate_hz": rate,
        "rate_u_hz": 0.0,
        "nominal_hz": rate,
        "segments": np.array([[0, len(values)]]),
        "labels": {},
        "channels": tuple(f"x{at}" for at in range(values.shape[1])),
        "units": ("m",) * values.shape[1],
    }
    return Stream(**(plain | more))


def recording(name: str, found: Stream, **more: object) -> Recording:
    """A recording with one stream."""
    plain = {
        "id": "r",
        "unit": "u",
        "source": name,
        "file": f"{name}.csv",
        "sha256": name,
        "attributes": {"a": "1"},
        "labels": {},
        "streams": {name: found},
        "notes": (f"note of {name}",),
    }
    return Recording(**(plain | more))


def grid(rate: float, gap: float) -> Grid:
    """A grid."""
    return Grid(rate_hz=rate, longest_gap_s=gap)


def level_db(values: np.ndarray, rate: float, frequency: float) -> float:
    """Level of a line against a sine of amplitude 1, by a Hann-windowed sum, in dB."""
    window = np.hanning(len(values))
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(values)) / rate)
    return 20 * np.log10(2 * abs((values * window * phase).sum()) / window.sum() + 1e-300)


@pytest.mark.parametrize("stamped", [False, True])
def test_no_folding_and_a_flat_pass_band(*, stamped: bool) -> None:
    t = np.arange(8000) / 2000.0
    times = T0 + np.arange(8000) * (SECOND // 2000) if stamped else None
    both = np.stack([np.sin(2 * np.pi * 900 * t), np.sin(2 * np.pi * 50 * t)], axis=1)
    found = on_grid([recording("v", stream(both, times, 2000.0))], grid(1000.0, 0.01))
    main = found.streams["main"]
    assert main.values.shape == (4000, 2)
    assert level_db(main.values[:, 0], 1000.0, 100.0) < -60.0
    assert abs(level_db(main.values[:, 1], 1000.0, 50.0)) < 0.1
    # No delay: the passed sine keeps its phase (inside, where no end is near).
    expected = np.sin(2 * np.pi * 50 * np.arange(4000) / 1000.0)
    np.testing.assert_allclose(main.values[200:-200, 1], expected[200:-200], atol=1e-3)
    assert any("low-pass" in note for note in found.notes)


def test_rational_ratio() -> None:
    t = np.arange(44100) / 44100.0
    values = np.sin(2 * np.pi * 1000 * t) + np.sin(2 * np.pi * 15000 * t)
    found = on_grid([recording("v", stream(values, None, 44100.0))], grid(25600.0, 0.01))
    main = found.streams["main"].values[:, 0]
    assert len(main) == 25600
    assert abs(level_db(main, 25600.0, 1000.0)) < 0.1
    assert level_db(main, 25600.0, 25600.0 - 15000.0) < -60.0


def test_jittered_stamps_above_the_grid_rate() -> None:
    rng = np.random.default_rng(2)
    times = T0 + (np.arange(4000) * 10 + rng.integers(-2, 3, 4000)) * 1_000_000
    t = (times - times[0]) / SECOND
    found = on_grid([recording("v", stream(np.sin(2 * np.pi * t), times))], grid(20.0, 0.1))
    main = found.streams["main"]
    expected = np.sin(2 * np.pi * np.arange(len(main.values)) / 20.0)
    # Linear bridging of steps up to 14 ms: (2 pi h)**2 / 8 = 1e-3.
    np.testing.assert_allclose(main.values[20:-20, 0], expected[20:-20], atol=1.2e-3)


def test_constant_does_not_sag_at_the_ends() -> None:
    found = on_grid([recording("v", stream(np.full(500, 9.81), None, 100.0))], grid(20.0, 0.1))
    np.testing.assert_allclose(found.streams["main"].values, 9.81, rtol=1e-12)


@pytest.mark.parametrize("missing", [1, 2, 3, 10])
def test_short_gaps_are_bridged_whole_and_long_ones_left_whole(missing: int) -> None:
    kept = np.r_[0:10, 10 + missing : 30]
    times = T0 + kept * 100_000_000
    found = on_grid([recording("v", stream(kept, times))], grid(10.0, 0.31))
    main = found.streams["main"]
    covered = ~np.isnan(main.values[:, 0])
    expected = np.ones(30, dtype=bool)
    if missing > 2:  # the distance over two missing samples is 0.3 s
        expected[10 : 10 + missing] = False
    np.testing.assert_array_equal(covered, expected)
    np.testing.assert_allclose(main.values[covered, 0], np.flatnonzero(expected), atol=1e-9)
    assert main.segments.tolist() == runs(expected).tolist()


def test_missing_readings_are_gaps_of_their_channel() -> None:
    values = np.arange(20.0)
    values[5] = np.nan
    values[10:16] = np.nan
    found = on_grid([recording("v", stream(values, None, 10.0))], grid(10.0, 0.25))
    main = found.streams["main"]
    assert main.segments.tolist() == [[0, 10], [16, 4]]
    assert main.values[5, 0] == pytest.approx(5.0)


def test_two_streams_are_joined_over_their_common_time() -> None:
    slow = stream(np.arange(20.0), T0 + np.arange(20) * 80_000_000, channels=("a",))
    labels = {"k": np.array(["x"] * 20 + ["y"] * 30)}
    fast = stream(
        np.arange(50.0),
        T0 + 100_000_000 + np.arange(50) * 40_000_000,
        channels=("b",),
        units=("rad/s",),
        labels=labels,
    )
    found = on_grid(
        [
            recording("acc", slow, labels={"set": "1"}),
            recording("gyro", fast, labels={"side": "left"}),
        ],
        grid(25.0, 0.2),
    )
    main = found.streams["main"]
    assert (main.channels, main.units) == (("a", "b"), ("m", "rad/s"))
    assert main.start_ns == T0 + 100_000_000
    assert len(main.values) == 36  # from 0.1 s to 1.52 s at 0.04 s
    np.testing.assert_allclose(main.values[:, 0], (0.1 + np.arange(36) * 0.04) / 0.08, rtol=1e-12)
    np.testing.assert_allclose(main.values[:, 1], np.arange(36), atol=1e-12)
    assert main.labels["k"].tolist() == ["x"] * 20 + ["y"] * 16
    assert found.labels == {"set": "1", "side": "left"}
    assert (found.source, found.file, found.sha256) == (
        "acc gyro",
        "acc.csv gyro.csv",
        "acc gyro",
    )
    assert {"note of acc", "note of gyro"} < set(found.notes)
    assert (main.rate_hz, main.time_ns) == (25.0, None)


def test_rows_with_contradicting_labels_are_left_out() -> None:
    times = T0 + np.arange(50) * 20_000_000
    first = np.array(["x"] * 25 + ["y"] * 25)
    second = np.array(["x"] * 27 + ["y"] * 23)
    parts = [
        recording(name, stream(np.arange(50), times, labels={"k": k}, channels=(name,)))
        for name, k in (("p", first), ("w", second))
    ]
    found = on_grid(parts, grid(50.0, 0.1))
    assert found.streams["main"].segments.tolist() == [[0, 25], [27, 23]]
    assert "label k: streams contradict in 2 rows" in found.notes
    third = stream(np.arange(50), times, labels={"k": first[::-1]}, channels=("z",))
    with pytest.raises(RecordingError, match="50 of 50 rows have another k"):
        on_grid([parts[0], recording("z", third)], grid(50.0, 0.1))


def test_refusals() -> None:
    times = T0 + np.arange(10) * SECOND
    one = recording("a", stream(np.arange(10), times, channels=("a",)))
    late = stream(np.arange(10), times + 100 * SECOND, channels=("b",))
    regular = stream(np.arange(10), None, 1.0, channels=("b",))
    order = stream(np.arange(10), None, np.nan, channels=("b",))
    fine = stream(np.arange(10), times, channels=("b",))
    for other, message in (
        (recording("b", late), "do not overlap: one ends 91 s before"),
        (recording("b", regular), "no common time axis"),
        (recording("b", order), "rows without time"),
        (recording("b", stream(np.arange(10), times, channels=("a",))), "have a channel a"),
        (recording("a", fine), "the stream a of r is there twice"),
        (recording("b", fine, unit="v"), "is r of v, to be joined with r of u"),
    ):
        with pytest.raises(InputError, match=message):
            on_grid([one, other], grid(1.0, 2.0))
    with pytest.raises(
        InputError, match=r"longest_gap_s 0.5 is shorter than a step of .* a \(1 s\)"
    ):
        on_grid([one], grid(1.0, 0.5))
    with pytest.raises(RecordingError, match="label k of r is 2 here and 1 in another"):
        on_grid(
            [
                recording("a", one.streams["a"], labels={"k": "1"}),
                recording("b", fine, labels={"k": "2"}),
            ],
            grid(1.0, 2.0),
        )
    with pytest.raises(RecordingError, match="no row of the grid has all channels"):
        on_grid([recording("a", stream(np.full(10, np.nan), times))], grid(1.0, 2.0))


def test_equal_stamps_are_averaged_on_the_grid() -> None:
    times = np.array([0, 10, 10, 20])
    found = at_times(
        times, np.array([[0.0], [1.0], [3.0], [4.0]]), np.array([0, 5, 10, 15, 20]), 50
    )
    assert found[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_grid_times_do_not_drift() -> None:
    # Node k of a 3 Hz grid is k/3 s rounded to 1 ns, however large k is.
    times = grid_times(0, 3_000_001, 3.0)
    assert times[-1] == 1_000_000 * SECOND
    assert times[1] == 333_333_333


def test_float32_stays_float32() -> None:
    single = stream(np.arange(10), None, 10.0)
    single = Stream(**{**single.__dict__, "values": single.values.astype(np.float32)})
    found = on_grid([recording("v", single)], grid(10.0, 0.2))
    assert found.streams["main"].values.dtype == np.float32


def test_nothing_outside_the_source() -> None:
    values, _ = resampled(stream(np.arange(5), None, 1.0), -SECOND, 8, 1.0, 2 * SECOND)
    assert np.isnan(values[[0, 6, 7], 0]).all()
    assert values[1:6, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("rate_hz", [1.0, 4.0, 10.0], ids=["thinned", "fewer", "equal"])
def test_nothing_is_bridged_or_smeared_over_a_break(rate_hz: float) -> None:
    # 0 before a pause of 2 s, 1 after it: the longest gap would allow the bridge.
    times = T0 + np.concatenate([np.arange(100), 120 + np.arange(100)]) * (SECOND // 10)
    values = np.repeat([0.0, 1.0], 100)
    parts = np.array([[0, 100], [100, 100]])
    found = on_grid([recording("v", stream(values, times, 10.0, segments=parts))], grid(rate_hz, 5))
    main = found.streams["main"]
    assert len(main.segments) == 2
    for (first, count), value in zip(main.segments, (0.0, 1.0), strict=True):
        np.testing.assert_allclose(main.values[first : first + count, 0], value, atol=1e-12)
    nodes = np.arange(len(main.values)) / rate_hz
    inside = (nodes > 9.9 + 1e-9) & (nodes < 12.0 - 1e-9)
    assert np.isnan(main.values[inside]).all()


def test_a_break_between_neighbours_cuts_a_segment() -> None:
    parts = np.array([[0, 50], [50, 50]])
    found = on_grid([recording("v", stream(np.ones(100), None, 10.0, segments=parts))], grid(10, 1))
    assert found.streams["main"].segments.tolist() == [[0, 50], [50, 50]]
