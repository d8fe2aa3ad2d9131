"""What an answer means in money: the limit that costs least, against other ways to decide.

Limits are chosen in `lumipipe.families.decisions` on cases that nothing is tested on; what they
cost is told of the tested cases alone, with intervals that draw whole groups again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from lumipipe.families.decisions import CHOSEN, DEARER_ALARM, DEARER_MISS, FACTOR, STATED, Costs
from lumipipe.families.money_period import MONTHS
from lumipipe.language import MANY, message, say, translated
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Money, Policy, Section
from lumipipe.uncertainty.decision_cost import costs as costs_of
from lumipipe.uncertainty.decision_cost import odds_ratio
from lumipipe.uncertainty.proportions import bootstrap_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.config import Question
    from lumipipe.families.decisions import Decisions

    Act = Literal["always", "never", "above_limit", "below_limit"]

TODAY, AS_BEFORE, ALWAYS, NEVER = "today", "as_before", "always", "never"
_LABELS = {
    CHOSEN: message("limit that costs least"),
    AS_BEFORE: message("limit as it is without costs"),
    TODAY: message("today's alarm"),
    STATED: message("acting as will_act_if says"),
    ALWAYS: message("always acting"),
    NEVER: message("never acting"),
}


def money_view(
    question: Question, decisions: Decisions | str, seed: int, per_year: float | None = None
) -> tuple[Money | None, list[Section]]:
    """The money view of an answer and the section that shows it.

    Parameters
    ----------
    question : Question
        With its costs.
    decisions : Decisions or str
        What acting led to, or why nothing can be said.
    seed : int
        Key of the draws of groups.
    per_year : float, optional
        Decisions of one machine in a year, from `lumipipe.families.money_period`; where absent,
        nothing is said of a month or year.

    Returns
    -------
    money : Money or None
        None where the request states no costs at all.
    sections : list of Section
        Empty where no limit is chosen.
    """
    stated = (question.cost_of_miss, question.cost_of_false_alarm)
    if stated == (None, None):
        return None, []
    costs = Costs.of(question)
    if costs is None:
        reason = say("Nothing is said in money: a request states both costs, not both of them 0.")
        return Money(sentence=reason), []
    if isinstance(decisions, str):
        why = decisions or say("this analysis has no score that somebody acts on")
        sentence = say(
            "{pays} No limit is chosen from the costs: {why}.", pays=_pays(costs), why=why
        )
        return _money(costs, sentence), []
    cluster, event = decisions.cluster, decisions.event
    if not len(event):
        sentence = say("{pays} No case was tested.", pays=_pays(costs))
        return _money(costs, sentence), []
    ways = decisions.acts | {
        ALWAYS: np.ones(len(event), dtype=np.bool_),
        NEVER: np.zeros(len(event), dtype=np.bool_),
    }
    policies = [
        _policy(costs, name, event, (ways[name], ways[CHOSEN]), cluster, seed)
        for name in _LABELS
        if name in ways
    ]
    limit = decisions.limits[CHOSEN]
    sentence = say(
        "{pays} For new cases: {limit}.", pays=_pays(costs), limit=_limit_words(decisions)
    )
    money = _money(costs, sentence).model_copy(
        update={
            "tested": _tested(costs, decisions, policies),
            "limit": limit if np.isfinite(limit) else None,
            "act": _act(decisions),
            "policies": policies,
            "decisions_per_year": per_year,
            "period": None if per_year is None else _period(costs, policies[0], per_year),
        }
    )
    return money, [_section(costs, decisions, money)]


def _money(costs: Costs, sentence: str) -> Money:
    return Money(
        sentence=sentence,
        contradiction=_contradiction(costs),
        currency=costs.currency,
        break_even=costs.break_even,
    )


def _pays(costs: Costs) -> str:
    """From which probability on acting pays."""
    return say(
        "A miss costs {miss} {currency}, a false alarm {false} {currency}: acting pays where the "
        "event is likelier than {share:.1%}.",
        miss=rounded(costs.miss),
        false=rounded(costs.false_alarm),
        currency=costs.currency,
        share=costs.break_even,
    )


def _contradiction(costs: Costs) -> str | None:
    """Where `will_act_if` and the costs say otherwise, by more than costs may be wrong."""
    stated = costs.stated
    if stated is None or odds_ratio(stated, costs.break_even) <= FACTOR:
        return None
    if stated > costs.break_even:
        return say(
            "Contradiction: the request acts above {stated:.3g}, its costs say above {share:.3g}; "
            "between the two it would wait where waiting costs more.",
            stated=stated,
            share=costs.break_even,
        )
    return say(
        "Contradiction: the request acts above {stated:.3g}, its costs say above {share:.3g}; "
        "between the two it would act where acting costs more.",
        stated=stated,
        share=costs.break_even,
    )


def _act(decisions: Decisions) -> Act:
    """What costs least for new cases."""
    limit = decisions.limits[CHOSEN]
    if np.isfinite(limit):
        return "below_limit" if decisions.is_below else "above_limit"
    return "always" if (limit < 0) != decisions.is_below else "never"


def _policy(
    costs: Costs,
    name: str,
    event: NDArray[np.bool_],
    acts: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    cluster: NDArray[np.int64],
    seed: int,
) -> Policy:
    """What a way to decide costs, and what the chosen limit saves against it."""
    own, chosen = (costs_of(event, act, costs.miss, costs.false_alarm) for act in acts)
    lower, upper = _interval(own, cluster, seed)
    saved: tuple[float | None, ...] = (None, None, None)
    if name != CHOSEN:
        saved = (float((own - chosen).mean()), *_interval(own - chosen, cluster, seed))
    return Policy(
        name=name,
        label=say(_LABELS[name]),
        acts=float(acts[0].mean()),
        cost=float(own.mean()),
        lower=lower,
        upper=upper,
        saved=saved[0],
        saved_lower=saved[1],
        saved_upper=saved[2],
    )


def _interval(
    values: NDArray[np.float64], cluster: NDArray[np.int64], seed: int
) -> tuple[float | None, float | None]:
    """Interval of a mean when whole clusters are drawn again; None with fewer than two."""
    sums = np.stack([np.bincount(cluster), np.bincount(cluster, values)], axis=1)
    used = sums[sums[:, 0] > 0]
    ends = bootstrap_units(used, lambda s: s[..., 1] / s[..., 0], seed)
    return ends if np.isfinite(ends).all() else (None, None)


def _limit_words(decisions: Decisions) -> str:
    """When to act, for new cases."""
    act, limit = _act(decisions), decisions.limits[CHOSEN]
    told = rounded(limit, digits=4) if np.isfinite(limit) else ""
    if act == "above_limit":
        return say("act where the {score} is above {limit}", score=decisions.score, limit=told)
    if act == "below_limit":
        return say("act where the {score} is below {limit}", score=decisions.score, limit=told)
    return say("always act") if act == "always" else say("never act")


def _with_ends(value: float | None, lower: float | None, upper: float | None) -> str:
    """A sum of money with its interval."""
    told, low, high = rounded_interval(value, lower, upper)
    if lower is None or upper is None:
        return told
    return say("{told} ({lower} to {upper})", told=told, lower=low, upper=high)


def _tested(costs: Costs, decisions: Decisions, policies: list[Policy]) -> str:
    """What the limit would have cost on the tested cases, beside other ways to decide."""
    chosen, *others = policies
    beside = "; ".join(
        say("{label} {cost}", label=one.label, cost=rounded(one.cost)) for one in others
    )
    return say(
        "On the tested {cases}, each one decision, that costs {cost} {currency} on average; "
        "{beside}. {verdict}",
        cases=translated(decisions.cases, MANY),
        cost=_with_ends(chosen.cost, chosen.lower, chosen.upper),
        currency=costs.currency,
        beside=beside,
        verdict=_verdict(costs, others),
    )


def _period(costs: Costs, chosen: Policy, per_year: float) -> str:
    """What deciding by the limit that costs least comes to in a month and in a year."""
    month, year = (
        _with_ends(
            *(
                None if end is None else times * end
                for end in (chosen.cost, chosen.lower, chosen.upper)
            )
        )
        for times in (per_year / MONTHS, per_year)
    )
    return say(
        "One machine that is decided on {times} times a year without a pause: {month} {currency} a "
        "month, {year} {currency} a year, if events are as frequent as among the tested ones.",
        times=rounded(per_year, digits=4),
        month=month,
        year=year,
        currency=costs.currency,
    )


def _verdict(costs: Costs, others: list[Policy]) -> str:
    """Whether the limit saves money against the cheapest of the others."""
    best = min(others, key=lambda one: one.cost)
    saved = _with_ends(best.saved, best.saved_lower, best.saved_upper)
    values = {"label": best.label, "saved": saved, "currency": costs.currency}
    if best.saved_lower is not None and best.saved_lower > 0:
        return say(
            "Against the cheapest other way, {label}, it saves {saved} {currency}.", **values
        )
    if best.saved_upper is not None and best.saved_upper < 0:
        less, low, high = (
            None if end is None else -end
            for end in (best.saved, best.saved_upper, best.saved_lower)
        )
        return say(
            "The cheapest other way, {label}, costs less by {less} {currency}: what was learnt of "
            "the limit did not hold.",
            label=best.label,
            less=_with_ends(less, low, high),
            currency=costs.currency,
        )
    return say(
        "Against the cheapest other way, {label}, nothing is shown to be saved: {saved} "
        "{currency}.",
        **values,
    )


def _section(costs: Costs, decisions: Decisions, money: Money) -> Section:
    """Ways to decide and what they cost, and what changes if a cost is wrong."""
    share = float(decisions.event.mean())
    paragraphs = [
        _pays(costs),
        say("Limit for new cases: {limit}.", limit=_limit_words(decisions)),
        decisions.chosen_on,
        say(
            "{share:.1%} of the tested {cases} had the event; where it is rarer or more frequent, "
            "costs are others.",
            share=share,
            cases=translated(decisions.cases, MANY),
        ),
    ]
    if money.period is not None:
        paragraphs.append(money.period)
    if costs.will_act_if is not None:
        paragraphs.append(_stated_words(costs))
    if money.contradiction is not None:
        paragraphs.append(money.contradiction)
    return Section(
        title=say("In money"),
        paragraphs=paragraphs,
        figures=[_ways_table(costs, money), _wrong_costs_table(costs, decisions)],
    )


def _stated_words(costs: Costs) -> str:
    """What `will_act_if` says beside the costs."""
    if costs.stated is None:
        return say(
            "The request acts if: {words}. No single probability stands there that the costs could "
            "be held against.",
            words=costs.will_act_if,
        )
    return say("The request acts if: {words}.", words=costs.will_act_if)


def _ways_table(costs: Costs, money: Money) -> Table:
    """What each way to decide would have cost."""
    return Table(
        kind="table",
        title=say("Ways to decide and what they cost"),
        caption=say(
            "Mean of a decision in {currency}, 95% intervals: groups of cases drawn again. Saved: "
            "by the limit that costs least, on the same cases.",
            currency=costs.currency,
        ),
        alt=say("Cost of a decision for each way to decide."),
        columns=[
            Column(label=say("way to decide")),
            Column(label=say("acts in"), unit="%"),
            Column(label=say("costs"), unit=costs.currency),
            Column(label=say("saved"), unit=costs.currency),
        ],
        rows=[
            [
                one.label,
                100 * one.acts,
                Interval(value=one.cost, lower=one.lower, upper=one.upper),
                None
                if one.saved is None
                else Interval(value=one.saved, lower=one.saved_lower, upper=one.saved_upper),
            ]
            for one in money.policies
        ],
    )


def _wrong_costs_table(costs: Costs, decisions: Decisions) -> Table:
    """What the limit costs if a cost is twice what was stated, beside the limit for that."""
    rows: list[list[str | float | None]] = []
    for name, label, miss, false in (
        (DEARER_MISS, say("a miss costs twice as much"), FACTOR, 1.0),
        (DEARER_ALARM, say("a false alarm costs twice as much"), 1.0, FACTOR),
    ):
        paid = [
            float(
                costs_of(
                    decisions.event,
                    decisions.acts[way],
                    miss * costs.miss,
                    false * costs.false_alarm,
                ).mean()
            )
            for way in (CHOSEN, name)
        ]
        limit = decisions.limits[name]
        rows.append([label, limit if np.isfinite(limit) else None, *paid, paid[0] - paid[1]])
    return Table(
        kind="table",
        title=say("If a cost is wrong by a factor of 2"),
        caption=say(
            "Mean of a decision in {currency}. A dash: that limit has no bound, one would always "
            "or never act. Below zero: here the limit for the stated costs did better.",
            currency=costs.currency,
        ),
        alt=say("Cost of the chosen limit, and of the one for other costs."),
        columns=[
            Column(label=say("if")),
            Column(label=say("limit would be")),
            Column(label=say("the chosen limit costs"), unit=costs.currency),
            Column(label=say("that one costs"), unit=costs.currency),
            Column(label=say("lost"), unit=costs.currency),
        ],
        rows=rows,
    )
