"""Figures against definitions written as loops, seams, artefacts, changes, and what is refused."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from lumipipe.errors import InputError
from lumipipe.families.hrv_figures import (
    Beats,
    block_table,
    figures,
    resolution_u,
    triangular_index,
)
from lumipipe.families.hrv_folding import KINDS
from lumipipe.fold import merge_all
from lumipipe.kernels.neighbours import median_of
from lumipipe.metrics.heartbeats import BeatBins, BeatsReducer
from lumipipe.tasks.request import load_request
from running import answer
from slow_hrv import slow, slow_policy
from small_requests import DROP, heartbeats, hrv

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.backend import State
    from lumipipe.reporting.result import Result, Unit

BEATS = BeatsReducer(xp, len(KINDS))


def state_of(rr_ms: Any, kind: Any = None, follows: Any = None) -> State:
    """The state of some intervals in ms; all normal and without a break by default."""
    rr = np.round(1000.0 * np.asarray(rr_ms)).astype(np.int64)
    kind = np.zeros_like(rr) if kind is None else np.asarray(kind, dtype=np.int64)
    follows = np.ones_like(rr) if follows is None else np.asarray(follows, dtype=np.int64)
    return BEATS.update(BEATS.empty(), {"rr_us": rr, "kind": kind, "follows": follows})


def unit(result: Result, name: str) -> Unit:
    return next(item for item in result.units if item.id == name)


SERIES = st.lists(
    st.tuples(st.integers(300, 1900), st.booleans(), st.booleans()), min_size=4, max_size=40
)


@given(series=SERIES)
def test_figures_are_those_of_the_definitions(series: list[tuple[int, bool, bool]]) -> None:
    """The definitions are sums of at most 40 squares of 1e3, in float64: relative 1e-12."""
    rr = [float(value) for value, _, _ in series]
    normal = [True, True, True, *(ok for _, ok, _ in series[3:])]
    follows = [True, True, True, *(on for _, _, on in series[3:])]
    beats = Beats.of(state_of(rr, np.where(normal, 0, 2), follows))
    for name, value in slow(rr, normal, follows).items():
        assert getattr(beats, name) == pytest.approx(value, rel=1e-12, abs=1e-9)
    assert beats.kinds[2] == normal.count(False)
    assert beats.excluded_share == pytest.approx(normal.count(False) / len(rr))


@given(series=SERIES, cuts=st.sets(st.integers(1, 39)))
def test_cut_anywhere_the_whole_is_the_same(
    series: list[tuple[int, bool, bool]], cuts: set[int]
) -> None:
    rr, normal, follows = (np.array(part) for part in zip(*series, strict=True))
    kind = np.where(normal, 0, 2)
    edges = [0, *sorted(cut for cut in cuts if cut < len(rr)), len(rr)]
    spans = itertools.pairwise(edges)
    parts = [state_of(rr[a:b], kind[a:b], follows[a:b]) for a, b in spans]
    whole = Beats.of(state_of(rr, kind, follows))
    assert Beats.of(merge_all(BEATS, parts)) == whole
    table = block_table(parts, 800_000)
    assert table[:, 0].sum() == whole.count
    assert table[:, 3].sum() == whole.steps
    assert table[:, 4].sum() == pytest.approx(whole.step_squares / 1e6, rel=1e-12)
    assert table[:, 5].sum() == whole.large


def test_a_step_of_just_fifty_ms_is_not_above_fifty() -> None:
    """18 samples at 360 Hz are 50 ms; their difference as floats may be a little more."""
    rr = 1000.0 * np.array([287, 305, 287, 306, 289]) / 360.0
    assert np.diff(rr).max() > 50.0
    assert Beats.of(state_of(rr)).pnn50 == 25.0


def test_intervals_of_a_second_all_alike_have_no_spread() -> None:
    beats = Beats.of(state_of(np.full(100, 1000.0)))
    assert (beats.sdnn, beats.rmssd, beats.sdsd, beats.pnn50) == (0.0, 0.0, 0.0, 0.0)
    assert beats.heart_rate == 60.0
    assert np.isnan(Beats.of(BEATS.empty()).rmssd)
    assert np.isnan(Beats.of(state_of([800.0])).sdnn)


def test_the_histogram_counts_in_bins_of_the_task_force() -> None:
    reducer = BeatBins(xp, 257)
    rr = np.array([7, 8, 799, 800, 1990, 5000]) * 1000
    batch = {"rr_us": rr, "kind": np.array([0, 0, 0, 0, 0, 3])}
    counts = reducer.update(reducer.empty(), batch)["counts"]
    assert np.flatnonzero(counts).tolist() == [0, 1, 102, 254]  # 7.8125 ms each
    assert triangular_index(counts) == 5 / 2


def test_medians_are_those_of_what_is_there() -> None:
    rng = np.random.default_rng(3)
    values, there = rng.normal(size=(50, 7)), rng.uniform(size=(50, 7)) < 0.6
    there[0] = False
    median, count = median_of(values, there)
    assert np.isnan(median[0])
    assert count.tolist() == there.sum(axis=1).tolist()
    for row in range(1, 50):
        assert median[row] == pytest.approx(np.median(values[row][there[row]]), rel=1e-15)


def test_the_interval_is_the_jackknife_over_blocks() -> None:
    """Written out again for RMSSD: each block left out in turn, seams with the later block."""
    rr = heartbeats(200, (5,)).astype(float)
    blocks = np.array_split(np.arange(200), 5)
    states = [state_of(rr[block]) for block in blocks]
    found = figures(states, Beats.of(state_of(rr)), 0.95, 1.0)["rmssd"]
    steps = np.diff(rr)
    logs = [0.5 * np.log(np.mean(np.delete(steps, block[block > 0] - 1) ** 2)) for block in blocks]
    u = np.sqrt(4 / 5 * np.sum((logs - np.mean(logs)) ** 2))
    assert found.u == pytest.approx(u * found.value, rel=1e-9)
    half = np.hypot(
        special.stdtrit(4, 0.975) * u,
        special.ndtri(0.975) * resolution_u("rmssd", found.value, 1.0) / found.value,
    )
    assert np.log(found.upper / found.value) == pytest.approx(half, rel=1e-9)
    assert np.log(found.value / found.lower) == pytest.approx(half, rel=1e-9)


def test_the_resolution_adds_what_is_said() -> None:
    """Beats on a grid of 8 ms against the same beats: the mean squares differ by q²/2 and q²/6."""
    rng = np.random.default_rng(11)
    times = np.cumsum(rng.normal(900.0, 20.0, 200_001))
    true, seen = (Beats.of(state_of(np.diff(t))) for t in (times, 8.0 * np.round(times / 8.0)))
    # 200 000 squares of standard deviation 2 x 1200 ms²: 5 ms², but true and seen share them.
    assert seen.rmssd**2 - true.rmssd**2 == pytest.approx(8.0**2 / 2, rel=0.05)
    assert seen.sdnn**2 - true.sdnn**2 == pytest.approx(8.0**2 / 6, rel=0.05)
    bound = np.sqrt(3.0) * resolution_u("rmssd", seen.rmssd, 8.0)
    assert seen.rmssd - true.rmssd == pytest.approx(bound, rel=0.05)


def test_each_recording_is_judged(tmp_path: Path) -> None:
    done = answer(hrv(tmp_path), tmp_path / "out")
    result = done.result
    assert {item.id: item.verdict for item in result.units} == {
        "ecg": "answered",
        "p0-0": "answered",
        "p0-1": "answered",
        "p0-2": "refused",
        "p1-0": "answered",
        "p1-1": "answered",
        "p1-2": "answered",
    }
    (refused,) = result.left_out
    assert (refused.what, refused.is_recording) == ("p0-2", True)
    assert "jump: 13" in refused.reason
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    table = table.set_index("recording")
    rr = np.loadtxt(tmp_path / "raw" / "p1_1.txt").tolist()
    told = slow(rr, [True] * len(rr), [True] * len(rr))
    for name, value in told.items():
        assert table.loc["p1-1", name] == pytest.approx(value, rel=1e-12)
    assert np.isnan(table.loc["p0-2", "rmssd"])


def test_plain_intervals_are_judged_by_their_neighbours(tmp_path: Path) -> None:
    """Jumps, what no heart does, stops; chunks of eight rows, whose edges must not show."""
    rng = np.random.default_rng(17)
    rr = heartbeats(150, (2, 2))
    rr[rng.choice(150, 12, replace=False)] = rng.choice([120, 500, 990, 1700, 2600], 12)
    follows = np.ones(150, dtype=bool)
    follows[[0, 30, 31, 33, 36, 90]] = False
    time = np.cumsum(rr + 30_000 * ~follows) / 1000.0
    text = "".join(f"{t:.3f} {value}\n" for t, value in zip(time, rr, strict=True))
    source = {"source": "raw/made.txt", "recordings": DROP, "labels": DROP}
    score = {"typical_error": DROP, "most_artefacts": 0.5}
    request = hrv(tmp_path, data={0: source}, score=score)
    (tmp_path / "raw" / "made.txt").write_text(text, encoding="utf-8")
    done = answer(request, tmp_path / "out")
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    row = table.set_index("recording").loc["made"]
    normal = slow_policy(rr.tolist(), follows.tolist())
    assert 100 < sum(normal) < 140
    assert row["normal"] == sum(normal)
    assert min(row["jump"], row["out of range"], row["no neighbours"]) > 0
    for name, value in slow(rr.tolist(), normal, follows.tolist()).items():
        assert row[name] == pytest.approx(value, rel=1e-12)


def test_annotations_decide_and_a_stop_is_no_difference(tmp_path: Path) -> None:
    done = answer(hrv(tmp_path), tmp_path / "out")
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    row = table.set_index("recording").loc["ecg"]
    lines = (tmp_path / "raw" / "ecg.csv").read_text(encoding="utf-8").splitlines()[1:]
    rr = [float(line.split(",")[1]) for line in lines]
    beat = [line.split(",")[2] == "N" for line in lines]
    both = [False, *(a and b for a, b in itertools.pairwise(beat))]
    follows = [at != 50 for at in range(80)]
    for name, value in slow(rr, both, follows).items():
        assert row[name] == pytest.approx(value, rel=1e-12)
    assert row["beat not normal"] == both.count(False)
    assert row["jump"] == 0


def test_a_change_stands_beside_the_one_that_noise_makes(tmp_path: Path) -> None:
    result = answer(hrv(tmp_path), tmp_path / "out").result
    history = next(item for item in result.sections if item.title == "History of each person")
    table = next(figure for figure in history.figures if figure.kind == "table")
    rows = [row for row in table.rows if row[:2] == ["p1", "RMSSD"]]
    assert [(row[2], row[3]) for row in rows] == [("p1-0", "p1-1"), ("p1-1", "p1-2")]
    assert rows[0][-1] == "no"
    assert rows[1][-1] == "yes"
    assert rows[1][6:8] == ["+147", "−28 to +38"]
    assert not [row for row in table.rows if "p0-2" in row]  # refused
    largest = next(metric for metric in result.metrics if metric.name == "change_ratio")
    assert largest.value is not None
    assert largest.value > 1
    assert "p1-1 to p1-2" in str(largest.note)


def test_without_repeats_no_change_is_judged(tmp_path: Path) -> None:
    result = answer(hrv(tmp_path, score={"typical_error": DROP}), tmp_path / "out").result
    asked = [item.question for item in result.not_answered]
    assert "Is a change larger than noise?" in asked
    assert result.answer.endswith("No change of a person is judged.")
    assert not [metric for metric in result.metrics if metric.name == "change_ratio"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            {"kind": "declared", "percent": {"rmssd": 12}, "source": "a made-up study"},
            "Typical error between repeats: RMSSD 12 % (declared); from a made-up study.",
        ),
        ({"kind": "windows"}, "from windows of one recording, which says nothing of other days."),
    ],
)
def test_the_noise_may_come_from_elsewhere(
    tmp_path: Path, error: dict[str, Any], words: str
) -> None:
    changes = {"label": DROP, "values": DROP}
    request = hrv(tmp_path, score={"typical_error": changes | error})
    result = answer(request, tmp_path / "out").result
    history = next(item for item in result.sections if item.title == "History of each person")
    assert any(words in text for text in history.paragraphs)


def test_conditions_make_the_verdict(tmp_path: Path) -> None:
    conditions = {"answered_share": ">= 0.8", "rmssd_half_width": "<= 2"}
    request = hrv(tmp_path, evaluation={"metrics": conditions})
    assert answer(request, tmp_path / "out").result.verdict == "supported"
    request = hrv(tmp_path, evaluation={"metrics": {"answered_share": ">= 0.9"}})
    assert answer(request, tmp_path / "out").result.verdict == "not_supported"


def test_a_short_recording_has_no_interval_and_no_part_in_comparisons(tmp_path: Path) -> None:
    request = hrv(tmp_path, train={"window_s": 300, "block_s": 60})
    result = answer(request, tmp_path / "out").result
    assert unit(result, "p1-0").verdict == "no interval"
    reasons = [item.reason for item in result.not_answered]
    assert any("figures of unlike lengths are not compared" in reason for reason in reasons)
    width = next(metric for metric in result.metrics if metric.name == "rmssd_half_width")
    assert width.value is None


def test_an_isolated_interval_cannot_be_judged(tmp_path: Path) -> None:
    """One interval between two stops, and two: none has two neighbours to be compared with."""
    source = {"source": "raw/gaps.txt", "recordings": DROP, "labels": DROP}
    score = {"typical_error": DROP, "most_artefacts": 0.3}
    request = hrv(tmp_path, data={0: source}, score=score)
    rr = heartbeats(40, (1, 1))
    time = np.cumsum(rr) / 1000.0
    time[20:] += 20.0
    time[21:] += 20.0
    time[23:] += 20.0
    text = "".join(f"{t:.3f} {value}\n" for t, value in zip(time, rr, strict=True))
    (tmp_path / "raw" / "gaps.txt").write_text(text, encoding="utf-8")
    done = answer(request, tmp_path / "out")
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    row = table.set_index("recording").loc["gaps"]
    assert (row["no neighbours"], row["normal"]) == (3, 37)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a split": ({"evaluation": {"split": {"kind": "group", "by": "unit"}}}, "does not fit hrv"),
    "a grid": (
        {"prepare": {"grid": {"rate_hz": 1.0, "longest_gap_s": 2.0}}},
        "prepare.grid would put intervals",
    ),
    "no channel": ({"train": {"channel": "nn"}}, "train.channel: there is no nn; use rr"),
    "no stream": ({"train": {"stream": "beats"}}, "no stream beats; use main"),
    "no time": (
        {"data": {1: {"time": {"kind": "order", "row": "a beat"}}}},
        "origin: row_before",
    ),
    "no label": ({"train": {"normal": {"label": "phase"}}}, "train.normal.label: there is no"),
    "no source": ({"asset": {"recorders": {"x": {"resolution_ms": 1}}}}, "asset.recorders: there"),
    "no edited source": ({"train": {"edited": ["x"]}}, "train.edited: there is no x"),
    "no repeats": ({"score": {"typical_error": {"label": "beat"}}}, "score.typical_error.label"),
    "unknown noise": (
        {
            "score": {"typical_error": DROP},
            "evaluation": {"metrics": {"change_ratio": ">= 1"}},
        },
        "say under score.typical_error",
    ),
    "the bad side": ({"evaluation": {"metrics": {"artefact_share": ">= 0.1"}}}, "the bad side"),
    "no unit of time": (
        {"data": {0: {"channels": [{"name": "rr", "quantity": "length", "unit": "m"}]}}},
        "train.channel",
    ),
    "half a block": ({"train": {"block_s": 7}}, "window_s is no whole number of block_s"),
    "no range": (
        {"train": {"artefacts": {"shortest_ms": 900, "longest_ms": 800}}},
        "the limits do not rise",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_answered_is_refused(tmp_path: Path, name: str) -> None:
    changes, message = WRONG[name]
    if name == "no time":
        changes["data"][1]["time"] |= dict.fromkeys(("column", "unit", "origin"), DROP)
    with pytest.raises(InputError) as caught:
        load_request(hrv(tmp_path, **changes))
    assert message in str(caught.value)
