"""Each reader's page on the small request of each family: what it must and must never show."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from command import call, one_line
from lumipipe.families import FAMILIES as ANALYSES
from lumipipe.families.pages.build import READERS
from lumipipe.reporting.figures.declared import Chart, Column, Table
from lumipipe.reporting.html import render
from lumipipe.reporting.result import Section, Unit
from reader_rules import missing, never, page_of, sections_of
from running import answer
from small_requests import DROP, FAMILIES, emission

if TYPE_CHECKING:
    from lumipipe.reporting.result import Reader, Result

PERSONAL = {"rights": {"personal_data": "pseudonymous"}}
PAGES = [(family, reader) for family, readers in READERS.items() for reader in readers]
each_page = pytest.mark.parametrize(("family", "reader"), PAGES)


class Ran(NamedTuple):
    """A judged request, and the columns of its tables."""

    result: Result
    tables: dict[str, list[str]]


@cache
def ran(family: str) -> Ran:
    """The small request of a family; one of persons where only those have a page."""
    folder = Path(mkdtemp(prefix=f"lumipipe-{family}-"))
    changes = PERSONAL if family == "activity" else {}
    done = answer(FAMILIES[family](folder, **changes), folder / "out")
    files = sorted(done.product("score").glob("*.parquet"))
    return Ran(done.result, {file.stem: pq.read_schema(file).names for file in files})


def test_every_family_has_a_page() -> None:
    assert set(READERS) == set(ANALYSES)


@each_page
def test_a_reader_finds_what_they_must(family: str, reader: Reader) -> None:
    result, tables = ran(family)
    assert missing(result, reader, tables) == []


OWN_ORDER = {"esports", "recipe", "remaining_life", "technique"}
"""Families whose verdicts are no worse than another: their units stand as the family lists them."""


@pytest.mark.parametrize("family", sorted(ANALYSES))
def test_a_family_says_what_its_verdicts_mean(family: str) -> None:
    units = ran(family).result.units
    said = {(unit.verdict, unit.severity) for unit in units}
    assert len({verdict for verdict, _ in said}) == len(said)
    # Of the small requests of two families, no unit has a verdict that is good or bad.
    if family not in {"emission", "session_load"}:
        assert ({severity for _, severity in said} == {"neither"}) == (family in OWN_ORDER)


@each_page
def test_a_reader_never_finds_what_they_must_not(family: str, reader: Reader) -> None:
    assert never(ran(family).result, reader) == []


@each_page
def test_keys_that_would_state_something_exist(family: str, reader: Reader) -> None:
    analysis = ANALYSES[family]
    sections = {name: getattr(analysis, f"{name}_section") for name in ("train", "score", "asset")}
    for item in page_of(ran(family).result, reader).items:
        for section, key in re.findall(r"\b(train|score|asset)\.(\w+)", item.sentence):
            assert key in sections[section].model_fields


@pytest.mark.parametrize("family", FAMILIES)
def test_something_is_not_answered_or_a_reason_is_given(family: str) -> None:
    result = ran(family).result
    assert result.not_answered or result.not_answered_reason
    assert all(item.question and item.reason for item in result.not_answered)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_page_stands_in_the_report_behind_its_link(family: str) -> None:
    page = render(ran(family).result)
    for reader in READERS[family]:
        assert page.count(f'href="#page-{reader}"') == page.count(f'id="page-{reader}"') == 1
    assert page.count("<section>") > len(ran(family).result.sections)  # none is left out


# -- planted violations: a check that finds none of them checks nothing -------------------------


def with_item(result: Result, reader: Reader, name: str, sentence: str, **more: Any) -> Result:
    """The result with another sentence for an item."""
    page = page_of(result, reader)
    items = [
        item.model_copy(update={"sentence": sentence, **more}) if item.name == name else item
        for item in page.items
    ]
    pages = [
        page.model_copy(update={"items": items}) if one.reader == reader else one
        for one in result.pages
    ]
    return result.model_copy(update={"pages": pages})


def with_section(result: Result, reader: Reader, **content: Any) -> Result:
    """The result with one more section on a page."""
    section = Section(title=content.pop("title", "planted"), reader=reader, **content)
    return result.model_copy(update={"sections": [*result.sections, section]})


def table_of(title: str, labels: list[str], *rows: list[Any]) -> Table:
    return Table(
        kind="table",
        title=title,
        caption="planted",
        alt="planted",
        columns=[Column(label=label) for label in labels],
        rows=list(rows),
    )


def example_of(caption: str) -> Chart:
    return Chart(
        kind="chart",
        title="Hit: a",
        caption=caption,
        alt="planted",
        x=[0.0, 1.0],
        x_label="row",
        y=[1.0, 2.0],
        y_label="steam, K",
    )


def budget_of(*rows: list[Any]) -> Table:
    labels = ["source", "type", "u", "sensitivity", "contribution", "share", "between", "from"]
    return table_of("Uncertainty budget of m", labels, *rows)


def test_f1_alone_is_found() -> None:
    result = with_item(ran("monitoring").result, "engineer", "rates", "–", is_answered=False)
    assert never(with_section(result, "engineer", paragraphs=["F1 is 0.97."]), "engineer")


def test_an_alarm_without_its_channel_is_found() -> None:
    result = ran("monitoring").result
    for caption in ("A row.", "A row. Leading channel: feed."):
        planted = with_section(result, "engineer", figures=[example_of(caption)])
        assert never(planted, "engineer") == ["Hit: a: an alarm without the channel"]
    named = example_of("A row. Leading channel: steam.")
    assert never(with_section(result, "engineer", figures=[named]), "engineer") == []


def test_a_decision_without_its_channels_is_found() -> None:
    result = ran("activity").result
    kept = [s for s in result.sections if not s.title.startswith("Channels behind")]
    planted = result.model_copy(update={"sections": kept})
    assert "no channels behind the hit" in missing(planted, "engineer", ran("activity").tables)


def test_a_page_without_the_graph_is_found() -> None:
    result, tables = ran("carbon")
    kept = [s for s in result.sections if not s.title.startswith("Traceability")]
    found = missing(result.model_copy(update={"sections": kept}), "metrologist", tables)
    assert "no graph of what the result rests on" in found


def test_a_verdict_outside_the_trained_range_is_found() -> None:
    result = ran("soft_sensor").result
    unit = Unit(
        id="u",
        verdict="outside the known data",
        values={"y": {"value": 1.0, "lower": 0.0, "upper": 2.0}},
    )
    assert never(result.model_copy(update={"units": [unit]}), "engineer")


@pytest.mark.parametrize(
    "claim",
    ["a is healthy.", "Signs of overtraining.", "Risk of injury is low.", "Not yet diagnosed."],
)
def test_a_health_claim_is_found(claim: str) -> None:
    planted = with_section(ran("session_load").result, "coach", paragraphs=[claim])
    assert never(planted, "coach") == [f"a health claim: {claim}"]


def test_a_ranking_is_found() -> None:
    result = ran("session_load").result
    ranked = table_of("Power", ["rank", "person"], [1, "b"], [2, "a"])
    assert len(never(with_section(result, "coach", figures=[ranked]), "coach")) == 2
    ordered = table_of("Power", ["person", "W"], ["a", 1.0], ["b", 2.0])
    assert never(with_section(result, "coach", figures=[ordered]), "coach") == []


def test_a_map_is_found() -> None:
    planted = with_section(ran("session_load").result, "coach", title="Map of the course")
    assert never(planted, "coach") == ["a map: Map of the course"]


def test_who_withdrew_is_found() -> None:
    result = ran("session_load").result
    assert never(result, "coach", gone=["a_00"]) == ["a_00 withdrew"]
    assert never(result, "coach", gone=["nobody-of-this-name"]) == []


def test_accuracy_in_percent_is_found() -> None:
    planted = with_section(ran("carbon").result, "metrologist", paragraphs=["Accuracy 97 %."])
    assert never(planted, "metrologist")


def test_a_mean_with_only_the_root_of_n_is_found() -> None:
    row = ["noise", "A, normal", "1 V", 0.1, 0.1, 100.0, "independent", "these data"]
    last = ["combined", "", "", None, 0.1, 100.0, "shared and independent", ""]
    planted = with_section(ran("carbon").result, "metrologist", figures=[budget_of(row, last)])
    assert never(planted, "metrologist") == [
        "Uncertainty budget of m: a mean with only the root of n"
    ]


def test_a_combined_u_without_the_shared_part_is_found() -> None:
    rows: list[list[Any]] = [
        ["noise", "A, normal", "1 V", 0.1, 0.1, 1.0, "independent", "these data"],
        ["offset", "B, normal", "1 V", 1.0, 1.0, 99.0, "shared", "dcc-1"],
        ["combined", "", "", None, 0.1, 100.0, "shared and independent", ""],
    ]
    planted = with_section(ran("carbon").result, "metrologist", figures=[budget_of(*rows)])
    assert len(never(planted, "metrologist")) == 1


def test_digits_beyond_u_are_found() -> None:
    result = ran("carbon").result
    planted = with_item(result, "metrologist", "budget", "4345.61 kg, u = 85 kg, U = 140 kg.")
    assert never(planted, "metrologist") == ["4345.61 has digits beyond u = 85"]
    rows: list[list[Any]] = [
        ["offset", "B, normal", "1 V", 1.0, 1.2345, 100.0, "shared", "dcc-1"],
        ["combined", "", "", None, 1.2, 100.0, "shared and independent", ""],
    ]
    assert never(with_section(result, "metrologist", figures=[budget_of(*rows)]), "metrologist")


def test_silently_filled_gaps_are_found() -> None:
    planted = with_item(ran("carbon").result, "authority", "capture", "100% were read.")
    assert never(planted, "authority")
    assert missing(planted, "authority", {})


def test_a_certificate_claim_from_a_random_split_is_found() -> None:
    result = ran("emission").result
    split = result.split.model_copy(update={"kind": "random", "because": "planted"})
    planted = with_item(
        result.model_copy(update={"split": split}), "authority", "statistics", "PASS by the rule."
    )
    assert len(never(planted, "authority")) == 2


def test_values_outside_the_envelope_are_found() -> None:
    result = ran("emission").result
    metrics = [
        metric.model_copy(update={"count": 1000}) if metric.name == "r" else metric
        for metric in result.metrics
    ]
    assert never(result.model_copy(update={"metrics": metrics}), "authority")


def test_an_item_that_is_missing_or_empty_is_found() -> None:
    result = ran("bearing").result
    assert missing(with_item(result, "engineer", "rerun", "–"), "engineer", {})
    pages = [page.model_copy(update={"items": list(page.items[1:])}) for page in result.pages]
    assert missing(result.model_copy(update={"pages": pages}), "engineer", {})
    assert missing(result, "engineer", {"rows": ["recording"]})
    bare = [s for s in result.sections if "fault frequencies" not in s.title]
    assert missing(result.model_copy(update={"sections": bare}), "engineer", {})


# -- what requests change ------------------------------------------------------------------------


def test_a_request_narrows_the_pages(tmp_path: Path) -> None:
    request = FAMILIES["carbon"](tmp_path, report={"readers": ["authority"]})
    result = answer(request, tmp_path / "out").result
    assert [page.reader for page in result.pages] == ["authority"]
    assert sections_of(result, "metrologist")  # what the family made for a page that is not there
    page = render(result)
    assert 'id="page-metrologist"' not in page
    assert "Activities, factors and scope" in page


def test_a_page_that_a_family_does_not_have_is_refused(tmp_path: Path) -> None:
    request = FAMILIES["bearing"](tmp_path, report={"readers": ["coach"]})
    said = call("request", "check", request)
    assert said.code == 2
    assert "bearing has no page for coach" in one_line(said)


def test_a_machine_has_no_coach(tmp_path: Path) -> None:
    request = FAMILIES["activity"](tmp_path, report={"readers": ["coach"]})
    assert "no page for coach" in one_line(call("request", "check", request))


def stated_emission(folder: Path, **changes: Any) -> Path:
    """A plant that states all that an authority asks for."""
    asset = {
        "emission_point": "stack {2}",  # words of a user may look like a field
        "reference_conditions": "dry, 273.15 K, 101.325 kPa, 15 % oxygen",
        "reference": {"u": 0.5},
        "limit": {
            "value": 50.0,
            "averaging": "one day",
            "source": "a made-up permit",
            "pollutant": "NO2",
        },
        "parallel": [
            {"date": "2025-05-06", "laboratory": "a made-up one", "method": "a made-up method"}
        ],
        "last_audit": "2025-05-06",
        "model_changes": [{"date": "2025-01-02", "what": "first model"}],
        "raw_data_kept": "five years at the plant",
        "contact_ref": "the plant's environmental engineer",
    }
    return emission(folder, asset=asset, **changes)


def test_an_authority_reads_what_the_request_states(tmp_path: Path) -> None:
    result = answer(stated_emission(tmp_path), tmp_path / "out").result
    told = {item.name: item.sentence for item in page_of(result, "authority").items}
    assert "would state" not in " ".join(told.values())
    assert "stack {2}" in told["installation"]
    assert "Limit 50 mg/m3, averaged over one day" in told["parameter"]
    assert "2025-05-06" in told["parallel"]
    assert "Last audit: 2025-05-06" in told["drift"]
    assert "first model" in told["changes"]
    assert "five years" in told["retention"]
    # The share that is allowed comes from a table that nobody has checked.
    assert "limits not verified" in told["interval"]
    assert never(result, "authority") == []


def test_a_pollutant_without_a_row_gets_no_allowed_share(tmp_path: Path) -> None:
    request = stated_emission(tmp_path)
    text = request.read_text(encoding="utf-8").replace("pollutant: NO2", "pollutant: Hg")
    request.write_text(text, encoding="utf-8")
    result = answer(request, tmp_path / "out").result
    told = {item.name: item.sentence for item in page_of(result, "authority").items}
    assert "no row for this pollutant" in told["interval"]


def test_a_random_split_certifies_nothing(tmp_path: Path) -> None:
    split = {"kind": "random", "because": "to show what it would claim", "folds": 4}
    request = emission(tmp_path, evaluation={"split": {"train": DROP, "test": DROP, **split}})
    result = answer(request, tmp_path / "out").result
    assert never(result, "authority") == []


def test_raw_examples_of_persons_show_no_figure_of_theirs() -> None:
    charts = [
        figure
        for section in sections_of(ran("activity").result, "engineer")
        for figure in section.figures
        if figure.kind == "chart" and figure.title.startswith(("Hit", "Miss", "False"))
    ]
    assert charts
    for panel in (panel for chart in charts for panel in chart.stacked()):
        assert "standardised" in panel.y_label
        known = [y for y in panel.y if y is not None]
        assert abs(sum(known) / len(known)) < 1e-9  # rounding of a mean of numbers of size one
