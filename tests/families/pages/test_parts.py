"""Parts of readers' pages on numbers whose answer is known."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lumipipe.config import Channel
from lumipipe.families import page_one
from lumipipe.families.pages import coach, metrologist
from lumipipe.families.pages.budgets import Source, Statement, budget_section
from lumipipe.families.pages.cases import Cases, kinds, weakest_class
from lumipipe.families.pages.coach import _sensors
from lumipipe.families.pages.days import Seen, day_chart
from lumipipe.families.pages.rates import Episodes, _missed_faults, _rate_row
from lumipipe.families.pages.traceability import certificate_of


def cases(kind: list[int], score: list[float]) -> Cases:
    rows = np.arange(len(kind))
    return Cases({}, rows.astype(str), rows, 1, np.array(kind), np.array(score))


def test_the_case_with_the_median_score_is_shown() -> None:
    found = cases([0, 0, 0, 2, 1, 2], [3.0, 1.0, 2.0, 9.0, 5.0, 8.0])
    assert [found.median(kind) for kind in (0, 1, 2)] == [2, 4, 5]
    assert [found.count(kind) for kind in (0, 1, 2)] == [3, 1, 2]
    assert cases([0], [np.nan]).median(1) is None


def test_rows_that_do_not_count_are_no_case() -> None:
    every = np.ones(3, dtype=bool)
    assert kinds(every, every, ~every).tolist() == [-1, -1, -1]


def test_the_weakest_class_is_the_one_with_the_lowest_f1() -> None:
    truth = np.array(["a", "a", "b", "b", "c", "c"])
    recognised = np.array(["a", "a", "b", "c", "c", "c"])
    assert weakest_class(truth, recognised) == "b"
    assert weakest_class(truth, truth) == "a"


def test_missing_days_are_drawn_as_missing_and_another_sensor_is_marked() -> None:
    day = dt.date(2026, 3, 1)
    seen = [
        Seen(day, 30.0, "strap", "a"),
        Seen(day + dt.timedelta(days=3), 20.0, "watch", "b"),
    ]
    chart = day_chart("p", seen, {"a": 30.0, "b": 20.0}, "minutes", 30.0)
    assert chart is not None
    panel = chart.stacked()[0]
    assert panel.dots is not None
    by_day = dict(zip(chart.x, panel.dots, strict=True))
    assert [by_day[n] for n in (0.0, 1.0, 2.0, 3.0)] == [30.0, None, None, 20.0]
    assert "2 of 4 days" in chart.caption
    assert [(span.start, span.stop) for span in chart.spans] == [(2.6, 3.4)]
    assert panel.shows == (0.0, 30.0)


def test_one_day_is_no_history() -> None:
    seen = [Seen(dt.date(2026, 3, 1), 30.0, "", "a")]
    assert day_chart("p", seen, {"a": 30.0}, "minutes", 30.0) is None


def test_a_rate_a_month_needs_a_clock() -> None:
    month = 365.25 / 12 * 86_400
    timed, short, untimed = (
        _rate_row("x", Episodes(3, 500, seconds)) for seconds in (2 * month, 7200.0, float("nan"))
    )
    # two hours say nothing of a month
    assert (short[2], short[3].value, short[4]) == ("2 h", pytest.approx(1.5), "hour")
    assert (timed[3].value, timed[4]) == (pytest.approx(1.5), "month")
    assert (untimed[3].value, untimed[4]) == (pytest.approx(6.0), "1,000 rows")


def test_a_fault_is_missed_where_none_of_its_rows_is_in_alarm() -> None:
    names = np.array(list("aaaaaabb"))
    event = np.array([1, 1, 0, 1, 1, 0, 1, 1], dtype=bool)
    alarm = np.array([0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    assert _missed_faults(names, event, alarm, ()) == (2, 3)
    assert _missed_faults(names, event, alarm | event, ()) == (0, 3)
    # a fault whose alarms are no more than false ones is missed, whatever its rows say
    assert _missed_faults(names, event, alarm | event, {"a"}) == (2, 3)
    assert _missed_faults(names, ~event & False, alarm, ()) == (0, 0)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({}, ("not characterised", "")),
        ({"certificate": "dcc-1"}, ("dcc-1", "")),
        (
            {"certificate": {"id": "dcc-1", "valid_until": "2027-01-31"}},
            ("dcc-1", "2027-01-31"),
        ),
    ],
)
def test_a_certificate_and_its_last_day(stated: dict[str, Any], told: tuple[str, str]) -> None:
    channel = Channel.model_validate({"name": "x", "quantity": "power", "unit": "W", **stated})
    assert certificate_of(channel) == told


def test_sensors_that_are_stated_are_named() -> None:
    channels = [SimpleNamespace(sensor=name) for name in ("strap-1", "not characterised")]
    request = SimpleNamespace(
        question=SimpleNamespace(family="hrv"), data=[SimpleNamespace(channels=channels)]
    )
    told = _sensors(SimpleNamespace(job=SimpleNamespace(request=request)))  # type: ignore[arg-type]
    assert told.is_answered
    assert "strap-1" in told.sentence


def test_without_a_characterised_repeat_no_change_is_counted_as_noise() -> None:
    """ "0 of 16 are more than noise" would say that nothing has changed."""
    none = coach._counted(16, 0, 16, "It comes from repeats.")
    assert not none.is_answered
    assert none.sentence.startswith("None of 16 changes is judged")
    some = coach._counted(16, 2, 6, "It comes from repeats.")
    assert "2 of 10 changes" in some.sentence
    assert "It comes from repeats. 6 more are not judged" in some.sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(90.0, "1.5 min"), (7199.0, "120 min"), (7200.0, "2 h"), (172_800.0, "2 days")],
)
def test_lengths_are_told_in_the_unit_that_people_would_use(seconds: float, words: str) -> None:
    assert page_one._long(seconds) == f"{words} of data"


def test_without_a_characterised_source_nothing_is_expanded_or_bounded() -> None:
    """No u is stated, so that neither k times u nor a lower bound of u may be."""
    source = Source("calibration", None, "not stated")
    bare = Statement(
        name="speed",
        measurand="Mean speed.",
        unit="m/s",
        equation="m",
        value=3.0,
        sources=[source],
        coverage=0.95,
        correlations="none",
        resolution="none",
    )
    assert metrologist._factor(bare).startswith("None: no uncertainty")
    assert budget_section(bare).paragraphs == ["Not characterised: calibration."]
