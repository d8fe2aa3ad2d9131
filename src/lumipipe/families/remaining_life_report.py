"""The answer of the family `remaining_life`: an interval for each unit, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.interface import Model, Outcome, asked
from lumipipe.families.life_decisions import against_age, life_decisions
from lumipipe.families.life_indicators import indicator_section, indicator_table
from lumipipe.families.life_scores import LifeScores, WindowScores, known_of
from lumipipe.families.pages.interface import read_by
from lumipipe.families.regression_scores import regression_split
from lumipipe.families.regression_settings import FEWEST_FOLDS
from lumipipe.families.remaining_life_metrics import METRICS, WITH_UNIT, life_coverage, life_metrics
from lumipipe.families.remaining_life_sections import (
    coverage_section,
    errors_section,
    units_section,
)
from lumipipe.families.verdicts import allowed, conclude, undecided_sentence
from lumipipe.language import many, say, say_count, term
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import NotAnswered, Result, Run, Split, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.interface import Job
    from lumipipe.families.life_clock import LifeClock
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Metric

__all__ = ["METRICS", "WITH_UNIT", "judge", "window_model"]

OUTSIDE = term("outside the trained range")
"""What is said of a unit that the model has learnt nothing about."""
_MOST_NAMES = 10


def window_model(model: Model, name: str) -> Model:
    """The part of a model that is about windows of one length."""
    prefix = f"{name}/"
    arrays = {
        key.removeprefix(prefix): array
        for key, array in model.arrays.items()
        if key.startswith(prefix)
    }
    return Model(arrays, model.card["windows"][name])


def judge(
    job: Job,
    model: Model,
    leaves: Mapping[str, Leaves],
    clock: LifeClock,
    windows: Mapping[str, Regression],
    indicators: str,
) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Its arrays.
    leaves : mapping of str to dict of (unit,) to State
        Scored rows by length of windows, and the lives of the indicators.
    clock : LifeClock
        Tells the true lives.
    windows : mapping of str to Regression
        What was fitted; nothing where too few units can be held out.
    indicators : str
        Name of the fold of the indicators.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``; not supported where no
        unit can be held out.
    """
    table = {"indicators": indicator_table(job, clock, leaves[indicators])}
    section = indicator_section(job, clock, leaves[indicators], job.score.shown)
    if not windows:
        few = say("too few units can be held out to choose a limit")
        answer = _too_few(job, clock, leaves[indicators], [section])
        return Outcome(answer, table, decisions=few)
    scores = LifeScores(
        clock,
        [
            WindowScores(
                part, window_model(model, name), leaves[name], edges=job.train.regime_edges
            )
            for name, part in windows.items()
        ],
        job.train.cap,
    )
    unit, found = clock.life.unit, scores.windows[0].regression
    coverage = life_coverage(scores, found.coverage, job.train.regime_edges, unit)
    metrics = life_metrics(job.request, scores, coverage, unit)
    units = _units(scores)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(scores, metrics, units),
        verdict=allowed(conclude(metrics), scores.leakage),
        would_change=_would_change(job, metrics),
        metrics=metrics,
        units=units,
        coverage=coverage,
        split=_split(scores),
        leakage=scores.leakage,
        counts=_counts(scores),
        not_answered=_not_answered(scores, units),
        sections=[
            units_section(scores, units),
            errors_section(scores, unit),
            *read_by("metrologist", [coverage_section(job, scores, unit)]),
            *read_by("engineer", [section]),
        ],
        run=Run(),
    )
    tables = table | {"lives": _table(scores)}
    compared, decisions = tuple(against_age(scores, unit)), life_decisions(scores)
    return Outcome(result, tables, scores, compared=compared, decisions=decisions)


def _split(scores: LifeScores) -> Split:
    """How units were kept apart, in words."""
    found = scores.windows[0].regression
    split = regression_split(scores.clock.job.request, found.folds, term("unit"))
    if scores.is_dealt:
        return split
    teach, test = int(scores.clock.trains.sum()), len(_tests(scores.clock, is_dealt=False))
    more = say(
        " {teach} units taught; {test} others, which the model had never seen, are judged.",
        teach=teach,
        test=test,
    )
    return split.model_copy(update={"sentence": split.sentence + more})


def _tests(clock: LifeClock, *, is_dealt: bool) -> list[int]:
    """Numbers of the units that want an answer."""
    return [n for n in range(len(clock.units)) if is_dealt or not clock.trains[n]]


def _units(scores: LifeScores) -> list[Unit]:
    """One entry for each tested unit, the shortest life first."""
    rows, clock = scores.instants, scores.clock
    place = {int(unit): at for at, unit in enumerate(rows["unit"])}
    order: list[tuple[int, float, Unit]] = []
    for number in _tests(clock, is_dealt=scores.is_dealt):
        name = clock.units[number]
        if number not in place:
            shortest = scores.windows[-1].regression.settings.window_rows
            sentence = say("no window of {shortest} rows without a gap", shortest=shortest)
            order.append(
                (3, 0.0, Unit(id=name, verdict=term("history too short"), sentence=sentence))
            )
            continue
        row = {key: column[place[number]] for key, column in rows.items()}
        order.append(_unit(name, row, scores))
    return [unit for _, _, unit in sorted(order, key=lambda one: (one[0], one[1], one[2].id))]


def _unit(name: str, row: Mapping[str, Any], scores: LifeScores) -> tuple[int, float, Unit]:
    """The entry of a unit with its place in the list: a class, and a number within it."""
    unit = scores.clock.life.unit
    known = float(row["life"])
    values: dict[str, Any] = {
        term("age, {unit}", unit=unit): float(row["age"]),
        term("true remaining life, {unit}", unit=unit): known if np.isfinite(known) else None,
    }
    predicted = float(row["prediction"])
    if not np.isfinite(predicted):
        sentence = say("a reading is missing in its last window")
        return 3, 0.0, Unit(id=name, verdict=term("no reading"), sentence=sentence, values=values)
    if not row["inside"]:
        sentence = say("its readings are not like those that the model was taught with")
        return 2, 0.0, Unit(id=name, verdict=OUTSIDE, sentence=sentence, values=values)
    half, low, high = (float(row[key]) for key in ("half_width", "lower", "upper"))
    values = {
        term("remaining life, {unit}", unit=unit): Interval(value=predicted, lower=low, upper=high),
        **values,
    }
    at = round(predicted, 6)
    if not np.isfinite(half):
        sentence = say("too few units that teach were in this state: no interval")
        return 1, at, Unit(id=name, verdict=term("no bound"), sentence=sentence, values=values)
    if high >= scores.cap:
        word = term("at least {low} {unit}", low=f"{low:.0f}", unit=unit)
        sentence = say(
            "{predicted:.0f} {unit} or more: above {cap:g} lives look alike",
            predicted=predicted,
            unit=unit,
            cap=scores.cap,
        )
        return 0, at, Unit(id=name, verdict=word, sentence=sentence, values=values)
    word = f"{predicted:.0f} ± {half:.0f} {unit}"
    sentence = say("between {low:.0f} and {high:.0f} {unit}", low=low, high=high, unit=unit)
    return 0, at, Unit(id=name, verdict=word, sentence=sentence, values=values)


def _answer(scores: LifeScores, metrics: list[Metric], units: list[Unit]) -> str:
    """The answer in a sentence or two."""
    unit, rows = scores.clock.life.unit, scores.instants
    good = rows["inside"] & np.isfinite(rows["half_width"])
    rmse = next(metric for metric in metrics if metric.name == "rmse")
    coverage = next(metric for metric in metrics if metric.name == "coverage")
    said = say(
        "{good} of {units} units get an interval of their remaining life",
        good=int(good.sum()),
        units=len(units),
    )
    if good.any():
        half = rows["half_width"][good]
        said += say(
            ", {half:.0f} to {half_2:.0f} {unit} to each side",
            half=half.min(),
            half_2=half.max(),
            unit=unit,
        )
    if rmse.value is None:
        return say("{said}; no true life is known, so nothing says how right they are.", said=said)
    error = say("{value:.1f} {unit}", value=rmse.value, unit=unit)
    if rmse.lower is not None:
        error += say(" ({lower:.1f} to {upper:.1f})", lower=rmse.lower, upper=rmse.upper)
    held = (
        say("{value:.0%}", value=coverage.value)
        if coverage.value is not None
        else say("an unknown share")
    )
    nominal = scores.windows[0].regression.coverage
    return say(
        "{said}; intervals that promise {nominal:.0%} held {held}, and the "
        "root-mean-square error is {error} with lives clipped at {cap:g}.",
        said=said,
        nominal=nominal,
        held=held,
        error=error,
        cap=scores.cap,
    )


def _would_change(job: Job, metrics: list[Metric]) -> str:
    """What would change the answer."""
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    if not job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    return say("More runs to failure: each is one case, however many rows it has.")


def _counts(scores: LifeScores) -> dict[str, int]:
    """What went in."""
    clock = scores.clock
    return {
        many("units that teach"): int(clock.trains.sum()),
        many("units tested"): len(_tests(clock, is_dealt=scores.is_dealt)),
        many("rows"): int(clock.stream.rows.sum()),
        many("answered rows of tested units"): len(scores.tested["number"]),
        many("rows with a missing reading"): int((~np.isfinite(scores.rows["prediction"])).sum()),
    }


def _not_answered(scores: LifeScores, units: list[Unit]) -> list[NotAnswered]:
    """What the data cannot carry."""
    unit, cap = scores.clock.life.unit, scores.cap
    found = [
        NotAnswered(
            question=say(
                "How much longer than {cap:g} {unit} does a unit last?", cap=cap, unit=unit
            ),
            reason=say("Lives above are taught as one, since the readings hardly differ."),
        ),
        NotAnswered(
            question=say("What of a unit that fails in a way of its own?"),
            reason=say(
                "The model knows the failures of the units that taught it. What leaves "
                "their range of readings is named; what stays in it is taken for one of "
                "them."
            ),
        ),
    ]
    reasons = {
        OUTSIDE: say("Their readings are not like those that the model was taught with"),
        "no bound": say("Too few units that teach were in their state"),
        "history too short": say("They have not run long enough for a window"),
        "no reading": say("A reading is missing in their last window"),
    }
    for word, reason in reasons.items():
        names = [one.id for one in units if one.verdict == word]
        if names:
            more = (
                say(" and {names} more", names=len(names) - _MOST_NAMES)
                if len(names) > _MOST_NAMES
                else ""
            )
            found.append(
                NotAnswered(
                    question=say(
                        "How long does each of these last: {names}{more}?",
                        names=", ".join(names[:_MOST_NAMES]),
                        more=more,
                    ),
                    reason=say(
                        "{reason} ({names} of {units} units).",
                        reason=reason,
                        names=len(names),
                        units=len(units),
                    ),
                )
            )
    if not len(known_of(scores.instants)["number"]):
        found.append(
            NotAnswered(
                question=say("How right are the predictions for the tested units?"),
                reason=say("No label tells how long they lasted."),
            )
        )
    return found


def _table(scores: LifeScores) -> dict[str, NDArray[Any]]:
    """One row an answered row."""
    rows = scores.rows
    words = np.array(["none", "teaches", "calibrates", "tests"], dtype=object)
    return {
        "unit": np.array(scores.clock.units, dtype=object)[rows["unit"]],
        "age": rows["age"],
        "phase": words[rows["role"] + 1],
        "window_rows": rows["window"],
        "life": rows["life"],
        "predicted": rows["prediction"],
        "half_width": rows["half_width"],
        "lower": rows["lower"],
        "upper": rows["upper"],
        "t2": rows["t2"],
        "spe": rows["spe"],
        "inside_envelope": rows["inside"],
    }


def _too_few(job: Job, clock: LifeClock, leaves: Leaves, sections: list[Any]) -> Result:
    """The answer where no unit can be held out: words, and no number."""
    runs = [name for name, teaches in zip(clock.units, clock.trains, strict=True) if teaches]
    why = say_count(
        "one run to failure: at least {fewest} are needed to hold each out once, so no interval "
        "can be tested",
        "{n} runs to failure: at least {fewest} are needed to hold each out once, so no interval "
        "can be tested",
        n=len(runs),
        fewest=FEWEST_FOLDS,
    )
    verdict = (
        term("not supported: one run")
        if len(runs) == 1
        else term("not supported: {count} runs", count=len(runs))
    )
    return Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=say("Not supported: {why}, and no remaining life is given.", why=why),
        verdict="not_supported",
        would_change=say("More runs to failure of such units: each is one case."),
        units=[Unit(id=name, verdict=verdict, sentence=f"{why}.") for name in clock.units],
        split=Split(
            kind=job.request.evaluation.split.kind,
            sentence=say_count(
                "Nothing was held out and nothing predicted: there is one run to failure.",
                "Nothing was held out and nothing predicted: there is {n} runs to failure.",
                n=len(runs),
            ),
        ),
        counts={
            many("runs to failure"): len(runs),
            many("recordings"): int((clock.stream.rows > 0).sum()),
            many("rows"): int(clock.stream.rows.sum()),
            many("points of indicators"): sum(int(state["rows"]) for state in leaves.values()),
        },
        not_answered=[
            NotAnswered(question=say("How long will such a unit last?"), reason=f"{why}."),
            NotAnswered(
                question=say("How far off is an extrapolation of this run?"),
                reason=say(
                    "Its error would be one number from one run, with nothing to say how "
                    "it varies; it is left out."
                ),
            ),
        ],
        sections=sections,
        run=Run(),
    )
