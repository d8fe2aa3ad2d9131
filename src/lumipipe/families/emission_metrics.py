"""The numbers by which an emission model is judged: those of a rule first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.certificates import reference_u
from lumipipe.families.emission_audits import Audits, Limits, draw_audits
from lumipipe.families.emission_averages import Averages, Parts, average, learn_parts
from lumipipe.families.emission_hours import PERIOD, VALID, Hours, stretch_clusters
from lumipipe.families.verdicts import judged
from lumipipe.language import many, say
from lumipipe.reporting.result import Metric
from lumipipe.uncertainty.audit import (
    bias_factor,
    confidence_coefficient,
    means_of_runs,
)
from lumipipe.uncertainty.audit_criteria import correlation
from lumipipe.uncertainty.proportions import bootstrap_units, share_between_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

RULED = ("r", "audits_within", "f_within")
"""Metrics whose condition comes from the rule table, not from the request."""


@dataclass(frozen=True)
class Monitor:
    """A predictive monitor on trial: its hours, audits, averages and limits.

    Parameters
    ----------
    hours : Hours
        Rows with their states.
    """

    hours: Hours

    @cached_property
    def audits(self) -> Audits:
        """Audits of valid hours."""
        rows = self.hours.test
        use = (rows["state"] == VALID) & np.isfinite(rows["truth"])
        return draw_audits(rows, use, self._runs)

    @cached_property
    def all_audits(self) -> Audits:
        """Audits as if no hour had been kept out."""
        rows = self.hours.test
        use = np.isfinite(rows["prediction"]) & np.isfinite(rows["truth"])
        return draw_audits(rows, use, self._runs)

    @property
    def _runs(self) -> int:
        return int(self.hours.scores.job.score.audit_rows)

    @cached_property
    def limits(self) -> Limits:
        """What the rule table asks."""
        job = self.hours.scores.job
        if job.rules is None:
            raise TypeError("the family judges by score.rules")
        return Limits(job.rules, self.hours.scores.channel[1], job.asset.per_ppm)

    @cached_property
    def average_rows(self) -> int:
        """Rows that an average should have."""
        scores = self.hours.scores
        asked = scores.job.score.averages
        if asked.rows is not None:
            return int(asked.rows)
        rates = np.asarray(scores.regression.stream.rate_hz)
        known = rates[np.isfinite(rates)]
        if len(known):
            return max(1, round(float(np.median(known)) * float(asked.hours) * 3600.0))
        # Without a rate, the fullest period shows how many rows one can have.
        rows = self.hours.test
        periods = np.stack([rows["recording"], rows[PERIOD].astype(np.int64)])
        return max(np.unique(periods, axis=1, return_counts=True)[1].tolist(), default=1)

    @cached_property
    def averages(self) -> Averages:
        """Averages of the tested hours."""
        return average(self.hours.test, self.average_rows)

    @cached_property
    def given(self) -> NDArray[np.bool_]:
        """Which of them have enough valid rows."""
        least = self.hours.scores.job.score.averages.least_capture
        return np.asarray(self.averages.capture >= least)

    @cached_property
    def reference_u(self) -> float | None:
        """What the reference's readings share; None where nobody states it."""
        scores = self.hours.scores
        return reference_u(scores.job.request, scores.job.asset.reference.u, scores.channel[0])

    @cached_property
    def parts(self) -> Parts | None:
        """How averages err; None where nothing was left out to learn it from."""
        job, rows = self.hours.scores.job, self.hours.left_out
        if not len(rows["row"]):
            return None
        return learn_parts(
            average(rows, self.average_rows),
            rows,
            self.hours.scores.regression.coverage,
            self.reference_u,
            job.score.averages.least_capture,
        )


def monitor_metrics(monitor: Monitor) -> list[Metric]:
    """Correlation and audits with the conditions of the rule, then what the request may ask of.

    Parameters
    ----------
    monitor : Monitor
        What is on trial.

    Returns
    -------
    list of Metric
        `RULED` first.
    """
    job, audits, limits = monitor.hours.scores.job, monitor.audits, monitor.limits
    conditions = dict.fromkeys(RULED[1:], f">= {job.score.least_share:g}")
    conditions["r"] = f">= {limits.least_correlation():g}"
    met, known = limits.meets_accuracy(audits)
    small = audits.ratio <= limits.greatest_ratio(audits.runs)
    ruled = [
        _correlation(monitor),
        _share(
            "audits_within",
            say("Audits within their limit of relative accuracy (share)"),
            met if known.all() else np.zeros(0, dtype=bool),
            many("audits"),
            None if known.all() else say("no limit in a unit that the emission can be brought to"),
        ),
        _share(
            "f_within",
            say("Audits in which the model varies no more than the reference by F (share)"),
            small,
            many("audits"),
            say(
                "F at most {greatest_ratio:.3g} with {runs} runs each",
                greatest_ratio=limits.greatest_ratio(audits.runs),
                runs=audits.runs,
            ),
        ),
    ]
    unit = monitor.hours.scores.channel[1]
    own = [_median_accuracy(monitor), *_bias(audits, unit), _valid(monitor), _held(monitor)]
    return [
        *(judged(metric, conditions) for metric in ruled),
        *(judged(metric, job.request.evaluation.metrics) for metric in own),
    ]


def _correlation(monitor: Monitor) -> Metric:
    """Pearson's r of the valid hours; its interval draws stretches of them again."""
    rows, seed = monitor.hours.valid, monitor.hours.scores.job.request.evaluation.seed
    x, y = rows["truth"], rows["prediction"]
    r = float(correlation(x, y)) if len(x) else np.nan
    about = [v - v.mean() if len(v) else v for v in (x, y)]
    products = (about[0], about[1], about[0] ** 2, about[1] ** 2, about[0] * about[1])
    parts = np.stack([np.ones(len(x)), *products], axis=1)
    clusters = stretch_clusters(len(x))
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, parts.shape[1]))
    np.add.at(sums, clusters, parts)
    # Sums of whole stretches are drawn, not rows.
    lower, upper = bootstrap_units(sums, _r_of_sums, seed)  # type: ignore[arg-type]
    is_known = bool(np.isfinite([lower, upper, r]).all())
    everything = monitor.hours.scores.known
    told = say(
        "; {r_words} with the hours kept out",
        r_words=_r_words(everything["truth"], everything["prediction"]),
    )
    return Metric(
        name="r",
        label=say("Correlation r of predicted and measured hours"),
        value=r if np.isfinite(r) else None,
        lower=lower if is_known else None,
        upper=upper if is_known else None,
        confidence=0.95 if is_known else None,
        count=len(x),
        of=many("rows"),
        note=say(
            "interval: {sums} stretches drawn again, 2000 times{told}",
            sums=len(sums),
            told=told,
        ),
    )


def _r_words(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """The correlation of rows in words."""
    return (
        say("{correlation:.3f}", correlation=float(correlation(x, y)))
        if len(x)
        else say("not known")
    )


def _r_of_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's r from sums of drawn stretches."""
    n, x, y, xx, yy, xy = (sums[..., place] for place in range(6))
    vx, vy = xx - x * x / n, yy - y * y / n
    product = np.where((vx > 0) & (vy > 0), vx * vy, np.nan)
    return np.asarray((xy - x * y / n) / np.sqrt(product))


def _share(
    name: str, label: str, hits: NDArray[np.bool_], of: str, note: str | None = None
) -> Metric:
    """A share of neighbours with its interval; not known where there are none."""
    clusters = stretch_clusters(len(hits))
    totals = np.bincount(clusters)
    counted = np.bincount(clusters, hits).astype(np.int64)
    lower, upper, _ = share_between_units(counted, totals)
    return Metric(
        name=name,
        label=label,
        value=float(hits.mean()) if len(hits) else None,
        lower=lower if len(hits) else None,
        upper=upper if len(hits) else None,
        confidence=0.95 if len(hits) else None,
        count=len(hits),
        of=of,
        note=note,
    )


def _median_accuracy(monitor: Monitor) -> Metric:
    """Median relative accuracy; its interval draws stretches of audits again."""
    audits, everything = monitor.audits, monitor.all_audits
    seed = monitor.hours.scores.job.request.evaluation.seed
    known = audits.accuracy[np.isfinite(audits.accuracy)]
    clusters, order = stretch_clusters(len(known)), np.argsort(known, kind="stable")
    # One column an audit, from the most accurate on: a draw of stretches weighs the columns.
    table = np.zeros((int(clusters.max(initial=-1)) + 1, len(known)), dtype=np.int64)
    table[clusters[order], np.arange(len(known))] = 1

    def median(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        half = weights.sum(axis=-1, keepdims=True) / 2
        place = (weights.cumsum(axis=-1) < half).sum(axis=-1)
        return np.asarray(known[order][np.minimum(place, len(known) - 1)])

    lower, upper = bootstrap_units(table, median, seed)
    is_known = bool(np.isfinite([lower, upper]).all())
    other = everything.accuracy[np.isfinite(everything.accuracy)]
    return Metric(
        name="median_ra",
        label=say("Median relative accuracy of the audits, %"),
        value=float(np.median(known)) if len(known) else None,
        lower=lower if is_known else None,
        upper=upper if is_known else None,
        confidence=0.95 if is_known else None,
        count=len(known),
        of=many("audits"),
        note=say(
            "{other:.1f} % in {other_2} audits with the hours kept out",
            other=np.median(other),
            other_2=len(other),
        )
        if len(other)
        else None,
    )


def _bias(audits: Audits, unit: str) -> list[Metric]:
    """How often the model reads low, and the factor over all audits."""
    label = say("Audits in which the model reads low by more than chance (share)")
    metrics = [_share("biased", label, audits.biased, many("audits"))]
    if len(audits.first) > 1:
        means = means_of_runs(audits.reference, audits.monitor)
        coefficient = confidence_coefficient(means.deviation, means.runs)
        factor = float(bias_factor(means.mean_difference, coefficient, means.monitor_mean))
        metrics.append(
            Metric(
                name="bias_factor",
                label=say("Bias factor over the means of all audits"),
                value=factor if np.isfinite(factor) else None,
                count=len(audits.first),
                of=many("audits"),
                note=say(
                    "measured less predicted: {mean_difference:+.3g} {unit} on average; 1 "
                    "where the model does not read low",
                    mean_difference=float(means.mean_difference),
                    unit=unit,
                ),
            )
        )
    return metrics


def _valid(monitor: Monitor) -> Metric:
    """Data capture: the share of the tested hours that count."""
    state = monitor.hours.test["state"]
    label = say("Data capture: valid hours (share)")
    return _share("valid", label, state == VALID, many("rows"))


def _held(monitor: Monitor) -> Metric:
    """Achieved coverage of the averages, against the analyser."""
    averages, parts = monitor.averages, monitor.parts
    use = monitor.given & (averages.paired == averages.valid) & (averages.paired > 0)
    coverage = monitor.hours.scores.regression.coverage
    hits = np.zeros(0, dtype=bool)
    if parts is not None:
        half = parts.factor * parts.u(averages.paired[use], reference=False)
        hits = np.abs(averages.error[use]) <= half
    label = say(
        "Averages inside their interval (share; {coverage:.0%} were promised)",
        coverage=coverage,
    )
    note = (
        None if parts is not None else say("nothing was left out from which an interval is learnt")
    )
    return _share("averages_coverage", label, hits, many("averages"), note)
