"""The answer of the family `ambient`: since when a calibration has expired, and why.

What is drawn and tabled is in `lumipipe.families.ambient_sections`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config.moments import end_in_words
from lumipipe.families.ambient_class import objectives
from lumipipe.families.ambient_metrics import all_metrics
from lumipipe.families.ambient_periods import Period, interval
from lumipipe.families.ambient_sections import all_sections
from lumipipe.families.ambient_watch import Watch, signed, words
from lumipipe.families.baseline import against_training_mean
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.limit_events import limit_decisions
from lumipipe.families.regression_scores import RegressionScores, regression_table
from lumipipe.families.verdicts import allowed, conclude, undecided_sentence
from lumipipe.language import many, say, term
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Split, Unit
from lumipipe.rules.tables import NOT_VERIFIED

if TYPE_CHECKING:
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity

EXPIRED = term("calibration expired")
"""The verdict of a period from which on the calibration no longer holds."""
_WORDS = {
    "within": term("within the band"),
    "undecided": term("undecided"),
    "beyond": term("undecided"),
    "outside": EXPIRED,
    "unknown": term("too few pairs"),
}
_MOST_MISSING = 0.5  # of the rows: a channel with more missing answers nothing
_DAY_S = 86_400.0


def judge(job: Job, model: Model, leaves: Leaves, found: Regression) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        The calibration.
    leaves : dict of (unit,) to State
        Scored rows.
    found : Regression
        What was fitted.

    Returns
    -------
    Outcome
        Supported where the calibration held in each period and all conditions in
        ``evaluation.metrics`` are met; not supported where it has expired.
    """
    watch = Watch(job, RegressionScores(found, model, leaves))
    metrics = all_metrics(watch)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(watch),
        verdict=allowed(conclude(metrics), watch.scores.leakage),
        would_change=_would_change(watch, metrics),
        metrics=metrics,
        units=[_unit(watch, period) for period in watch.tested],
        coverage=watch.coverage,
        split=_split(watch),
        leakage=watch.scores.leakage,
        counts=_counts(watch),
        left_out=_left_out(watch),
        not_answered=_not_answered(watch),
        not_answered_reason=say("The reference is characterised, and a class could be stated."),
        sections=all_sections(watch),
        run=Run(),
    )
    rows = watch.scores.all_rows
    table = regression_table(watch.scores)
    table |= {"time_s": rows["time"], "period": watch.clock.periods_of(rows["time"])}
    return Outcome(
        result,
        {"rows": table, "periods": _table(watch, result.units)},
        watch,
        compared=tuple(against_training_mean(watch.scores, job.seed)),
        not_compared=say(
            "Not held against the last value of the reference: a sensor that is left alone has "
            "none beside it."
        ),
        decisions=limit_decisions([watch.scores]),
    )


def _table(watch: Watch, units: list[Unit]) -> dict[str, np.ndarray]:
    """One row a tested period."""
    periods = watch.tested
    columns = {
        "start_s": [p.start_s for p in periods],
        "stop_s": [p.stop_s for p in periods],
        **{
            f"{name}{end}": [getattr(getattr(p, name), field) for p in periods]
            for name in ("bias", "spread", "relative")
            for end, field in (("", "value"), ("_lower", "lower"), ("_upper", "upper"))
        },
        **{
            name: [getattr(p, name) for p in periods]
            for name in ("pairs", "expected", "reference", "sensor", "outside", "bias_inside")
        },
    }
    verdicts = np.array([unit.verdict for unit in units], dtype=object)
    return {
        "period": np.array([unit.id for unit in units], dtype=object),
        "verdict": verdicts,
        **{name: np.array(column) for name, column in columns.items()},
    }


def _answer(watch: Watch) -> str:
    """The answer in one sentence."""
    clock, gone = watch.clock, watch.expiry
    if gone is not None:
        band, since, found = gone.band, gone.since, gone.found
        told = say(
            "{words} in the period from {name}",
            words=words(band.of(since), band.unit),
            name=watch.name(since),
        )
        if found.number != since.number:
            other = words(band.of(found), band.unit)
            told += say(" and {other} in that from {name}", other=other, name=watch.name(found))
        return say(
            "Calibration expired: it holds no longer since {moment}, which was known on "
            "{clock_moment}, {after}. The {noun} is {told}; accepted is {accepted}.",
            moment=clock.moment(since.start_s),
            clock_moment=clock.moment(found.stop_s),
            after=_after(found),
            noun=band.noun,
            told=told,
            accepted=band.accepted,
        )
    ends = say(
        "{day} to {clock_day}",
        day=clock.day(clock.calibrated_s),
        clock_day=clock.day(clock.stop_s),
    )
    open_ones = [
        watch.name(p) for p in watch.tested if {b.place(p) for b in watch.bands} != {"within"}
    ]
    band = watch.bands[0]
    if not open_ones:
        worst = max(watch.tested, key=lambda p: abs(band.of(p).value))
        return say(
            "The calibration held from {ends}: the {noun} was at worst {words}, in the "
            "period from {name}; accepted is {accepted}.",
            ends=ends,
            noun=band.noun,
            words=words(band.of(worst), band.unit),
            name=watch.name(worst),
            accepted=band.accepted,
        )
    return say(
        "Nothing shows that the calibration expired from {ends}, but {open_ones} of "
        "{tested} periods may lie within or outside what is accepted as {noun} "
        "({accepted}), or have too few pairs; the first is that from {open_ones_2}.",
        ends=ends,
        open_ones=len(open_ones),
        tested=len(watch.tested),
        noun=band.noun,
        accepted=band.accepted,
        open_ones_2=open_ones[0],
    )


def _after(found: Period) -> str:
    """How long after the calibration something was known."""
    return (
        say("at the end of the first period")
        if found.number == 1
        else say("after {number} periods", number=found.number)
    )


def _would_change(watch: Watch, metrics: list[Metric]) -> str:
    """What would change the answer."""
    if watch.expiry is not None:
        told = say(
            "A new calibration beside the reference from {name} on",
            name=watch.name(watch.expiry.since),
        )
        if not watch.has_left:
            return say("{told}: the sensor no longer reads as it did.", told=told)
        return say(
            "{told}, over conditions as wide as those in which the sensor is used: "
            "{outside:.0%} of the tested pairs lie outside those of the calibration.",
            told=told,
            outside=watch.outside,
        )
    if any(metric.met is False for metric in metrics):
        return say("What the conditions under evaluation.metrics ask for, such as a fuller record.")
    return undecided_sentence(metrics) or say("A period whose bias leaves the band.")


def _unit(watch: Watch, period: Period) -> Unit:
    """The answer for one period."""
    gone = watch.expiry
    places = [band.place(period) for band in watch.bands]
    told = next(place for place in (*_ORDER, *places) if place in places)
    has_expired = gone is not None and period.number >= gone.since.number
    covered = next((g for g in watch.coverage.groups if g.name == watch.name(period)), None)
    values: dict[str, Any] = {
        term("bias, {unit}", unit=watch.unit): interval(period.bias),
        term("spread, {unit}", unit=watch.unit): interval(period.spread),
        term("coverage of the promised interval, %"): None
        if covered is None or covered.achieved is None
        else 100 * covered.achieved,
        term("capture of the reference, %"): _percent(period.reference, period.expected),
        term("capture of the sensor, %"): _percent(period.sensor, period.expected),
        term("pairs"): period.pairs,
        term("independent pairs that would know as much"): round(period.effective, 1)
        if np.isfinite(period.effective)
        else None,
    }
    if watch.job.score.level is not None:
        label = term(
            "relative expanded uncertainty at {level:g} {unit}, %",
            level=watch.job.score.level,
            unit=watch.unit,
        )
        values[label] = interval(period.relative, 100.0)
    return Unit(
        id=watch.name(period),
        verdict=EXPIRED if has_expired else _WORDS[told],
        severity="bad" if has_expired else _SEVERITIES.get(told, "neither"),
        sentence=_period_sentence(watch, period),
        values=values,
    )


_SEVERITIES: dict[str, Severity] = {"outside": "bad", "within": "good"}
_ORDER = ("outside", "beyond", "undecided", "unknown")  # the worst of several bands is told


def _percent(got: int, expected: int) -> float | None:
    return min(100.0, 100 * got / expected) if expected else None


def _period_sentence(watch: Watch, period: Period) -> str:
    """What a period says, band by band."""
    tellings = {
        "within": say("the whole interval is within"),
        "undecided": say("the value is within, its interval reaches outside"),
        "beyond": say("the value is outside, its interval reaches within"),
        "outside": say("the whole interval is outside"),
        "unknown": say("too few pairs for an interval"),
    }
    return "; ".join(
        f"{band.noun}: {tellings[band.place(period)]} {band.accepted}"
        if band.of(period).is_known
        else f"{band.noun}: {tellings['unknown']}"
        for band in watch.bands
    )


def _split(watch: Watch) -> Split:
    """The split in words."""
    clock = watch.clock
    days = (clock.calibrated_s - clock.start_s) / _DAY_S
    if watch.scores.regression.split.dates:
        return Split(kind="time", sentence=_dates_sentence(watch))
    return Split(
        kind="time",
        sentence=say(
            "Calibrated on the first {days:.3g} days ({moment} to {clock_moment}), then "
            "left alone and tested to {moment_2}; no later row was used.",
            days=days,
            moment=clock.moment(clock.start_s),
            clock_moment=clock.moment(clock.calibrated_s),
            moment_2=clock.moment(clock.stop_s),
        ),
    )


def _dates_sentence(watch: Watch) -> str:
    """A split by dates in words."""
    first, *later = [end_in_words(date) for date in watch.scores.regression.split.dates]
    last = watch.clock.moment(watch.clock.stop_s)
    if later:
        return say(
            "Calibrated on rows up to {first}, intervals set on later ones up to {second}, then "
            "left alone and tested to {last}; no later row was used.",
            first=first,
            second=later[0],
            last=last,
        )
    return say(
        "Calibrated on rows up to {first}, then left alone and tested to {last}; no later row was "
        "used.",
        first=first,
        last=last,
    )


def _counts(watch: Watch) -> dict[str, int]:
    """What went in."""
    rows = watch.scores.all_rows
    return {
        many("rows"): len(rows["time"]),
        many("pairs that calibrate"): watch.calibration_rmse[1],
        many("pairs that test"): len(watch.scores.known["time"]),
        many("periods tested"): len(watch.tested),
    }


def _left_out(watch: Watch) -> list[LeftOut]:
    """Readings that are missing; none was filled."""
    found = [
        LeftOut(
            what=say(
                "{missing} of {rows} rows ({share:.1%}) of {channel}",
                missing=gap.missing,
                rows=gap.rows,
                share=gap.share,
                channel=gap.channel,
            ),
            reason=say("no reading; it is {part}, and nothing was filled in", part=gap.part),
        )
        for gap in watch.gaps
        if gap.missing
    ]
    absent = sum(p.expected for p in watch.periods) - len(watch.scores.all_rows["time"])
    if absent > 0:
        found.append(
            LeftOut(
                what=say("{absent} rows that the rate lets expect", absent=absent),
                reason=say("the file does not have them; they count as not captured"),
            )
        )
    return found


def _not_answered(watch: Watch) -> list[NotAnswered]:
    """What the data cannot carry."""
    found = []
    open_rules = [one for one in objectives(watch) if not one.is_answered]
    if open_rules:
        standards = say(" and ").join(dict.fromkeys(one.rule.standard for one in open_rules))
        found.append(
            NotAnswered(
                question=say(
                    "Which class of {standards} does the sensor reach?", standards=standards
                ),
                reason=say(
                    "{statement}; {not_verified}. One field record is not the test that the "
                    "document describes.",
                    statement=open_rules[0].statement,
                    not_verified=say(NOT_VERIFIED),
                ),
            )
        )
    if watch.job.asset.reference_u is None:
        found.append(
            NotAnswered(
                question=say("How much of the errors is the reference's?"),
                reason=say(
                    "Its uncertainty is not characterised, so its part is counted as the "
                    "sensor's. A drift of the reference would look like one of the sensor."
                ),
            )
        )
    if watch.has_left:
        inside = [p.bias_inside for p in watch.tested if np.isfinite(p.bias_inside)]
        ends = (
            say(
                "{signed} to {signed_2} {unit}",
                signed=signed(min(inside)),
                signed_2=signed(max(inside)),
                unit=watch.unit,
            )
            if inside
            else say("not known")
        )
        found.append(
            NotAnswered(
                question=say("Did the sensor drift, or did the conditions leave the calibration?"),
                reason=say(
                    "{outside:.0%} of the tested pairs are outside its conditions. Inside "
                    "them the bias of the periods is {ends}; one sensor cannot tell more.",
                    outside=watch.outside,
                    ends=ends,
                ),
            )
        )
    found += [
        NotAnswered(
            question=say("What does {channel} say?", channel=gap.channel),
            reason=say(
                "{missing} of {rows} rows ({share:.1%}) have no reading.",
                missing=gap.missing,
                rows=gap.rows,
                share=gap.share,
            ),
        )
        for gap in watch.gaps
        if gap.share > _MOST_MISSING
    ]
    return found
