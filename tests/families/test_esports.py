"""Rates against pandas, latencies against a loop, winners against SciPy; what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import optimize, stats

from lumipipe.errors import InputError
from lumipipe.families.esports_numbers import _ratio
from lumipipe.families.esports_sessions import slope
from lumipipe.families.esports_winner import ridge_logistic
from lumipipe.tasks.request import load_request
from lumipipe.uncertainty.blocks import block_estimate
from running import answer
from small_requests import DROP, change, esports, hearts, presses, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result
    from running import Done

STILL_S, BLOCK_S, WIDTH = 0.5, 30.0, 0.01


def metric(result: Result, name: str) -> Metric:
    return next(item for item in result.metrics if item.name == name)


def table(done: Done, name: str) -> pd.DataFrame:
    found: pd.DataFrame = pq.read_table(done.product("score") / f"{name}.parquet").to_pandas()
    return found


def frames(folder: Path, what: str) -> dict[str, pd.DataFrame]:
    """The files of a kind by recording."""
    found = {}
    for file in sorted((folder / "raw").glob(f"{what}_*.csv")):
        _, game, player, _ = file.stem.split("_")
        found[f"{game}-{player}"] = pd.read_csv(file)
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The small request, run once."""
    folder = tmp_path_factory.mktemp("esports")
    return folder, answer(esports(folder), folder / "out")


def test_rates_and_counts_are_those_by_pandas(small: tuple[Path, Done]) -> None:
    folder, done = small
    rates = table(done, "recordings").set_index("recording")
    blocks = table(done, "blocks")
    every, minutes = 0, 0.0
    for name, rows in frames(folder, "presses").items():
        actions = rows[rows["kind"].isin([2, 3])]
        length = rows["t"].iloc[-1] - rows["t"].iloc[0]
        assert rates.loc[name, "minutes"] == pytest.approx(length / 60, rel=1e-12)
        assert rates.loc[name, "actions_per_minute"] == pytest.approx(
            len(actions) / length * 60, rel=1e-12
        )
        last = np.ceil(length / BLOCK_S) - 1  # the row that ends the last block belongs to it
        found = (actions["t"] // BLOCK_S).clip(upper=last).value_counts().sort_index()
        own = blocks[blocks["recording"] == name].set_index("block")["press"]
        assert own[own > 0].to_dict() == found.to_dict()
        every, minutes = every + len(actions), minutes + length / 60
    rate = metric(done.result, "actions_per_minute")
    assert rate.value == pytest.approx(every / minutes, rel=1e-12)
    assert done.result.counts["actions"] == every


def latencies(rows: pd.DataFrame) -> list[float]:
    """Time from each light to the first key before the next light, one by one."""
    found, events = [], list(rows.itertuples(index=False))
    for place, (time, kind) in enumerate(events):
        if kind != 1:
            continue
        rest = events[place + 1 :]
        ends = [t for t, k in rest if k == 1]
        end = ends[0] if ends else events[-1][0]
        keys = [t for t, k in rest if k in {2, 3} and (not ends or t < end)]
        # Stamps have three decimals: their differences are no nearer than 1e-9 to a limit of 0.5.
        if end - time >= STILL_S - 1e-9 and keys:
            found.append(keys[0] - time)
    return found


def test_latencies_are_those_of_a_loop(small: tuple[Path, Done]) -> None:
    """Medians within the 0.5 % of the bins, and as many episodes."""
    folder, done = small
    rows, pooled = table(done, "recordings").set_index("recording"), []
    for name, events in frames(folder, "presses").items():
        own = latencies(events)
        pooled += own
        assert rows.loc[name, "press_after_light_answered"] == len(own)
        median = np.quantile(own, 0.5, method="inverted_cdf")
        assert rows.loc[name, "press_after_light_median_s"] == pytest.approx(median, rel=0.005)
    found = metric(done.result, "latency_press_after_light")
    expected = np.quantile(pooled, 0.5, method="inverted_cdf")
    assert found.value == pytest.approx(expected, rel=WIDTH / (2 + WIDTH) + 1e-9)
    assert found.count == len(pooled)


def test_times_in_zones_are_those_of_a_loop(small: tuple[Path, Done]) -> None:
    """A reading holds to the next row; the gap of half a minute is in no zone."""
    folder, done = small
    found = table(done, "zones").set_index(["recording", "zone"])["seconds"]
    for name, rows in frames(folder, "hearts").items():
        steps, zones = np.diff(rows["t"]), np.zeros(4)
        for value, step in zip(rows["bpm"], steps, strict=False):
            if step > 5:
                continue  # the gap
            zones[3 if np.isnan(value) else int(value >= 110) + int(value >= 130)] += step
        names = ["below 110 1/min", "110 to 130 1/min", "130 1/min and more", "unknown"]
        assert [found[(name, zone)] for zone in names] == zones.tolist()


@pytest.mark.slow
def test_no_byte_depends_on_the_size_of_chunks(tmp_path: Path) -> None:
    found = []
    for rows in (1, 7, 64, 10_000):
        sizes = {"rows_per_chunk": rows}
        request = esports(tmp_path, train={"events": sizes, "intensity": sizes})
        done = answer(request, tmp_path / f"out{rows}")
        folder = done.product("score")
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    for other in found[1:]:
        for name, content in found[0].items():
            if name.endswith(".parquet"):
                assert other[name] == content, name


def test_weights_are_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    x, sign = rng.normal(size=(12, 2)), np.where(rng.random(12) < 0.5, -1.0, 1.0)

    def loss(w: np.ndarray) -> float:
        return float(np.logaddexp(0.0, -sign * (x @ w)).sum() + 0.5 * w @ w)

    expected = optimize.minimize(loss, np.zeros(2), tol=1e-12).x
    # A minimum is flat: SciPy's own stands at a gradient of 1e-5 or so, by differences.
    np.testing.assert_allclose(ridge_logistic(x, sign, 1.0), expected, atol=1e-4)
    found = ridge_logistic(x, sign, 1.0)
    gradient = found - x.T @ (sign / (1 + np.exp(sign * (x @ found))))
    np.testing.assert_allclose(gradient, 0.0, atol=1e-10)
    np.testing.assert_allclose(ridge_logistic(-x, -sign, 1.0), found, atol=1e-12)


def games(folder: Path, count: int, faster_wins: bool) -> Path:  # noqa: FBT001
    """Games whose first player presses twice as often."""
    request = esports(folder, games=0)
    for game in range(count):
        for player, seconds in (("a", 120.0), ("b", 120.0)):
            rows = presses(seconds, (29, game, ord(player)))
            if player == "a":
                keys = np.stack([np.arange(1.0, 110.0), np.full(109, 2.0)], axis=1)
                rows = np.concatenate([rows, keys])
                rows = rows[np.argsort(rows[:, 0], kind="stable")]
            result = "won" if (player == "a") == faster_wins else "lost"
            name = f"g{game}_{player}_{result}.csv"
            write_csv(folder / "raw" / f"presses_{name}", "t,kind", rows)
            beats = hearts(seconds, (29, game, ord(player)))
            write_csv(folder / "raw" / f"hearts_{name}", "t,bpm", beats)
    return request


@pytest.mark.parametrize("faster_wins", [True, False])
def test_what_tells_the_winner_is_found_whichever_way_it_points(
    tmp_path: Path,
    faster_wins: bool,  # noqa: FBT001
) -> None:
    request = games(tmp_path, 8, faster_wins)
    conditions = {"winner_share": ">= 0.5", "winner_half_width": "<= 0.3"}
    change(request, evaluation={"metrics": conditions})
    result = answer(request, tmp_path / "out").result
    assert metric(result, "winner_share").value == 1.0
    assert [found.outcome for found in result.comparisons] == ["better"]  # 8 of 8
    assert result.verdict == "supported"
    assert metric(result, "winner_share").lower == pytest.approx(0.025 ** (1 / 8), abs=1e-9)
    assert [test.status for test in result.leakage] == ["none"]


def test_few_games_support_nothing(small: tuple[Path, Done], tmp_path: Path) -> None:
    _, done = small
    share = metric(done.result, "winner_share")
    assert [(c.name, c.outcome) for c in done.result.comparisons] == [("coin", "not_told_apart")]
    assert share.count == 5
    assert share.lower is not None
    assert share.upper is not None
    assert share.lower <= 0.5 <= share.upper
    assert metric(done.result, "winner_half_width").value == pytest.approx(
        (share.upper - share.lower) / 2
    )
    metrics = {"winner_share": ">= 0.5", "winner_half_width": "<= 0.1"}
    request = esports(tmp_path, evaluation={"metrics": metrics})
    result = answer(request, tmp_path / "out").result
    assert result.verdict == "not_supported"
    assert any("104 games" in item.reason for item in result.not_answered)
    assert "104 are needed" in result.would_change


def test_games_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    request = esports(tmp_path)
    raw = tmp_path / "raw"
    for kind in ("presses", "hearts"):
        (raw / f"{kind}_g0_b_lost.csv").unlink(missing_ok=True)
        (raw / f"{kind}_g0_b_won.csv").unlink(missing_ok=True)
        for file in raw.glob(f"{kind}_g1_b_*.csv"):
            other = next(iter(raw.glob(f"{kind}_g1_a_*.csv"))).stem.rsplit("_", 1)[1]
            file.rename(raw / f"{kind}_g1_b_{other}.csv")
    change(request, score={"winner": {"first_s": 210, "leave_out": {"game": ["g2"]}}})
    result = answer(request, tmp_path / "out").result
    reasons = {item.what: item.reason for item in result.left_out}
    found = [reasons[f"game g{n}, for the question who wins"] for n in range(4)]
    assert found[0] == "it has 1 players, not two"
    assert found[1].startswith("its results are")
    assert found[2] == "game is g2, which the request leaves out"
    assert found[3] == "it is shorter than 210 s"
    assert metric_names(result) == {
        "actions_per_minute",
        "latency_press_after_light",
        "known_share",
    }
    assert "Nothing is said of winners, for 0 games can be used" in result.answer


def metric_names(result: Result) -> set[str]:
    return {item.name for item in result.metrics}


def test_players_of_two_games_are_a_leak(tmp_path: Path) -> None:
    recordings = {"recordings": {"unit": "{player}"}}
    result = answer(esports(tmp_path, data={0: recordings, 1: recordings}), tmp_path / "out").result
    assert [(test.status, test.count) for test in result.leakage] == [("found", 5)]


def test_counts_in_bursts_need_wider_intervals_than_poissons() -> None:
    """Rates of minutes that are gamma distributed: a dispersion of 9 on average.

    400 recordings of 20 min; the share that holds has a standard error of 1.1 %, so 5 of them lie
    below 95 % by 5.5 %. Poisson's interval is three times too narrow: it holds 48 %.
    """
    rng, truth, held, poisson = np.random.default_rng(31), 80.0, 0, 0
    for _ in range(400):
        counts = rng.poisson(rng.gamma(10.0, truth / 10.0, size=20))
        sums = np.stack([np.ones(20), counts, np.ones(20)], axis=1).astype(float)
        found = block_estimate(sums, _ratio)
        held += found.lower <= truth <= found.upper
        lower, upper = stats.chi2.ppf([0.025, 0.975], [2 * counts.sum(), 2 * counts.sum() + 2]) / 40
        poisson += lower <= truth <= upper
    assert held >= 0.895 * 400
    assert poisson <= 0.6 * 400


def test_a_slope_is_that_of_scipy() -> None:
    values = np.random.default_rng(2).normal(size=7)
    expected = stats.linregress(np.arange(7), values)
    found = slope(values)
    assert found.value == pytest.approx(expected.slope, rel=1e-9)
    half = stats.t.ppf(0.975, 5) * expected.stderr
    ends = [expected.slope - half, expected.slope + half]
    assert [found.lower, found.upper] == pytest.approx(ends, rel=1e-9)


def test_sessions_of_a_person_are_followed_in_their_order(tmp_path: Path) -> None:
    """Ten games of two persons; latencies do not change, so no slope is far from 0."""
    recordings = {"recordings": {"unit": "{player}"}}
    request = esports(
        tmp_path,
        games=10,
        data={0: recordings, 1: recordings},
        score={"winner": DROP, "sessions": {"order": "game", "fewest": 10}},
        evaluation={"split": {"kind": "none", "by": DROP}},
    )
    result = answer(request, tmp_path / "out").result
    section = next(s for s in result.sections if s.title == "From session to session")
    rows: Any = section.figures[0].rows  # type: ignore[union-attr]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        (person, measure, 10)
        for person in "ab"
        for measure in ("actions (1/min)", "median press after light (s)")
    ]
    assert not any("session to session" in item.question for item in result.not_answered)


def test_without_repeated_sessions_the_question_is_not_answered(tmp_path: Path) -> None:
    result = answer(
        esports(tmp_path, score={"sessions": {"order": "game"}}), tmp_path / "out"
    ).result
    reasons = [i.reason for i in result.not_answered if "session to session" in i.question]
    assert reasons == ["no person has 5 sessions; the most are 1"]


def test_bounds_without_a_source_support_nothing(tmp_path: Path) -> None:
    for source, verdict in (("a test on a bicycle", "supported"), (DROP, "inconclusive")):
        folder = tmp_path / verdict
        folder.mkdir()
        request = esports(
            folder,
            train={"intensity": {"zones": {"heart": {"source": source}}}},
            evaluation={"metrics": {"known_share": ">= 0.5"}},
        )
        result = answer(request, folder / "out").result
        assert result.verdict == verdict
        assert ("not characterised" in result.answer) == (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": {"events": {"actions": ["pres"]}}}, "there is no pres"),
        ({"train": {"events": {"channel": "kinds"}}}, "there is no kinds"),
        ({"train": {"events": {"stream": "other"}}}, "there is no stream other"),
        ({"train": {"events": {"classes": {"light": [2]}}}}, "is of two classes"),
        ({"train": {"intensity": {"zones": {"heart": {"bounds": [130, 110]}}}}}, "do not rise"),
        ({"score": {"winner": {"first_s": 50}}}, "no multiple of block_s"),
        ({"score": {"winner": {"latency": "other"}}}, "there is no other"),
        ({"evaluation": {"split": {"kind": "none", "by": DROP}}}, "hold whole games out"),
        ({"score": {"winner": DROP}}, "does not fit esports without score.winner"),
        ({"train": {"events": DROP}}, "needs events"),
        ({"train": {"events": DROP, "intensity": DROP}}, "nothing is asked for"),
        ({"evaluation": {"metrics": {"winner_share": "<= 0.5"}}}, "asks for the bad side"),
        ({"prepare": {"grid": {"rate_hz": 1, "longest_gap_s": 3}}}, "would move events"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_request(esports(tmp_path, **changes))


def test_blocks_without_end_are_refused(tmp_path: Path) -> None:
    request = esports(tmp_path, train={"events": {"block_s": 0.001}}, score={"winner": DROP})
    change(request, evaluation={"split": {"kind": "none", "by": DROP}})
    with pytest.raises(InputError, match=r"blocks of 0\.001 s"):
        answer(request, tmp_path / "out")
