"""What holds for every kind of figure."""

from __future__ import annotations

import functools
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from pydantic import TypeAdapter

from lumipipe.reporting.figures.declared import Figure
from lumipipe.reporting.figures.drawing import markup

ADAPTER: TypeAdapter = TypeAdapter(Figure)
NASTY = "<script>alert('1 & 2')</script> $x^2$ 漢字"
SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.slow  # each draws some figures


def declared(kind, text=NASTY, **fields):
    return ADAPTER.validate_python(
        {"kind": kind, "title": text, "caption": text, "alt": text, **fields}
    )


def spectrum(n, **fields):
    x, y = np.arange(n, dtype=float), np.cos(np.arange(n)) ** 2
    line = {"x": 1.0, "label": NASTY, "group": NASTY, "tolerance": 0.1}
    return declared(
        "spectrum",
        **{"x": x, "y": y, "x_label": NASTY, "y_label": NASTY, "lines": [line] * 3, **fields},
    )


def chart(n, **fields):
    limit = {"value": 0.5, "label": NASTY, "style": "empirical"}
    return declared(
        "chart",
        **{
            "x": np.arange(n, dtype=float),
            "y": np.sin(np.arange(n)),
            "x_label": NASTY,
            "y_label": NASTY,
            "limits": [limit],
            "alarms": list(range(0, n, 2)),
            "spans": [{"start": 0, "stop": 1, "label": NASTY}] * 2,
            **fields,
        },
    )


def stacked(n, **fields):
    y = np.exp(np.sin(np.arange(n)))
    return declared(
        "chart",
        x=np.arange(n, dtype=float),
        x_label="x (s)",
        panels=[{"y": y, "y_label": "y", "log_y": log, **fields} for log in (True, False)],
    )


def dotted(n, **fields):
    dots = [None if i % 2 else 0.5 * i - 1 for i in range(n)]
    names = {"line_label": NASTY, "dots_label": NASTY + "!"}
    return stacked(n, dots=dots, **names, **fields)


def confusion(n, panels=2):
    counts = (7 * np.eye(n, dtype=int) + 1).tolist()
    return declared(
        "confusion",
        labels=[f"{NASTY} {i}" for i in range(n)],
        panels=[{"title": NASTY, "counts": counts}] * panels,
    )


def intervals(n, **fields):
    row = {"label": NASTY, "value": 0.5, "lower": 0.4, "upper": 0.6, "count": 12}
    return declared(
        "intervals",
        **{
            "rows": [row] * n,
            "x_label": NASTY,
            "reference": {"value": 0.7, "label": NASTY},
            **fields,
        },
    )


def bars(n, **fields):
    return declared(
        "bars", **{"labels": [NASTY] * n, "values": [1.0] * n, "x_label": NASTY, **fields}
    )


def graph(n, **fields):
    nodes = [
        [{"id": f"{c}{i}", "text": [NASTY, f"{c} {i}"], "is_known": i % 2 == 0} for i in range(n)]
        for c in "abc"
    ]
    links = [(f"{one}{i}", f"{other}{i // 2}") for one, other in ("ab", "bc") for i in range(n)]
    layers = {"columns": [NASTY] * 3, "layers": nodes, "links": links} if n else {}
    trunk = [{"id": f"t{i}", "text": [NASTY]} for i in range(min(n, 2))]
    return declared("graph", trunk=trunk, **{**layers, **fields})


def table(n, **_fields):
    return declared(
        "table",
        columns=[{"label": NASTY, "unit": NASTY}, {"label": "number"}],
        rows=[[NASTY, i] for i in range(n)],
    )


KINDS = [spectrum, chart, stacked, dotted, confusion, intervals, bars, graph, table]


@pytest.mark.parametrize("size", [0, 1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_well_formed_escaped_and_named(kind, size):
    drawn = drawn_once(kind, size)
    root = ET.fromstring(drawn)
    assert "<script>" not in drawn
    assert "<image" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    if kind is table:
        assert root.get("aria-label") == NASTY
        return
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "f1-title f1-desc"
    assert root.find(f"{SVG}title").text == NASTY
    assert root.find(f"{SVG}desc").text == NASTY


@functools.cache
def drawn_once(kind, size, prefix="f1"):
    return markup(kind(size), prefix)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_figures_give_equal_bytes(kind):
    assert markup(kind(4), "f1") == drawn_once(kind, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_two_figures_on_a_page_differ(kind):
    ids = [re.findall(r' id="([^"]+)"', drawn_once(kind, 4, prefix)) for prefix in ("f1", "f2")]
    assert not set(ids[0]) & set(ids[1])
    assert len(set(ids[0])) == len(ids[0])


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_finds_its_target(kind):
    drawn = drawn_once(kind, 4)
    wanted = set(re.findall(r'(?:url\(#|href="#)([^")]+)', drawn))
    assert wanted <= set(re.findall(r' id="([^"]+)"', drawn))


def test_all_values_missing_is_drawn_and_said():
    n = 12
    assert "no data" in markup(chart(n, y=[None] * n))
    markup(spectrum(n, y=[None] * n))
    markup(bars(n, values=[None] * n, second=[None] * n))
    row = {"label": "a", "value": None}
    assert "no data" in markup(intervals(n, rows=[row] * n))


def test_dots_are_as_many_as_values_and_named():
    drawn = markup(stacked(3, dots=[1.0, None, 2.0], line_label="predicted", dots_label="measured"))
    assert ">predicted<" in drawn
    assert ">measured<" in drawn
    with pytest.raises(ValueError, match="y has 3, dots has 2"):
        stacked(3, dots=[1.0, 2.0])


def test_a_logarithmic_axis_says_what_it_hides():
    drawn = markup(spectrum(3, y=[0.0, 1.0, 10.0], log_y=True))
    assert "values at or below zero, not drawn: 1<" in drawn
    markup(spectrum(3, y=[0.0, -1.0, 0.0], log_y=True))  # nothing positive: a linear axis


@pytest.mark.parametrize("value", [0.0, -3.0, 1e12])
def test_a_constant_series_has_an_axis(value):
    markup(chart(5, y=[value] * 5))


def test_more_lines_than_fit_are_counted():
    lines = [{"x": i / 10, "label": f"line {i}"} for i in range(100)]
    drawn = markup(spectrum(20, lines=lines))
    hidden = int(re.search(r"lines without a label: (\d+)", drawn)[1])
    assert hidden + len(set(re.findall(r">(line \d+)<", drawn))) == 100


def test_more_rows_than_fit_are_counted():
    assert "the first 40 of 93 rows" in markup(intervals(93))
    assert "the first 40 of 93 rows" in markup(bars(93))


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [(-3, -2, "interval lies below"), (2, 3, "interval lies above"), (-2, 0.5, ""), (-0.1, 3, "")],
)
def test_an_interval_wholly_outside_a_band_is_told(lower, upper, said):
    row = {"label": "a", "value": (lower + upper) / 2, "lower": lower, "upper": upper}
    band = {"lower": -1.0, "upper": 1.0, "label": "what is accepted"}
    drawn = markup(intervals(1, rows=[row], band=band, reference=None))
    assert "what is accepted" in drawn
    assert re.findall("interval lies (?:below|above)", drawn) == ([said] if said else [])


def test_counts_of_a_matrix_stand_in_its_order():
    figure = declared(
        "confusion", labels=["a", "b"], panels=[{"title": "t", "counts": [[11, 12], [21, 22]]}]
    )
    assert re.findall(r">(11|12|21|22)<", markup(figure)) == ["11", "12", "21", "22"]


def test_counts_that_do_not_fit_are_left_out():
    crowded = declared(
        "confusion",
        labels=[f"class {i}" for i in range(30)],
        panels=[{"title": "t", "counts": (10**6 * np.eye(30, dtype=int)).tolist()}],
    )
    assert ">1000000<" not in markup(crowded)


def test_every_node_of_a_graph_is_drawn_inside_it():
    drawn = markup(graph(4))
    assert all(f">{c} {i}<" in drawn for c in "abc" for i in range(4))
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn).groups())
    ends = re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", drawn)
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in ends)


def test_a_graph_that_nobody_could_read_is_refused():
    with pytest.raises(ValueError, match="more than 20 nodes"):
        graph(7)
    with pytest.raises(ValueError, match="not in this order"):
        graph(2, links=[("b0", "a0")])


def test_cells_of_a_table_are_rounded_for_people():
    figure = declared(
        "table",
        columns=[{"label": "x", "unit": "m"}],
        rows=[[0.8998877], [{"value": 0.8998877, "lower": 0.83, "upper": 0.95}], [None]],
    )
    drawn = markup(figure)
    assert [">0.8999<" in drawn, ">0.90 [0.83, 0.95]<" in drawn, ">n/a<" in drawn] == [True] * 3
