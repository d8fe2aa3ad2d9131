"""How well heart rate is told from the effort, on sessions that the model has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.baseline import against_mean_heart_rate
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.families.session_persons import measure_name
from lumipipe.language import many, say
from lumipipe.reporting.figures.declared import IntervalRow, Intervals, Reference
from lumipipe.reporting.result import Coverage, LeakageTest, Metric, Section
from lumipipe.uncertainty.blocks import block_estimate
from lumipipe.uncertainty.budget import coverage_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.session_persons import Done, Persons
    from lumipipe.reporting.result import Comparison
    from lumipipe.uncertainty.blocks import Estimate


def tested(persons: Persons) -> list[Done]:
    """Sessions whose heart rate others of the person foretold."""
    return [item for item in persons.sessions if len(item.residual)]


def _sums(persons: Persons) -> NDArray[np.float64]:
    """Rows, absolute residuals, rows inside the interval and its widths, of each session."""
    nominal = persons.job.request.evaluation.interval.coverage
    sums = []
    for item in tested(persons):
        half = coverage_factor(nominal) * float(persons.model.arrays["heart_u"][item.number])
        size = np.abs(item.residual)
        rows = len(size)
        sums.append([rows, size.sum(), (size <= half).sum(), 2.0 * half * rows])
    return np.asarray(sums, dtype=np.float64).reshape(-1, 4)


def _ratio(persons: Persons, column: int) -> Estimate:
    """A mean over all rows, with an interval over sessions."""
    confidence = persons.job.score.confidence
    return block_estimate(_sums(persons), lambda s: s[..., column] / s[..., 0], confidence)


def heart_metrics(persons: Persons) -> list[Metric]:
    """Error and achieved coverage; empty where no session was tested."""
    count = len(tested(persons))
    if not count:
        return []
    confidence = persons.job.score.confidence
    found = []
    for name, label, column, limit in (
        (
            "heart_rate_error",
            say("Mean absolute error of heart rate from the effort, 1/min"),
            1,
            None,
        ),
        ("heart_rate_interval", say("Share of heart rates inside their interval"), 2, 1.0),
    ):
        estimate = _ratio(persons, column)
        known = estimate.is_known
        upper = estimate.upper if limit is None else min(limit, estimate.upper)
        found.append(
            Metric(
                name=name,
                label=label,
                value=estimate.value,
                lower=max(0.0, estimate.lower) if known else None,
                upper=upper if known else None,
                confidence=confidence,
                count=count,
                of=many("sessions that the model had not seen"),
            )
        )
    return found


def heart_compared(persons: Persons) -> list[Comparison]:
    """The error beside that of the mean heart rate of the person's other sessions."""
    items = tested(persons)
    rows = np.array([len(item.residual) for item in items], dtype=np.float64)
    errors, plain = (
        np.column_stack([rows, np.array([np.abs(column).sum() for column in columns])])
        for columns in ([item.residual for item in items], [item.plain for item in items])
    )
    label = say("Mean absolute error of heart rate from the effort, 1/min")
    return against_mean_heart_rate(label, errors, plain, persons.job.seed)


def heart_coverage(persons: Persons) -> Coverage | None:
    """Nominal and achieved coverage; None where no session was tested."""
    sums = _sums(persons)
    if not len(sums):
        return None
    estimate = _ratio(persons, 2)
    known = estimate.is_known
    return Coverage(
        nominal=persons.job.request.evaluation.interval.coverage,
        achieved=estimate.value,
        lower=max(0.0, estimate.lower) if known else None,
        upper=min(1.0, estimate.upper) if known else None,
        count=len(sums),
        width=float(sums[:, 3].sum() / sums[:, 0].sum()),
        width_unit="1/min",
        note=say("heart rate from the effort; one entry a session, rows of one hang together"),
    )


def heart_leakage(persons: Persons) -> list[LeakageTest]:
    """Leakage tests of each person's models, joined: the worst finding of each stands."""
    found: dict[str, LeakageTest] = {}
    for items in persons.by_person.values():
        for test in _of_person(persons, [item for item in items if len(item.residual)]):
            if test.name not in found or test.status == "found":
                found[test.name] = test
    return list(found.values())


def _of_person(persons: Persons, items: list[Done]) -> list[LeakageTest]:
    """The tests of one person's sessions; the rows of a session are a fold."""
    if not items:
        return []
    each = [len(item.rows) for item in items]
    fold = np.repeat(np.arange(len(items)), each)
    sides = Sides(
        split=persons.job.request.evaluation.split,
        taught_in=fold,
        judged_by=fold,
        unit=np.zeros(len(fold), dtype=np.int64),
        recording=np.repeat([item.number for item in items], each),
        first_row=np.concatenate([item.rows for item in items]),
        length=1,
        scaler_rows=persons.model.arrays["heart_rows"][[item.number for item in items]],
    )
    return leakage_tests(sides)


def heart_section(persons: Persons) -> list[Section]:
    """How far heart rate was off in each session; nothing where none was tested."""
    items = tested(persons)
    if not items:
        return []
    settings = persons.job.train.heart_rate_model
    lags = ", ".join(say("{lag:g}", lag=lag) for lag in settings.lags_s)
    effort = measure_name(persons.work.efforts[0])
    rows = []
    for item in sorted(items, key=lambda item: -abs(float(item.residual.mean()))):
        low, high = np.quantile(item.residual, [0.05, 0.95]).tolist()
        label = f"{item.row.unit}, {item.day or say('no date')}"
        mean = float(item.residual.mean())
        count = len(item.residual)
        rows.append(IntervalRow(label=label, value=mean, lower=low, upper=high, count=count))
    text = say(
        "Heart rate is told from exponential averages of {effort} over {lags} s, by ridge "
        "regression on a row each {every_s} s of the person's other sessions. A session "
        "that lies off as a whole had another sensor, another day or another course than "
        "those: the model cannot say which.",
        effort=effort,
        lags=lags,
        every_s=settings.every_s,
    )
    return [
        Section(
            title=say("Heart rate from the effort"),
            paragraphs=[text],
            figures=[
                Intervals(
                    kind="intervals",
                    title=say("Heart rate less what the other sessions foretell"),
                    caption=say("Mean of each session; the bar holds the middle 90 % of its rows."),
                    alt=say("One interval a session, the one that is farthest off first."),
                    rows=rows,
                    reference=Reference(value=0.0, label=say("as foretold")),
                    x_label=say("difference of heart rate, 1/min"),
                )
            ],
        )
    ]
