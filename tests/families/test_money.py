"""The money view against sums by hand: limits, costs, contradictions, and when there is none."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from lumipipe.config import Question
from lumipipe.errors import InputError
from lumipipe.families.class_events import ClassCosts
from lumipipe.families.decisions import Costs, Decisions, chosen_limits, crossed_limits, in_json
from lumipipe.families.limit_events import LimitCosts
from lumipipe.families.money import money_view
from lumipipe.families.money_period import seconds_told
from lumipipe.uncertainty.scores import Scores
from running import answer
from small_requests import DROP, monitoring, write_csv

ASKED = {
    "decision": "stop it or not",
    "family": "monitoring",
    "unit_of_decision": "one row",
    "not_to_be_used_for": ["safety"],
}


def question(**more: Any) -> Question:
    return Question.model_validate(ASKED | more)


def priced(**more: Any) -> Question:
    return question(**{"cost_of_miss": 9.0, "cost_of_false_alarm": 1.0} | more)


def decided(question: Question, seed: int = 1, separation: float = 2.0) -> Decisions:
    """Scores of twelve groups, whose events lie `separation` higher."""
    rng = np.random.default_rng(seed)
    event = rng.random(1200) < 0.3
    score, group = rng.normal(0, 1, 1200) + separation * event, np.arange(1200) // 100
    costs = Costs.of(question)
    assert costs is not None
    acts, limits = crossed_limits(costs, score, event, group)
    return Decisions(event, acts, group, limits, "score", "On others.", "rows")


def test_without_costs_there_is_no_view():
    assert money_view(question(), "", 1) == (None, [])


@pytest.mark.parametrize(
    "costs", [{"cost_of_miss": 5}, {"cost_of_miss": 0, "cost_of_false_alarm": 0}]
)
def test_half_of_the_costs_is_told(costs):
    money, sections = money_view(question(**costs), "", 1)
    assert money is not None
    assert "both costs" in money.sentence
    assert not sections


def test_a_family_without_a_score_says_why_and_still_names_the_contradiction():
    asked = priced(will_act_if="probability above 0.5")
    money, sections = money_view(asked, "nothing is learnt", 1)
    assert money is not None
    assert "No limit is chosen from the costs: nothing is learnt." in money.sentence
    assert money.contradiction is not None
    assert "acts above 0.5, its costs say above 0.1" in money.contradiction
    assert (money.break_even, money.policies, sections) == (0.1, [], [])


@pytest.mark.parametrize(
    ("words", "told"),
    [("above 0.15", None), ("above 0.02", "would act"), ("above 0.5", "would wait"), ("hot", None)],
)
def test_a_contradiction_is_one_beyond_a_factor_of_two_of_the_costs(words, told):
    money, _ = money_view(priced(will_act_if=words), "", 1)
    assert money is not None
    found = money.contradiction
    assert found is None if told is None else found is not None and told in found


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("one hour", 3600.0),
        ("an hour of the digester", 3600.0),
        ("one pump, one day", 86_400.0),
        ("15 minutes", 900.0),
        ("yksi vuorokausi", 86_400.0),
        ("0,5 h", 1800.0),
        ("one week", 604_800.0),
        ("0 h", None),
        ("one second, one hour", None),
        ("one row", None),
        ("one dayboat", None),
        ("one window of 10 s", None),
        ("one period of 28 days", None),
    ],
)
def test_a_unit_of_decision_may_be_a_time(words, seconds):
    assert seconds_told(words) == seconds


def test_a_year_costs_its_decisions():
    asked = priced(unit_of_decision="one hour")
    money, (section,) = money_view(asked, decided(asked), 1, 8766.0)
    assert money is not None
    cost = money.policies[0].cost
    assert money.decisions_per_year == 8766.0
    assert str(money.period).startswith(
        "One machine that is decided on 8766 times a year without a pause: "
    )
    numbers = [float(n) for n in re.findall(r"(\d+) \(", str(money.period))]
    assert numbers == pytest.approx([8766 * cost / 12, 8766 * cost], rel=0.06)
    assert money.period in section.paragraphs
    without, _ = money_view(asked, decided(asked), 1)
    assert without is not None
    assert (without.period, without.decisions_per_year) == (None, None)


@pytest.mark.parametrize(
    ("unit", "changes", "per_year"),
    [
        ("one hour", {}, 8766.0),
        ("one plant, one hour", {}, 8766.0),
        ("one day", {}, None),  # of rows an hour
        ("one row", {}, None),
        ("one hour", {"origin": "recording"}, None),  # no stamps of the calendar
    ],
)
def test_a_year_is_told_where_each_row_is_a_decision(tmp_path, unit, changes, per_year):
    """Three recordings of a row each hour, with a fault in their last rows."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(70, 5))
    rows[50:, 0] += 4.0
    for number in range(3):
        hours = 1.75e9 + 3600.0 * np.arange(70) + 1e7 * number
        write_csv(tmp_path / "raw" / f"run{number}.csv", "t,a,b,c,d,e", np.c_[hours, rows])
    time = {"kind": "column", "column": "t", "unit": "s", "row": DROP, **changes}
    request = monitoring(
        tmp_path,
        question={"unit_of_decision": unit, "cost_of_miss": 9, "cost_of_false_alarm": 1},
        data={0: {"source": "raw/run*.csv", "recordings": {"id": "{name}"}, "time": time}},
        score={"event": {"from_row": 50}},
    )
    (tmp_path / "raw" / "plant.csv").unlink()
    money = answer(request, tmp_path / "out").result.money
    assert money is not None
    assert money.tested is not None or per_year is None
    assert money.decisions_per_year == per_year


def test_costs_of_each_way_are_sums_by_hand():
    asked = priced(will_act_if="above 0.5")
    decisions = decided(asked)
    money, (section,) = money_view(asked, decisions, 1)
    assert money is not None
    ways = decisions.acts | {
        "always": np.ones(1200, dtype=bool),
        "never": np.zeros(1200, dtype=bool),
    }
    assert [policy.name for policy in money.policies] == ["chosen", "stated", "always", "never"]
    for policy in money.policies:
        total = 0.0
        for event, acts in zip(decisions.event, ways[policy.name], strict=True):
            total += 9.0 if event and not acts else 1.0 if acts and not event else 0.0
        assert policy.cost == pytest.approx(total / 1200, rel=1e-12)
        assert policy.lower is not None
        assert policy.upper is not None
        assert policy.lower < policy.cost < policy.upper
        if policy.saved is not None:
            assert policy.saved == pytest.approx(policy.cost - money.policies[0].cost, rel=1e-9)
    assert money.policies[0].cost == min(policy.cost for policy in money.policies)
    assert "it saves" in str(money.tested)
    assert money.act == "above_limit"
    assert section.title == "In money"


def test_a_score_that_knows_nothing_saves_nothing():
    """Then the best is to always act, for the event is more frequent than the break-even."""
    asked = priced()
    money, _ = money_view(asked, decided(asked, separation=0.0), 1)
    assert money is not None
    told = str(money.tested)
    assert "nothing is shown to be saved" in told or "costs less by" in told
    always = next(policy for policy in money.policies if policy.name == "always")
    assert money.policies[0].cost >= always.cost


def test_a_limit_that_does_not_hold_is_told() -> None:
    """Chosen where the event scores high, tried where it scores low."""
    asked = priced()
    rng = np.random.default_rng(3)
    event, cluster = rng.random(900) < 0.5, np.arange(900) // 100
    acts = dict.fromkeys(("chosen", "dearer_miss", "dearer_alarm"), ~event)
    limits = dict.fromkeys(acts, 0.5)
    money, _ = money_view(asked, Decisions(event, acts, cluster, limits, "s", "c", "rows"), 1)
    assert money is not None
    always = next(policy for policy in money.policies if policy.name == "always")
    assert always.saved is not None
    assert always.saved < 0
    assert "always acting, costs less by" in str(money.tested)
    assert "\u2212" not in str(money.tested).rsplit("costs less by", 1)[1]  # no minus


def test_a_group_never_chooses_its_own_limit():
    asked = priced()
    costs = Costs.of(asked)
    assert costs is not None
    rng = np.random.default_rng(2)
    event, group = rng.random(300) < 0.4, np.arange(300) // 100
    score = rng.normal(0, 1, 300) + event
    before, _ = crossed_limits(costs, score, event, group)
    own = group == 1
    turned = np.where(own, ~event, event)  # labels of one group turned round
    after, limits = crossed_limits(costs, score, turned, group)
    for name, acts in before.items():
        assert (acts[own] == after[name][own]).all()
    assert any((before[name][~own] != after[name][~own]).any() for name in before)
    assert limits != chosen_limits(costs, score[event], score[~event])


def test_never_and_always_are_words_in_a_card():
    limits = {"chosen": -np.inf, "dearer_miss": 1.5, "dearer_alarm": np.inf}
    assert in_json(limits) == {"chosen": "always", "dearer_miss": 1.5, "dearer_alarm": "never"}
    assert in_json(limits, -1.0)["chosen"] == "never"


def test_classes_that_are_acted_on_must_be_some_of_those_there_are():
    asked = priced(event={"classes": ["b", "a", "b"]})
    found = ClassCosts.of(asked, ["a", "b", "c"])
    assert found is not None
    assert found.members == (0, 1)
    with pytest.raises(InputError, match=r"b is no class of these data; use some of a, c"):
        ClassCosts.of(asked, ["a", "c"])
    with pytest.raises(InputError, match="holds all classes"):
        ClassCosts.of(asked, ["a", "b"])
    assert ClassCosts.of(question(event={"classes": ["a"]}), ["a", "b"]) is None


def test_limits_of_predictions_know_their_side():
    """Predictions that tell all: the limit lies half way between the two sides."""
    truth = np.array([[1.0], [2.0], [3.0], [4.0], [np.nan]])
    limits = {}
    for side in ("above", "below"):
        asked = priced(event={side: 2.5})
        found = LimitCosts.of(asked, ["quality"])
        assert found is not None
        limits = found.calibrate(Scores(), "m", truth, truth)
        assert abs(found.sign * limits[0]) == pytest.approx(2.5, abs=2**-6)  # rounded up scores
        facts = found.facts(["quality"], limits)
        assert facts["event"] == {side: 2.5}
        assert facts["limits"]["chosen"] == found.sign * limits[0]
    with pytest.raises(InputError, match="says no target; use one of q, r"):
        LimitCosts.of(priced(event={"above": 1}), ["q", "r"])
    with pytest.raises(InputError, match="has no target z"):
        LimitCosts.of(priced(event={"above": 1, "target": "z"}), ["q", "r"])
