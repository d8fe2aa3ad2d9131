"""The report: one self-contained HTML file from a result.

What is printed where is in ``templates/report.html.j2``, how it looks in
``templates/report.css``; the drawings are in `lumipipe.reporting.figures`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from lumipipe.reporting.cost import cost_view
from lumipipe.reporting.figures.declared import IntervalRow, Intervals, Reference
from lumipipe.reporting.figures.drawing import markup
from lumipipe.reporting.figures.table import cell_text, is_number
from lumipipe.reporting.numbers import limit_of, percentage, rounded, rounded_interval
from lumipipe.reporting.words import severity, words_of

if TYPE_CHECKING:
    from lumipipe.reporting.figures.declared import Figure
    from lumipipe.reporting.parts import Cell
    from lumipipe.reporting.result import Achieved, Coverage, Metric, Result, Unit
    from lumipipe.reporting.words import Words

# Units in the table that everybody sees, and in the list that opens on demand.
SHOWN_UNITS = 12
LISTED_UNITS = 2000
_SIGNS = {"supported": "✓", "not_supported": "✗", "inconclusive": "?"}

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(result: Result) -> str:
    """The report as one HTML file that needs nothing from outside; the same bytes each time.

    Parameters
    ----------
    result : Result
        What a family found.

    Returns
    -------
    str
        HTML. Text of the result is escaped; a language without a table of fixed words gives
        English ones.
    """
    language, words = words_of(result.request.language)
    units = sorted(result.units, key=lambda unit: severity(unit.verdict))
    return _templates.get_template("report.html.j2").render(
        result=result,
        language=language,
        words=words,
        sign=_SIGNS[result.verdict],
        random_split=result.split.kind == "random" or bool(result.split.because),
        metrics=[_metric_row(metric, words) for metric in result.metrics],
        figure=lambda figure, number: _markup(figure, number, words),
        coverage=_coverage_view(result.coverage, words),
        cost=cost_view(result.run.cost, words),
        units=units,
        unit_columns=_unit_columns(units),
        number_columns=_number_columns(units),
        shown_units=SHOWN_UNITS if len(units) > 2 * SHOWN_UNITS else len(units),
        listed_units=LISTED_UNITS,
        cell=lambda value: cell_text(value, words),
        whole=rounded,
        seconds=lambda value: words["seconds"].format(seconds=rounded(value)),
    )


def _markup(figure: Figure, number: int, words: Words) -> Markup:
    # Both ways to markup escape all text themselves.
    return Markup(markup(figure, f"f{number}", words))  # noqa: S704


def _metric_row(metric: Metric, words: Words) -> dict[str, str]:
    value, lower, upper = rounded_interval(
        metric.value, metric.lower, metric.upper, against=limit_of(metric.condition)
    )
    has_interval = metric.lower is not None or metric.upper is not None
    confidence = "" if metric.confidence is None else f" ({percentage(metric.confidence)[0]} %)"
    outcomes = {True: words["met"], False: words["not_met"], None: words["not_decided"]}
    count = "" if metric.count is None else f"{rounded(metric.count)} {metric.of or ''}".strip()
    return {
        "label": metric.label,
        "value": value,
        "interval": f"{lower} {words['to']} {upper}{confidence}" if has_interval else "–",
        "condition": (metric.condition or "–").replace("<=", "≤").replace(">=", "≥"),
        "outcome": outcomes[metric.met] if metric.condition or metric.met is not None else "–",
        "met": {True: "met", False: "not-met", None: ""}[metric.met],
        "count": count or "–",
        "note": metric.note or "",
    }


def _coverage_view(coverage: Coverage | None, words: Words) -> dict[str, object] | None:
    if coverage is None:
        return None
    state, nominal = _coverage_state(coverage), coverage.nominal
    unit = f" ({coverage.width_unit})" if coverage.width_unit else ""
    medians = [part.median_width for part in (coverage, *coverage.groups)]
    return {
        "nominal": percentage(nominal)[0],
        "whole": _achieved_row(coverage, nominal),
        "state": state,
        "sentence": words[f"coverage_{state}"],
        "width": words["width"] + unit,
        "median_width": words["median_width"] + unit,
        "has_medians": any(median is not None for median in medians),
        "groups": [
            {"name": group.name} | _achieved_row(group, nominal) for group in coverage.groups
        ],
        "figure": _coverage_figure(coverage, words) if coverage.groups else None,
    }


def _achieved_row(part: Achieved, nominal: float) -> dict[str, str]:
    def shown(number: float | None) -> str:
        return "–" if number is None else rounded(number)

    return {
        "achieved": _with_ends(*percentage(part.achieved, part.lower, part.upper, against=nominal)),
        "count": shown(part.count),
        "width": shown(part.width),
        "median_width": shown(part.median_width),
        "note": part.note or "",
    }


def _coverage_state(coverage: Coverage) -> str:
    if coverage.lower is None or coverage.upper is None:
        return "unknown"
    if coverage.upper < coverage.nominal:
        return "below"
    return "above" if coverage.lower > coverage.nominal else "holds"


def _with_ends(value: str, lower: str, upper: str) -> str:
    ends = "" if lower == upper == "n/a" else f" [{lower} %, {upper} %]"
    return f"{value} %{ends}" if value != "n/a" else value


def _coverage_figure(coverage: Coverage, words: Words) -> Intervals:
    def scaled(share: float | None) -> float | None:
        return None if share is None else 100 * share

    known = [group for group in coverage.groups if group.achieved is not None]
    worst = min(known, key=lambda group: group.achieved or 0.0).name if known else "n/a"
    nominal = percentage(coverage.nominal)[0]
    return Intervals(
        kind="intervals",
        title=f"{words['coverage']}, {words['by_group']}",
        caption=words["by_group_caption"],
        alt=words["by_group_alt"].format(count=len(coverage.groups), worst=worst),
        rows=[
            IntervalRow(
                label=group.name,
                value=scaled(group.achieved),
                lower=scaled(group.lower),
                upper=scaled(group.upper),
                count=group.count,
            )
            for group in coverage.groups
        ],
        reference=Reference(
            value=100 * coverage.nominal, label=words["of_promised"].format(nominal=nominal)
        ),
        x_label=f"{words['achieved']} (%)",
    )


def _unit_columns(units: list[Unit]) -> list[str]:
    return list(dict.fromkeys(name for unit in units for name in unit.values))


def _number_columns(units: list[Unit]) -> set[str]:
    def numeric(name: str) -> bool:
        cells: list[Cell] = [unit.values.get(name) for unit in units]
        return all(is_number(cell) for cell in cells)

    return {name for name in _unit_columns(units) if numeric(name)}
