"""What a report shows of an emission model beside its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.families.emission_hours import FAILED, PERIOD, STATES, period_ns
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.pages.interface import read_by
from lumipipe.families.sensors import LEAST_TOLD
from lumipipe.language import say, translated
from lumipipe.reporting.figures.declared import Chart, Column, Limit, Panel, Table
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.adaptive import adapt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.emission_audits import Audits
    from lumipipe.families.emission_metrics import Monitor
    from lumipipe.reporting.figures.declared import Figure

_NEAR_ROWS, _FAILED_ROWS = 12, 8
"""Of so many rows, so many: then a sensor is said to have failed, not to have had odd rows."""
_A_YEAR_NS = 31_536_000_000_000_000
_RATE = 0.005  # of the adaptive interval


class SensorRow(NamedTuple):
    """What was found of one sensor in the tested rows."""

    name: str
    unit: str
    told: float
    limit: float
    flagged: int
    densest: int
    off: float | None
    first: int | None

    @property
    def has_failed(self) -> bool:
        """Whether it was odd for long enough."""
        return self.densest >= _FAILED_ROWS

    @property
    def is_validated(self) -> bool:
        """Whether the others tell it well enough to find a fault of it, and a limit is known."""
        return self.told >= LEAST_TOLD and bool(np.isfinite(self.limit))

    @property
    def words(self) -> str:
        """The sensor and its failure in words."""
        said = {"name": self.name, "flagged": self.flagged, "unit": self.unit}
        if self.off is None:
            return say("{name} ({flagged} rows)", **said)
        if self.off > 0:
            return say("{name} ({flagged} rows, {off:.3g} {unit} high)", off=self.off, **said)
        return say("{name} ({flagged} rows, {off:.3g} {unit} low)", off=-self.off, **said)


def sensor_rows(monitor: Monitor) -> list[SensorRow]:
    """Each sensor: how well the others tell it, and the tested rows in which it has failed."""
    hours = monitor.hours
    rows, found, arrays = hours.test, hours.scores.regression, hours.scores.model.arrays
    scale, told = arrays["others_scale"][-1], []
    for number, (name, unit) in enumerate(
        zip(found.inputs, hours.scores.units_of(found.inputs), strict=True)
    ):
        failed = (rows["state"] == FAILED) & (rows["suspect"] == number)
        at = np.flatnonzero(failed)
        limit = float(arrays["sensor_limit"][number] * scale[number])
        told.append(
            SensorRow(
                name,
                say("log of {unit}", unit=unit) if name in found.settings.log else unit,
                float(arrays["sensor_told"][number]),
                limit,
                int(failed.sum()),
                _densest(failed),
                _median_or_none(rows["excess"][failed, number] * limit),
                int(at[0]) if len(at) else None,
            )
        )
    return told


def _median_or_none(values: NDArray[np.float64]) -> float | None:
    """The median; None without values, or where it is infinite."""
    middle = float(np.median(values)) if len(values) else np.nan
    return middle if np.isfinite(middle) else None


def _densest(flags: NDArray[np.bool_]) -> int:
    """The most flags in neighbouring rows."""
    total = np.concatenate([[0], np.cumsum(flags)])
    near = min(_NEAR_ROWS, len(flags))
    return int((total[near:] - total[: len(total) - near]).max(initial=0))


def average_name(monitor: Monitor, number: int) -> str:
    """Name of an average: its recording and its rows, or when it begins."""
    scores, averages = monitor.hours.scores, monitor.averages
    recording = scores.job.dataset.recordings[averages.recording[number]].id
    if PERIOD in monitor.hours.test:
        begin = int(averages.period[number]) * period_ns(scores.job.score.averages.hours)
        if begin > _A_YEAR_NS:  # times since 1970, not since the recording's start
            return say(
                "{recording} from {astype} UTC",
                recording=recording,
                astype=np.datetime64(begin, "ns").astype("datetime64[m]"),
            )
        return say(
            "{recording} from {begin:g} h", recording=recording, begin=begin / 3600000000000.0
        )
    first = int(averages.first_row[number])
    return say("{recording} row {first} on", recording=recording, first=first)


def monitor_sections(monitor: Monitor) -> list[Section]:
    """Rule, audits, sensors, averages, intervals that follow the drift."""
    return [
        *read_by(
            "authority", [_rule_section(monitor), _audit_section(monitor), _sensor_section(monitor)]
        ),
        *read_by("metrologist", [_average_section(monitor), _adaptive_section(monitor)]),
    ]


def _rule_section(monitor: Monitor) -> Section:
    """The rows of the rule table, and what was measured where."""
    job = monitor.hours.scores.job
    asset, reference = job.asset, job.asset.reference
    per_ppm = (
        say(
            "; 1 ppm is {per_ppm:g} {channel}",
            per_ppm=asset.per_ppm,
            channel=monitor.hours.scores.channel[1],
        )
        if asset.per_ppm
        else ""
    )
    return Section(
        title=say("What the verdict rests on"),
        paragraphs=[
            say(
                "That {least_share:.0%} of all audits must keep a limit is asked by this "
                "request: a rule judges one audit at a time.",
                least_share=job.score.least_share,
            ),
            say(
                "{installation}, emission point {emission_point}: {pollutant}; reference "
                "conditions {reference_conditions}{per_ppm}. Reference: {method}, "
                "laboratory {laboratory}.",
                installation=asset.installation,
                emission_point=translated(asset.emission_point, among=(NOT_STATED,)),
                pollutant=asset.pollutant,
                reference_conditions=translated(asset.reference_conditions, among=(NOT_STATED,)),
                per_ppm=per_ppm,
                method=reference.method,
                laboratory=translated(reference.laboratory, among=(NOT_STATED,)),
            ),
        ],
    )


def _audit_section(monitor: Monitor) -> Section:
    """Relative accuracy of each audit."""
    audits = monitor.audits
    met, known = monitor.limits.meets_accuracy(audits)
    most = {row.limits.get("most") for row in monitor.limits.used(audits)[2:] if row.unit == "%"}
    limits = [
        Limit(value=float(value), label=say("limit {value:g} %", value=value), style="theoretical")
        for value in sorted(v for v in most if isinstance(v, float))
    ]
    figures = []
    if len(audits.first):
        x, y = _with_gaps(audits)
        figures.append(
            Chart(
                kind="chart",
                title=say("Relative accuracy of each audit"),
                caption=say(
                    "Each audit is {runs} rows that follow each other; low is good.",
                    runs=audits.runs,
                ),
                alt=say("Relative accuracy of the audits along the tested rows, with the limit."),
                x=x,
                x_label=say("tested row"),
                panels=[
                    Panel(
                        y=y,
                        y_label=say("relative accuracy, %"),
                        limits=limits,
                    )
                ],
            )
        )
    return Section(
        title=say("Audits"),
        paragraphs=[
            say(
                "{first} audits of {runs} valid rows each, none overlapping: {met} of "
                "{known} with a limit keep it, {biased} show a model that reads low. With "
                "the hours that do not count there would be {all_audits_first} audits, of "
                "which {meets_accuracy} keep it.",
                first=len(audits.first),
                runs=audits.runs,
                met=int(met.sum()),
                known=int(known.sum()),
                biased=int(audits.biased.sum()),
                all_audits_first=len(monitor.all_audits.first),
                meets_accuracy=int(monitor.limits.meets_accuracy(monitor.all_audits)[0].sum()),
            )
        ],
        figures=figures,
    )


def _with_gaps(audits: Audits) -> tuple[list[float], list[float | None]]:
    """First row and relative accuracy of audits, with a gap where rows lie between them."""
    x, y = list[float](), list[float | None]()
    for place, (first, value) in enumerate(zip(audits.first, audits.accuracy, strict=True)):
        if place and first > audits.first[place - 1] + 2 * audits.runs:
            x.append(float(first))
            y.append(None)
        x.append(float(first))
        y.append(float(value) if np.isfinite(value) else None)
    return x, y


def _sensor_section(monitor: Monitor) -> Section:
    """Sensor validation and the operating envelope."""
    rows = sensor_rows(monitor)
    state = monitor.hours.test["state"]
    shares = ", ".join(
        say("{name} {share:.1%}", name=translated(name), share=np.mean(state == number))
        if len(state)
        else translated(name)
        for number, name in enumerate(STATES)
    )
    return Section(
        title=say("Sensors and operating envelope"),
        paragraphs=[
            say("Of the tested rows: {shares}.", shares=shares),
            say(
                "Each input is predicted from the others. A sensor has failed in a row "
                "where it is further from that than left-out rows are, and where the "
                "others' word in its place makes all sensors agree and brings the row "
                "inside the envelope; otherwise the row is outside the envelope. Sensors "
                "with {failed_rows} such rows of {near_rows} are named on page 1. A "
                "change of the plant that shows in one sensor alone looks the same. A "
                "sensor of which the others tell less than {least_told:.0%} of the "
                "variance is not validated.",
                failed_rows=_FAILED_ROWS,
                near_rows=_NEAR_ROWS,
                least_told=LEAST_TOLD,
            ),
        ],
        figures=[
            Table(
                kind="table",
                title=say("Sensors"),
                caption=say("What is told and the limit are of left-out training rows."),
                alt=say(
                    "How well each sensor is told by the others, and rows in which it has failed."
                ),
                columns=[
                    Column(label=say("sensor")),
                    Column(label=say("unit")),
                    Column(label=say("told by the others")),
                    Column(label=say("limit")),
                    Column(label=say("failed"), unit=say("rows")),
                    Column(
                        label=say("most of {near_rows}", near_rows=_NEAR_ROWS), unit=say("rows")
                    ),
                    Column(label=say("reads high by, median")),
                    Column(label=say("first failed row")),
                ],
                rows=[
                    [
                        row.name,
                        row.unit,
                        say("{value:.0%}", value=max(0.0, row.told))
                        + ("" if row.is_validated else say(", not validated")),
                        row.limit if np.isfinite(row.limit) else None,
                        row.flagged,
                        row.densest,
                        row.off,
                        row.first,
                    ]
                    for row in rows
                ],
            )
        ],
    )


def _average_section(monitor: Monitor) -> Section:
    """Averages, and what does not average out."""
    averages, parts = monitor.averages, monitor.parts
    name, unit = monitor.hours.scores.channel
    if parts is None:
        return Section(
            title=say("Averages"),
            paragraphs=[
                say(
                    "No interval of an average is given: rows were dealt at random, or "
                    "nothing was left out for long enough to show how averages err."
                )
            ],
        )
    least = monitor.hours.scores.job.score.averages.least_capture
    u_reference = (
        say("{reference:.3g} {unit}", reference=parts.reference, unit=unit)
        if parts.reference is not None
        else say("not stated")
    )
    lengths = sorted({1, monitor.average_rows, 30 * monitor.average_rows})
    table = Table(
        kind="table",
        title=say("Standard uncertainty of an average"),
        caption=say("More rows shrink the independent part alone."),
        alt=say("Independent and shared parts of the uncertainty of averages of several lengths."),
        columns=[
            Column(label=say("rows")),
            Column(label=say("independent"), unit=unit),
            Column(label=say("model, shared"), unit=unit),
            Column(label=say("reference, shared"), unit=unit),
            Column(label=say("combined"), unit=unit),
        ],
        rows=[
            [
                rows,
                parts.independent / rows**0.5,
                parts.shared,
                parts.reference,
                float(parts.u(rows, reference=True)[0]),
            ]
            for rows in lengths
        ],
    )
    figures: list[Figure] = [table]
    coverage = monitor.hours.scores.regression.coverage
    use = monitor.given & (averages.paired > 0)
    if use.any():
        half = float(parts.factor * parts.u(monitor.average_rows, reference=False)[0])
        limits = [
            Limit(value=sign * half, label=say("promised half-width"), style="empirical")
            for sign in (1.0, -1.0)
        ]
        figures.append(
            Chart(
                kind="chart",
                title=say("Averages of {name}: predicted less measured", name=name),
                caption=say(
                    "{coverage:.0%} were promised to lie between the lines.",
                    coverage=coverage,
                ),
                alt=say("Errors of averages in order, with the half-width of their intervals."),
                x=list(range(len(use))),
                x_label=say("average"),
                panels=[
                    Panel(
                        y=[
                            -float(e) if u else None
                            for e, u in zip(averages.error, use, strict=True)
                        ],
                        y_label=say("error, {unit}", unit=unit),
                        limits=limits if np.isfinite(half) else [],
                    )
                ],
            )
        )
    return Section(
        title=say("Averages"),
        paragraphs=[
            say(
                "An average of {average_rows} rows is given where {least:.0%} of them are "
                "valid. How averages err was learnt from {averages} averages of left-out "
                "rows: the spread within them is {independent:.3g} {unit} from row to row "
                "and shrinks with the root of their number; the spread of their means "
                "beyond that, bias included, is {shared:.3g} {unit} and does not. "
                "Residuals of neighbouring rows correlate by {correlation:.2f}, which is "
                "why the root alone would promise too much. What the reference's readings "
                "share: {u_reference}. Intervals are {factor:.2f} standard uncertainties "
                "wide to each side, which held {coverage:.0%} of the left-out averages.",
                average_rows=monitor.average_rows,
                least=least,
                averages=parts.averages,
                independent=parts.independent,
                unit=unit,
                shared=parts.shared,
                correlation=parts.correlation,
                u_reference=u_reference,
                factor=parts.factor,
                coverage=coverage,
            )
        ],
        figures=figures,
    )


def _adaptive_section(monitor: Monitor) -> Section:
    """The interval of a row as it was set, and one that follows the analyser."""
    rows, past = monitor.hours.valid, monitor.hours.left_out
    scores, coverage = monitor.hours.scores, monitor.hours.scores.regression.coverage
    before = np.abs(past["truth"] - past["prediction"])
    before = before[np.isfinite(before)]
    if not len(rows["row"]) or not len(before):
        return Section(
            title=say("Intervals that follow the drift"),
            paragraphs=[
                say("Not shown: nothing was left out before the tested rows to begin with.")
            ],
        )
    size = np.abs(rows["truth"] - rows["prediction"])
    adapted = adapt(size, before, coverage, rate=_RATE)
    static = float(scores.covered(rows).mean())
    finite = adapted.half_widths[np.isfinite(adapted.half_widths)]
    without = len(size) - len(finite)
    _, unit = scores.channel
    return Section(
        title=say("Intervals that follow the drift"),
        paragraphs=[
            say(
                "The interval of a valid row, set on left-out rows before the tested "
                "ones, held {static:.1%} where {coverage:.0%} were promised; its "
                "half-width is {half_width:.3g} {unit}. Where the analyser keeps running "
                "and each of its readings moves the interval (rate {rate:g} a row), "
                "{achieved:.1%} are held with a median half-width of {finite:.3g} {unit} "
                "and {without} rows without bound. A monitor that replaces the analyser "
                "has no such readings.",
                static=static,
                coverage=coverage,
                half_width=np.median(rows["half_width"]),
                unit=unit,
                rate=_RATE,
                achieved=adapted.achieved,
                finite=np.median(finite) if len(finite) else float("inf"),
                without=without,
            )
        ],
    )
