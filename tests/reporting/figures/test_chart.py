"""Axes of charts: a logarithmic x axis, and values that an axis shows in any case."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lumipipe.reporting.figures.canvas import FONT_SIZE, in_lines, text_width
from lumipipe.reporting.figures.chart import chart
from lumipipe.reporting.figures.declared import Chart, Panel, Span
from lumipipe.reporting.words import words_of

WORDS = words_of("en")[1]


def made(**changes: Any) -> Chart:
    form: dict[str, Any] = {
        "kind": "chart",
        "title": "t",
        "caption": "c",
        "alt": "a",
        "x": [5.0, 60.0, 1200.0],
        "x_label": "duration, s",
        "log_x": True,
        "panels": [Panel(y=[3.0, 2.0, 1.0], y_label="speed, m/s")],
    }
    return Chart.model_validate(form | changes)


def test_a_logarithmic_axis_has_ticks_of_decades() -> None:
    drawn = chart(made(), "p", WORDS)
    assert "1000" in drawn
    assert drawn != chart(made(log_x=False), "p", WORDS)


@pytest.mark.parametrize(
    "changes", [{"x": [0.0, 1.0, 2.0]}, {"spans": [Span(start=6, stop=9, label="s")]}]
)
def test_what_a_logarithmic_axis_cannot_show_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="above 0 and no spans"):
        made(**changes)


def test_panels_of_two_figures_compare() -> None:
    low, high = [1.0, 1.5, 1.2], [100.0, 150.0, 120.0]
    alone = chart(made(panels=[Panel(y=low, y_label="W")]), "p", WORDS)
    beside = [
        chart(made(panels=[Panel(y=y, y_label="W", shows=(0.0, 150.0))]), "p", WORDS)
        for y in (low, high)
    ]
    assert all("150" in drawn for drawn in beside)
    assert "150" not in alone


def test_a_long_label_of_an_axis_takes_lines_that_fit_and_one_limit_needs_no_origin() -> None:
    limit = {"value": 2.5, "label": "limit 20 %", "style": "theoretical"}
    panel = {"y": [3.0, 2.0, 1.0], "y_label": "motor_temperature, degC", "limits": [limit]}
    one = chart(made(panels=[Panel.model_validate(panel)] * 2), "p", WORDS)
    assert "motor_<" in one
    assert "temperature,<" in one
    assert "limit 20 %<" in one
    both = panel | {"limits": [limit, limit | {"style": "empirical"}]}
    assert "limit 20 % (theoretical)" in chart(
        made(panels=[Panel.model_validate(both)] * 2), "p", WORDS
    )


def test_names_of_stacked_panels_do_not_run_into_each_other() -> None:
    for words in ("motor_temperature, degC", "acceleration_1, m/s2", "acc_x, standardised"):
        lines = in_lines(words, 65.0).split("\n")
        assert "".join(lines).replace(" ", "") == words.replace(" ", "")
        assert len(lines) <= 3
        # a panel of three is 72 points high
        assert max(text_width(line, FONT_SIZE) for line in lines) <= 75.0
