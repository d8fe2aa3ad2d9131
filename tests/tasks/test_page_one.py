"""Costs and today's practice from the request to the answer: limits, cards, pages, equal bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from command import call, one_line
from lumipipe.comm.threads import run_ranks
from lumipipe.families.decisions import Costs, chosen_limits
from lumipipe.store.artifact import read_arrays
from lumipipe.uncertainty.decision_cost import event_margin
from running import Done, answer
from small_requests import (
    DROP,
    activity,
    bearing,
    carbon,
    change,
    emission,
    monitoring,
    recipe,
    remaining_life,
    soft_sensor,
    technique,
    write_csv,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COSTS: dict[str, Any] = {"cost_of_miss": 9, "cost_of_false_alarm": 1}
PRICED: dict[str, tuple[Callable[..., Path], dict[str, Any]]] = {
    "activity": (activity, {"event": {"classes": ["shake"]}}),
    "bearing": (bearing, {"event": {"classes": ["inner race"]}}),
    "technique": (technique, {"event": {"classes": ["double"]}}),
    "soft_sensor": (soft_sensor, {"event": {"above": 1000, "target": "z"}}),
    "recipe": (recipe, {"event": {"below": 40}}),
    "emission": (emission, {"event": {"above": 60}}),
    "remaining_life": (remaining_life, {"event": {"below": 15}}),
}


def priced(make: Callable[..., Path], folder: Path, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    return change(make(folder), question=COSTS | more)


def many_runs(folder: Path, runs: int = 6) -> Path:
    """Runs of one process, each with normal rows first and then a fault on channel a."""
    request = monitoring(folder)
    rng = np.random.default_rng(4)
    mixing = rng.normal(size=(2, 5))
    for number in range(runs):
        rows = rng.normal(size=(80, 2)) @ mixing + 0.2 * rng.normal(size=(80, 5))
        rows[60:, 0] += 3.0
        write_csv(folder / "raw" / f"run{number}.csv", "a,b,c,d,e", rows)
    return change(
        request,
        data={
            0: {
                "source": "raw/run*.csv",
                "recordings": {"id": "{name}", "unit": "{name}"},
            }
        },
        score={"event": {"from_row": 60}},
    )


def model_of(done: Done) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    return read_arrays(done.product("train") / "model")


@pytest.mark.parametrize("family", PRICED)
def test_each_family_with_a_score_chooses_a_limit_and_tells_what_it_costs(
    tmp_path: Path, family: str
) -> None:
    make, event = PRICED[family]
    done = answer(priced(make, tmp_path, **event, will_act_if="above 0.9"), tmp_path / "out")
    money = done.result.money
    assert money is not None
    assert money.break_even == 0.1
    assert [policy.name for policy in money.policies] == [
        "chosen",
        "as_before",
        "stated",
        "always",
        "never",
    ]
    assert money.contradiction is not None
    (section,) = [s for s in done.result.sections if s.title == "In money"]
    assert section.figures[0].kind == "table"
    assert money.policies[-1].acts == 0
    card = json.dumps(model_of(done)[1])
    assert '"break_even": 0.1' in card
    assert '"limits": {"chosen"' in card


def test_limits_come_from_windows_of_other_groups(tmp_path: Path) -> None:
    """Of the scored windows, made anew with the limit of each fold."""
    request = priced(activity, tmp_path, event={"classes": ["shake"]})
    done = answer(request, tmp_path / "out")
    arrays, card = model_of(done)
    rows = pq.read_table(done.product("score") / "windows.parquet").to_pandas()
    outputs = rows[[f"output_{name}" for name in card["classes"]]].to_numpy()
    margin = event_margin(outputs, [card["classes"].index("shake")])
    fold = rows["recording"].str.partition("-")[0].map(card["fold_of_group"]).to_numpy()
    acts = margin > arrays["fold_event_limit"][fold, 0]
    event = (rows["truth"] == "shake").to_numpy()
    cost = 9.0 * (event & ~acts) + 1.0 * (acts & ~event)
    assert done.result.money is not None
    assert done.result.money.policies[0].cost == pytest.approx(cost.mean(), rel=1e-12)
    assert done.result.money.policies[0].acts == pytest.approx(acts.mean(), rel=1e-12)


def test_the_labels_of_a_person_do_not_move_their_own_limit(tmp_path: Path) -> None:
    """A person's exercises turned round in another run: limits of their fold stay, others move."""
    runs = []
    for name in ("as", "turned"):
        folder = tmp_path / name
        request = priced(activity, folder, event={"classes": ["shake"]})
        if name == "turned":
            for file in sorted((folder / "raw").glob("p2_swing_*")):
                other = file.with_name(file.name.replace("swing", "shake"))
                kept = file.read_bytes()
                file.write_bytes(other.read_bytes())
                other.write_bytes(kept)
        runs.append(model_of(answer(request, folder / "out")))
    (before, card), (after, _) = runs
    fold = card["fold_of_group"]["p2"]
    own = before["fold_event_limit"] == after["fold_event_limit"]
    assert own[fold].all()
    assert not np.delete(own, fold, axis=0).all()


@pytest.mark.parametrize("ranks", [2, 3])
def test_costs_give_the_same_bytes_on_any_number_of_ranks(tmp_path: Path, ranks: int) -> None:
    for number, request in enumerate(
        (
            priced(activity, tmp_path / "a", event={"classes": ["shake"]}),
            priced(soft_sensor, tmp_path / "s", event={"above": 1000, "target": "z"}),
        )
    ):
        alone = answer(request, tmp_path / f"one{number}")
        out = tmp_path / f"many{number}"
        together = run_ranks(ranks, lambda comm, r=request, o=out: answer(r, o, comm))[0]
        for verb in ("train", "score"):
            one, many = alone.product(verb), together.product(verb)
            files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
            assert files
            for file in files:
                assert (one / file).read_bytes() == (many / file).read_bytes(), file


@pytest.mark.parametrize("family", ["activity", "soft_sensor"])
def test_costs_change_nothing_but_the_money(tmp_path: Path, family: str) -> None:
    make, event = PRICED[family]
    plain_folder = tmp_path / "plain"
    plain_folder.mkdir()
    plain = answer(make(plain_folder), plain_folder / "out")
    with_costs = answer(priced(make, tmp_path / "costs", **event), tmp_path / "costs" / "out")
    assert plain.result.money is None
    assert plain.result.metrics == with_costs.result.metrics
    assert plain.result.units == with_costs.result.units
    (without, card), (with_limits, _) = model_of(plain), model_of(with_costs)
    assert "decision" not in card
    assert {n for n in with_limits if n not in without} == {
        "fold_event_limit",
        "final_event_limit",
    }
    for name, array in without.items():
        assert array.tobytes() == with_limits[name].tobytes(), name


def test_alarms_of_many_runs_are_held_against_todays_alarm_and_priced(tmp_path: Path) -> None:
    """Counted again from the table of rows, with today's alarm made from the files."""
    alarm = {"words": "a limit on a", "alarm": {"channel": "a", "above": 2.5}}
    request = change(many_runs(tmp_path), question=COSTS, evaluation={"baseline": alarm})
    done = answer(request, tmp_path / "out")
    rows = pq.read_table(done.product("score") / "rows.parquet").to_pandas()
    tests = rows[rows["phase"] == "test"]
    raw = {
        file.stem: np.loadtxt(file, delimiter=",", skiprows=1)[:, 0]
        for file in (tmp_path / "raw").glob("run*.csv")
    }
    today = np.array(
        [raw[n][r] > 2.5 for n, r in zip(tests["recording"], tests["row"], strict=True)]
    )
    alarms = (tests["t2_alarm"] | tests["spe_alarm"]).to_numpy()
    event = tests["event"].to_numpy()
    found = {one.metric: one for one in done.result.comparisons}
    assert found["false_alarm_rate"].baseline == pytest.approx(today[~event].mean())
    assert found["false_alarm_rate"].difference == pytest.approx(
        alarms[~event].mean() - today[~event].mean()
    )
    assert found["missed_detection_rate"].baseline == pytest.approx((~today)[event].mean())
    assert found["missed_detection_rate"].outcome == "better"
    money = done.result.money
    assert money is not None
    ways = {policy.name: policy for policy in money.policies}
    cost = 9.0 * (event & ~today) + 1.0 * (today & ~event)
    assert ways["today"].cost == pytest.approx(cost.mean(), rel=1e-12)
    assert ways["as_before"].acts == pytest.approx(alarms.mean(), rel=1e-12)
    # The limit of each run, from all other runs.
    models = model_of(done)[1]["streams"]["plant"]["models"]
    over = [
        [models[name]["limits"][statistic]["empirical"] for name in tests["recording"]]
        for statistic in ("t2", "spe")
    ]
    distance = np.maximum(tests["t2"] / over[0], tests["spe"] / over[1]).to_numpy()
    names, costs = tests["recording"].to_numpy(), Costs(9.0, 1.0, "EUR")
    acts = np.zeros(len(names), dtype=bool)
    for name in np.unique(names):
        other = names != name
        limit = chosen_limits(costs, distance[other & event], distance[other & ~event])["chosen"]
        acts[~other] = distance[~other] > limit
    assert ways["chosen"].acts == pytest.approx(acts.mean(), rel=1e-12)


def test_one_run_with_a_fault_sets_no_limit(tmp_path: Path) -> None:
    done = answer(change(monitoring(tmp_path), question=COSTS), tmp_path / "out")
    assert done.result.money is not None
    assert "one recording alone has a known fault" in done.result.money.sentence
    assert done.result.money.policies == []


def test_a_report_tells_the_stated_figure_without_computing_anew(tmp_path: Path) -> None:
    request, out = activity(tmp_path), tmp_path / "out"
    assert call("run", request, "--out", out).code == 0
    today = {"words": "a paper diary", "metric": "macro_f1", "value": 0.4}
    approver = {"role": "doctoral researcher"}
    said = call(
        "run",
        change(request, evaluation={"baseline": today}, approver=approver),
        "--out",
        out,
    )
    assert said.code == 0
    for verb in ("prepare", "train", "score"):
        assert f"  {verb:8s}done" in said.out
    page = (out / "report.html").read_text(encoding="utf-8")
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    stated, majority = result["comparisons"]
    assert (stated["name"], majority["name"]) == ("stated", "majority")
    assert f"<b>Better.</b> {stated['sentence']}" in page
    assert result["not_compared"] is None
    assert result["extent"].startswith("4 machines or other units, 16 recordings, ")


def test_where_nothing_is_compared_the_page_says_why(tmp_path: Path) -> None:
    request, out = carbon(tmp_path), tmp_path / "out"
    assert call("run", request, "--out", out).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "result.json").read_text(encoding="utf-8"))["not_compared"] in page


REFUSED: dict[str, tuple[Callable[..., Path], dict[str, Any], str, str]] = {
    "a figure of an unknown metric": (
        monitoring,
        {"evaluation": {"baseline": {"words": "x", "metric": "r2", "value": 1}}},
        "metric: r2",
        "no metric r2; use false_alarm_rate",
    ),
    "a metric without its value": (
        monitoring,
        {"evaluation": {"baseline": {"words": "x", "metric": "f1"}}},
        "baseline",
        "metric and value belong together",
    ),
    "an alarm without a limit": (
        monitoring,
        {"evaluation": {"baseline": {"words": "x", "alarm": {"channel": "a"}}}},
        "alarm",
        "has no limit",
    ),
    "an alarm on no channel": (
        monitoring,
        {"evaluation": {"baseline": {"words": "x", "alarm": {"channel": "q", "above": 1}}}},
        "channel: q",
        "no channel q is monitored; use a, b, c, d, e",
    ),
    "an alarm in another family": (
        activity,
        {"evaluation": {"baseline": {"words": "x", "alarm": {"channel": "q", "above": 1}}}},
        "alarm:",
        "an alarm of today is not tried by activity",
    ),
    "an event of two kinds": (
        activity,
        {"question": {"event": {"classes": ["shake"], "above": 1}}},
        "event",
        "tells no event; give classes, above or below",
    ),
    "classes of a regression": (
        soft_sensor,
        {"question": {"event": {"classes": ["shake"]}}},
        "event",
        "is not of the kind that soft_sensor has; give above or below",
    ),
    "an event of monitoring": (
        monitoring,
        {"question": {"event": {"above": 1}}},
        "event",
        "monitoring takes no event here; score.event tells the fault",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_before_any_data_are_read(
    tmp_path: Path, case: str
) -> None:
    make, changes, key, words = REFUSED[case]
    request = change(make(tmp_path), **changes)
    (tmp_path / "raw").rename(tmp_path / "away")
    said = call("request", "check", request)
    assert said.code == 2
    assert words in one_line(said)
    lines = request.read_text(encoding="utf-8").splitlines()
    number = int(one_line(said).split(f"{request.name}:")[1].split(":")[0])
    assert key in lines[number - 1]


def test_a_class_that_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    request = priced(activity, tmp_path, event={"classes": ["walk"]})
    said = call("run", request, "--out", tmp_path / "out")
    assert said.code == 2
    assert "walk is no class of these data; use some of shake, swing" in said.err


def test_nothing_that_drops_costs_stays(tmp_path: Path) -> None:
    """Costs taken back: train, score and report are as before, and money goes."""
    request, out = priced(activity, tmp_path, event={"classes": ["shake"]}), tmp_path / "out"
    assert answer(request, out).result.money is not None
    without = dict.fromkeys((*COSTS, "event"), DROP)
    assert answer(change(request, question=without), out).result.money is None
