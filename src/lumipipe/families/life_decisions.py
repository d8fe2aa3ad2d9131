"""Remaining lives against the age alone, and what acting below a predicted life would have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.baseline import against_mean_life
from lumipipe.families.decisions import Decisions
from lumipipe.families.life_scores import known_of, life_by_age
from lumipipe.families.money import AS_BEFORE
from lumipipe.language import many, say

if TYPE_CHECKING:
    from lumipipe.families.life_scores import LifeScores
    from lumipipe.reporting.result import Comparison


def against_age(scores: LifeScores, unit: str) -> list[Comparison]:
    """Errors at one instant a unit, less those of what the age alone says of other units."""
    rows, clock = known_of(scores.instants), scores.clock
    lives = np.where(clock.trains, clock.lives, np.nan)
    plain = np.full(len(rows["unit"]), np.nan)
    for place, own in enumerate(rows["unit"].tolist()):
        others = np.delete(lives, own)
        others = others[np.isfinite(others)]
        if len(others):
            plain[place] = life_by_age(others, rows["age"][place : place + 1], scores.cap)[0]
    label = say(
        "Root-mean-square error in {unit}, lives clipped at {cap:g}", unit=unit, cap=scores.cap
    )
    return against_mean_life(label, rows["prediction"], rows["truth"], plain, clock.job.seed)


def life_decisions(scores: LifeScores) -> Decisions | str:
    """What would have been decided at one instant of each unit, or why nothing can be said."""
    event = scores.windows[0].regression.event
    if event is None:
        return say("question.event states no life below which somebody acts (below)")
    if event.limit > scores.cap:
        return say("question.event is above {cap:g}: such lives are not told apart", cap=scores.cap)
    rows, names = known_of(scores.instants), list(event.costs.probabilities)
    limits = np.full((len(rows["unit"]), len(names)), np.inf)
    for part in scores.windows:
        arrays, own = part.model.arrays, rows["window"] == part.regression.settings.window_rows
        last = arrays["final_event_limit"][None]
        stacked = np.concatenate([arrays["fold_event_limit"], last])
        limits[own] = stacked[rows["fold"][own]]
    final = event.sign * scores.windows[0].model.arrays["final_event_limit"]
    return Decisions(
        event=event.is_event(rows["truth"]),
        acts={
            name: event.sign * rows["prediction"] > limits[:, place]
            for place, name in enumerate(names)
        }
        | {AS_BEFORE: event.is_event(rows["prediction"])},
        cluster=np.arange(len(rows["unit"])),
        limits=dict(zip(names, final.tolist(), strict=True)),
        score=say("predicted remaining life in {unit}", unit=scores.clock.life.unit),
        chosen_on=say(
            "Limits were chosen on units that teach, by models that had not seen them; the one "
            "told is that of the longest window."
        ),
        cases=many("units"),
        is_below=event.sign < 0,
    )
