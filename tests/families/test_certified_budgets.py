"""Certificates in uncertainty budgets: figures by hand, and what is not added with its reason."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

from lumipipe.config import Request
from lumipipe.families.certificates import Certified, certified
from lumipipe.families.session_uncertainty import mean_budget
from lumipipe.tasks.declared import declared_section
from lumipipe.tasks.request import load_request
from lumipipe.uncertainty.budget import combined, coverage_factor
from lumipipe.uncertainty.monte_carlo import agreement, propagate
from running import answer
from small_requests import (
    DROP,
    FAMILIES,
    TURBINE,
    ambient,
    carbon,
    change,
    emission,
    hrv,
    session_load,
    soft_sensor,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Result

K = coverage_factor(0.9)  # the default of the form
NOX = list(TURBINE).index("nox")
DCC = {"id": "dcc-7", "laboratory": "Lab", "expanded": 40.0, "k": 2.0, "unit": "Wh"}


def rows_of(result: Result) -> dict[str, list[Any]]:
    """Rows of the first budget, by source."""
    title = "Uncertainty budget of"
    section = next(one for one in result.sections if one.title.startswith(title))
    table: Any = section.figures[0]
    return {row[0]: row for row in table.rows}


def said(result: Result, name: str) -> str:
    """What the metrologist's page says of an item."""
    page = next(one for one in result.pages if one.reader == "metrologist")
    return next(item.sentence for item in page.items if item.name == name)


def channels(**by_number: Any) -> dict[str, Any]:
    found = {int(key[1:]): {"certificate": value} for key, value in by_number.items()}
    return {"data": {0: {"channels": found}}}


def test_the_certificate_of_a_meter_adds_to_all_its_readings(tmp_path: Path) -> None:
    """By hand: 0.02 kWh in each of n readings at 0.4 kg/kWh, beside meters, factors and steps."""
    done = answer(carbon(tmp_path, **channels(c0=DCC)), tmp_path / "out")
    frames = [pd.read_csv(file) for file in sorted((tmp_path / "raw").glob("*.csv"))]
    rows = pd.concat([frame.drop_duplicates("t") for frame in frames])
    power, steam = 0.4 * rows["kwh"].sum(), 60.0 * 0.25 * rows["steam"].sum()
    n = int(rows["kwh"].count())
    by_certificate = 0.4 * n * 0.04 / 2.0
    parts = [
        power * 0.01 / 2,
        steam * 0.02 / 2,
        power * 0.02 / 0.4 / 2,
        steam * 3.0 / 60.0 / 2,
        by_certificate,
        0.4 * 0.1 / math.sqrt(12.0) * math.sqrt(n),
    ]
    u = math.sqrt(sum(part**2 for part in parts))
    (metric,) = (one for one in done.result.metrics if one.name == "emission")
    assert metric.upper is not None
    assert metric.lower is not None
    assert (metric.upper - metric.lower) / 2.0 == pytest.approx(K * u, rel=1e-9)
    row = rows_of(done.result)["certificate of kwh"]
    # Printed with two digits: off by half of the second one, a twentieth at most.
    assert row[1] == "B, normal"
    assert row[2] == "0.02 kWh"
    assert row[3] == pytest.approx(0.4 * n, rel=0.05)
    assert row[4] == pytest.approx(by_certificate, rel=0.05)
    assert row[6:] == ["shared", "dcc-7, Lab"]
    drawn = said(done.result, "monte_carlo")
    assert "linear propagation is good enough" in drawn
    by_draws = float(re.search(r"By draws u = ([\d,.]+)", drawn)[1].replace(",", ""))  # type: ignore[index]
    assert by_draws == pytest.approx(u, rel=0.05)


def test_what_a_meter_names_as_its_source_is_not_counted_twice(tmp_path: Path) -> None:
    meter = {"train": {"meters": {"power": {"source": "dcc-7, 2026"}}}}
    once = answer(carbon(tmp_path / "a", **meter), tmp_path / "a/out").result
    both = answer(carbon(tmp_path / "b", **meter, **channels(c0=DCC)), tmp_path / "b/out").result
    assert both.metrics[0] == once.metrics[0]
    row = rows_of(both)["certificate of kwh"]
    assert row[1:3] == ["B, not added", "0.02 kWh"]
    assert "nothing is counted twice" in row[7]


def test_a_certificate_without_an_uncertainty_says_so(tmp_path: Path) -> None:
    result = answer(carbon(tmp_path, **channels(c0={"id": "dcc-7"})), tmp_path / "out").result
    assert rows_of(result)["certificate of kwh"][7] == "dcc-7: it states no uncertainty"


def test_the_reference_of_an_emission_may_be_known_by_its_certificate(tmp_path: Path) -> None:
    """The same as if the request stated it: one number, two places."""
    by_asset = answer(emission(tmp_path / "a"), tmp_path / "a/out").result
    stated = {"id": "dcc-9", "expanded": 1.5, "k": 3.0}
    changes = {"asset": {"reference": {"u": DROP}}}
    request = emission(tmp_path / "b", **changes)
    for source in (0, 1):
        request = change(request, data={source: {"channels": {NOX: {"certificate": stated}}}})
    by_certificate = answer(request, tmp_path / "b/out").result
    label = "reference method: an analyser"
    one, other = rows_of(by_asset), rows_of(by_certificate)
    assert one["combined"] == other["combined"]
    assert (one[label][2], one[label][7]) == (other[label][2], "stated in the request")
    assert other[label][6:] == ["shared", "dcc-9"]
    assert by_asset.units == by_certificate.units
    asked = "How far may the true emission be from the averages?"
    assert asked not in [item.question for item in by_certificate.not_answered]


def test_a_certificate_in_a_file_is_the_same_source_and_tells_of_its_signature(
    tmp_path: Path,
) -> None:
    from readers.dcc_files import dcc, quantity  # noqa: PLC0415 - skips where the extra is missing

    request = emission(tmp_path / "a", asset={"reference": {"u": DROP}})
    form = (
        "<si:real><si:value>80</si:value><si:unit>\\micro\\gram\\metre\\tothe{-3}</si:unit>"
        "<si:expandedUnc><si:uncertainty>1500</si:uncertainty>"
        "<si:coverageFactor>3</si:coverageFactor></si:expandedUnc></si:real>"
    )
    (tmp_path / "a/nox.xml").write_text(dcc(quantity(form)), encoding="utf-8")
    period = {"period": ["2022-02-01", "2022-12-31"]}
    results = []
    for stated in ("nox.xml", {"id": "dcc-0417", "laboratory": "Lab A", "expanded": 1.5, "k": 3.0}):
        for source in (0, 1):
            channel = {NOX: {"certificate": stated}}
            request = change(request, data={source: {"channels": channel, **period}})
        results.append(answer(request, tmp_path / f"out{len(results)}").result)
    by_file, by_hand = results
    label = "reference method: an analyser"
    assert rows_of(by_file)[label][2] == rows_of(by_hand)[label][2]
    assert rows_of(by_file)[label][7] == "dcc-0417, Lab A"
    assert rows_of(by_file)["combined"] == rows_of(by_hand)["combined"]
    told, untold = (str(one.model_dump()) for one in results)
    assert "not signed" in told
    assert "not signed" not in untold


def test_the_reference_of_a_sensor_shares_its_certificate(tmp_path: Path) -> None:
    stated = {"id": "dcc-9", "u": 0.05}
    plain = rows_of(answer(ambient(tmp_path / "a"), tmp_path / "a/out").result)
    request = ambient(tmp_path / "b", **channels(c0=stated, c2={"id": "dcc-t", "u": 0.1}))
    found = answer(request, tmp_path / "b/out").result
    rows = rows_of(found)
    assert rows["reference"][2:7] == [
        "0.05 mg/m3",
        1.0,
        0.05,
        pytest.approx(rows["reference"][5]),
        "shared",
    ]
    whole = math.hypot(plain["combined"][4], 0.05)
    assert rows["combined"][4] == pytest.approx(whole, rel=0.05)
    assert rows["certificate of temp"][1:3] == ["B, not added", "0.1 degC"]
    assert "same sensor" in rows["certificate of temp"][7]
    assert "certificate of temp" not in said(found, "budget")  # it is characterised


def test_a_reference_that_is_stated_is_not_counted_twice(tmp_path: Path) -> None:
    request = ambient(tmp_path, asset={"reference_u": 0.02}, **channels(c0={"id": "d", "u": 0.05}))
    rows = rows_of(answer(request, tmp_path / "out").result)
    assert rows["reference"][7] == "stated in the request"
    assert rows["certificate of ref"][7].startswith("d: asset.reference_u stands for it")


def test_the_reference_of_a_soft_sensor_shares_its_certificate(tmp_path: Path) -> None:
    request = soft_sensor(tmp_path)
    stated = {"certificate": {"id": "dcc-y", "expanded": 0.2, "k": 2.0}}
    request = change(request, data={1: {"channels": {0: stated}}})
    request = change(
        request, data={0: {"channels": {0: {"certificate": {"id": "dcc-x", "u": 0.01}}}}}
    )
    rows = rows_of(answer(request, tmp_path / "out").result)
    row = rows["reference of y: what all its readings share"]
    assert row[1:5] == ["B, normal", "0.1", 1.0, 0.1]
    assert row[6:] == ["shared", "dcc-y"]
    parts = [one[4] for name, one in rows.items() if name != "combined" and one[4] is not None]
    assert rows["combined"][4] == pytest.approx(math.hypot(*parts), rel=0.05)
    assert sum(one[1] == "B, not added" for one in rows.values()) == 5  # the columns of x


def test_what_all_intervals_share_cancels_in_their_differences(tmp_path: Path) -> None:
    stated = {"id": "dcc-b", "u": 1.0}
    request = hrv(tmp_path, **channels(c0=stated))
    rows = rows_of(answer(request, tmp_path / "out").result)
    assert rows["certificate of rr"][1] == "B, not added"
    assert "cancels in their differences" in rows["certificate of rr"][7]


def test_the_mean_of_a_session_has_the_certificate_of_its_channel() -> None:
    """By hand: 200 W, 1 % of the reading and 0.5 W of the certificate: hypot(2, 0.5) W."""
    known = Certified("w", ("dcc-p",), 0.5, "W", "")
    sensor = SimpleNamespace(
        id="m", accuracy=SimpleNamespace(expanded=0.02, k=2.0, source="a specification")
    )
    parts = mean_budget(200.0, 3600.0, sensor, None, known)  # type: ignore[arg-type]
    assert combined(parts) == pytest.approx(math.hypot(2.0, 0.5), rel=1e-12)
    assert all(part.is_shared for part in parts)
    alone = mean_budget(200.0, 3600.0, None, None, known)
    assert combined(alone) == 0.5
    sensor.accuracy.source = "certificate dcc-p"
    assert combined(mean_budget(200.0, 3600.0, sensor, None, known)) == 2.0  # type: ignore[arg-type]
    found = propagate(parts, 0.95, 1)
    assert agreement(combined(parts), coverage_factor(0.95), found).holds


def test_of_several_certificates_the_largest_stands_for_all(tmp_path: Path) -> None:
    request = change(session_load(tmp_path), **channels(c0={"id": "a", "u": 1.0}))
    content = yaml.safe_load(request.read_text(encoding="utf-8"))
    second = content["data"][0] | {"id": "more"}
    second["channels"] = [
        {**second["channels"][0], "certificate": {"id": "b", "expanded": 6.0, "k": 2.0}},
        second["channels"][1],
    ]
    content["data"].append(second)
    found = certified(Request.model_validate(content), "w")
    assert found is not None
    assert (found.ids, found.u, found.unit) == (("a", "b"), 3.0, "W")
    assert found.known_from == "the largest of a, b, for all readings"
    assert certified(Request.model_validate(content), "bpm") is None


@pytest.mark.parametrize("family", ["activity", "bearing", "carbon"])
def test_a_family_without_a_budget_says_so(family: str, tmp_path: Path) -> None:
    certificates = ("dcc-1", {"id": "dcc-1", "u": 0.01})
    told = []
    for stated in certificates:
        request = load_request(FAMILIES[family](tmp_path, **channels(c0=stated))).request
        figures = declared_section(request, {}).figures
        (table,) = [figure for figure in figures if "certificates" in figure.title]
        told.append("enters no figure of this analysis" in table.caption)
    assert told == [False, family != "carbon"]
