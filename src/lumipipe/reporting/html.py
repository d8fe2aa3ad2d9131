"""The report: one self-contained HTML file from a result.

What is printed where is in ``templates/report.html.j2``, how it looks in
``templates/report.css``; the drawings are in `lumipipe.reporting.figures`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from lumipipe.language import say, speaking
from lumipipe.reporting.cost import cost_view, energy_in_words
from lumipipe.reporting.figures.declared import IntervalRow, Intervals, Reference
from lumipipe.reporting.figures.drawing import markup
from lumipipe.reporting.figures.table import cell_text, is_number
from lumipipe.reporting.numbers import (
    NOT_AVAILABLE,
    limit_of,
    percentage,
    rounded,
    rounded_interval,
)
from lumipipe.reporting.shown import shown_condition, shown_result
from lumipipe.reporting.words import severity, words_of

if TYPE_CHECKING:
    from lumipipe.reporting.figures.declared import Figure
    from lumipipe.reporting.parts import Cell
    from lumipipe.reporting.result import Achieved, Coverage, Metric, ReaderPage, Result, Unit
    from lumipipe.reporting.words import Words

# Units in the table that everybody sees, and in the list that opens on demand.
SHOWN_UNITS = 12
# What page 1 shows of lists, so that it stays one page; all of it stands further on.
MOST_COMPARED, MOST_LEFT_OUT, MOST_DEVIATIONS = 3, 3, 5
_LONGEST_REASON = 160  # characters
LISTED_UNITS = 2000
_TERMS = {"permit": "terms_permit", "permit with duties": "terms_permit_duties"}
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
        HTML. Text of the result is escaped; what no catalogue knows stays English.
    """
    language, words = words_of(result.request.language)
    with speaking(language):
        return _rendered(result, language, words)


def _rendered(result: Result, language: str, words: Words) -> str:
    """The report in the current language."""
    random_split = result.split.kind == "random" or bool(result.split.because)
    units = sorted(result.units, key=lambda unit: severity(unit.verdict))
    result = shown_result(result.model_copy(update={"units": units}))
    units = result.units
    confidence = _common_confidence(result.metrics)
    return _templates.get_template("report.html.j2").render(
        result=result,
        readers=[page.reader for page in result.pages],
        language=language,
        words=words,
        sign=_SIGNS[result.verdict],
        random_split=random_split,
        metrics=[_metric_row(metric, words, confidence) for metric in result.metrics],
        confidence=_in_brackets(confidence),
        unanswered=_unanswered,
        figure=lambda figure, number: _markup(figure, number, words),
        coverage=_coverage_view(result.coverage, words),
        cost=cost_view(result.run.cost, words),
        energy=energy_in_words(result.run.cost, words),
        terms_word=_TERMS,
        terms_duties=_duties(result, words),
        most_compared=MOST_COMPARED,
        today_is_compared=any(item.is_with_today for item in result.comparisons),
        most_left_out=MOST_LEFT_OUT,
        most_deviations=MOST_DEVIATIONS,
        longest_reason=_LONGEST_REASON,
        left_out_goes_on=len(result.left_out) > MOST_LEFT_OUT
        or any(len(item.reason) > _LONGEST_REASON for item in result.left_out),
        units=units,
        unit_columns=_unit_columns(units),
        number_columns=_number_columns(units),
        shown_units=SHOWN_UNITS if len(units) > 2 * SHOWN_UNITS else len(units),
        listed_units=LISTED_UNITS,
        cell=lambda value: cell_text(value, words),
        whole=rounded,
        seconds=lambda value: words["seconds"].format(seconds=rounded(value)),
    )


def _duties(result: Result, words: Words) -> list[str]:
    """What the terms of use ask for, in sentences; a duty without one as it is called."""
    duties = [] if result.terms is None else result.terms.duties
    asked = [tuple(duty.removesuffix(")").split(" (", 1)) for duty in duties]
    return [
        words[f"duty_{action}"].format(what=words[f"duty_{target}"]) for action, target in asked
    ]


def _markup(figure: Figure, number: int, words: Words) -> Markup:
    # Both ways to markup escape all text themselves.
    return Markup(markup(figure, f"f{number}", words))  # noqa: S704


def _unanswered(page: ReaderPage) -> list[tuple[list[str], str]]:
    """Items that are not answered, with their reason; those of one reason together."""
    found: dict[str, list[str]] = {}
    for item in page.items:
        if not item.is_answered:
            found.setdefault(item.sentence, []).append(item.label)
    return [(labels, reason) for reason, labels in found.items()]


def _common_confidence(metrics: list[Metric]) -> float | None:
    """The confidence of all intervals, where it is one: it then stands in the head alone."""
    found = {metric.confidence for metric in metrics if metric.confidence is not None}
    return next(iter(found)) if len(found) == 1 else None


def _in_brackets(confidence: float | None) -> str:
    return "" if confidence is None else f" ({percentage(confidence)[0]} %)"


def _metric_row(metric: Metric, words: Words, common: float | None) -> dict[str, str]:
    value, lower, upper = rounded_interval(
        metric.value,
        metric.lower,
        metric.upper,
        against=limit_of(metric.condition),
        is_decided=metric.met is not None,
    )
    has_interval = metric.lower is not None or metric.upper is not None
    confidence = "" if metric.confidence == common else _in_brackets(metric.confidence)
    outcomes = {True: words["met"], False: words["not_met"], None: words["not_decided"]}
    count = "" if metric.count is None else f"{rounded(metric.count)} {metric.of or ''}".strip()
    return {
        "label": metric.label,
        "value": value,
        "interval": f"{lower} {words['to']} {upper}{confidence}" if has_interval else "–",
        "condition": shown_condition(metric.condition or "–"),
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

    ends = (part.lower, part.upper)
    holds = None not in ends and (part.lower or 0.0) <= nominal <= (part.upper or 0.0)
    told = percentage(part.achieved, *ends, against=nominal, is_decided=not holds)
    return {
        "achieved": _with_ends(*told),
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
    worst = (
        min(known, key=lambda group: group.achieved or 0.0).name if known else say(NOT_AVAILABLE)
    )
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
