from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from lumipipe.reporting.html import SHOWN_UNITS, render
from lumipipe.reporting.result import Result
from lumipipe.reporting.words import WORDS, severity, words_of
from reporting.example import example

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Text of the page without style sheets, and whether every element is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.tags = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def page():
    return render(Result.model_validate(example()))


def changed(**fields):
    """The example without its figures, which take longest, and with other `fields`."""
    return render(Result.model_validate({**example(), "sections": [], **fields}))


def test_equal_results_give_equal_bytes():
    assert changed() == changed()  # figures: test_markup.py


def test_every_element_is_closed_and_every_id_is_unique(page):
    parsed = Page(page)
    assert parsed.open == []
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_comes_from_outside_and_nothing_runs(page):
    parsed = Page(page)
    assert not {"script", "link", "img", "image", "iframe"} & {tag for tag, _ in parsed.tags}
    for _, attrs in parsed.tags:
        assert not any(name.startswith("on") for name in attrs)
        assert attrs.get("href", "#").startswith("#")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_text_is_escaped(page):
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_persons_and_recordings_are_counted_once():
    told = changed(
        extent="4 persons, 12 recordings, 3 h of data.",
        counts={"persons": 4, "recordings": 11, "windows": 12},
    )
    assert "<b>4</b> persons" not in told
    assert "<b>11</b> recordings" in told  # other recordings than those of the extent
    assert "<b>12</b> windows" in told


def test_dates_of_units_stay_on_one_line():
    unit = {"id": "a", "verdict": "full", "values": {"date": "2026-03-01", "time": 3.0}}
    assert '<td class="nowrap">2026-03-01</td>' in changed(units=[unit])


def test_the_order_of_the_page(page):
    text = " ".join(Page(page).text)
    words = WORDS
    order = [
        "Open the bearing now",
        words["supported"],
        "6 of 30 bearings",
        words["split_warning"],
        words["would_change"],
        words["against_today"],
        words["unit_of_decision"],
        words["left_out"],
        words["not_used_for"],
        words["approver"],
        words["metrics"],
        "Envelope spectrum",
        words["coverage"],
        words["units"],
        words["not_answered"],
        words["run"],
    ]
    places = [text.rindex(word) if word == words["run"] else text.index(word) for word in order[1:]]
    assert places == sorted(places)


def test_metrics_are_rounded_and_never_contradict_their_outcome(page):
    assert "0.8998877" not in page
    assert re.search(r"Interval \(95 %\)</th>", page)  # once, where it is the same for all
    assert re.search(r">0\.90</td>.*0\.83 to 0\.95<.*≥ 0\.8.*met", page)
    assert re.search(r">1\.004</td>.*0\.600 to 1\.600.*≤ 1.*not met", page)
    assert re.search(r"Delay.*n/a</td>.*not decided", page)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        ("supported", "Supported"),
        ("not_supported", "Not supported"),
        ("inconclusive", "Inconclusive"),
    ],
)
def test_the_verdict_is_a_word(verdict, word):
    assert re.search(rf'class="word">.*> {word}</p>', changed(verdict=verdict))


def test_a_split_by_unit_has_no_warning():
    split = {"kind": "unit", "sentence": "Ten bearings were kept apart."}
    assert WORDS["split_warning"] not in changed(split=split)


def test_a_random_split_without_reason_is_warned_of_too():
    split = {"kind": "random", "sentence": "At random."}
    assert WORDS["because_missing"] in changed(split=split)


def test_the_worst_units_come_first_and_the_whole_list_opens(page):
    first, _, rest = page.partition("<details>")
    ids = re.findall(r'class="id">(bearing-\d+)<', first)
    assert len(ids) == SHOWN_UNITS
    assert ids[:6] == [f"bearing-{i:02d}" for i in (1, 6, 11, 16, 21, 26)]
    assert len(re.findall(r'class="id">bearing-\d+<', rest)) == 30


def test_a_short_list_of_units_is_shown_whole():
    short = changed(units=example()["units"][: SHOWN_UNITS + 1])
    assert "<details>" not in short
    assert len(re.findall(r'class="id">bearing-', short)) == SHOWN_UNITS + 1


@pytest.mark.parametrize(
    ("lower", "upper", "word"),
    [(0.8, 0.89, "below"), (0.8, 0.95, "holds"), (0.91, 0.95, "above"), (None, None, "unknown")],
)
def test_coverage_is_compared_with_what_was_promised(lower, upper, word):
    coverage = {"nominal": 0.9, "achieved": 0.9, "lower": lower, "upper": upper}
    assert WORDS[f"coverage_{word}"] in changed(coverage=coverage)


def test_a_result_with_the_least_that_is_allowed():
    least = {
        "lumipipe_result": 1,
        "request": {
            "id": "a",
            "title": "b",
            "family": "c",
            "decision": "d",
            "unit_of_decision": "e",
            "language": "xx",  # no catalogue: the page is English, and says so
        },
        "answer": "f",
        "verdict": "inconclusive",
        "would_change": "g",
        "split": {"kind": "time", "sentence": "h"},
        "not_answered_reason": "Nothing else was asked.",
        "run": {},
    }
    page = render(Result.model_validate(least))
    assert Page(page).open == []
    assert '<html lang="en">' in page
    assert "Nothing else was asked." in page
    assert WORDS["left_out_none"] in page


def test_severity_orders_verdicts():
    assert [severity(word) for word in ("Fault", "inconclusive", "no_fault")] == [0, 1, 2]


def test_an_unknown_language_is_english():
    assert words_of("xx") == ("en", WORDS)


LEAKS = [{"name": "rows", "label": "same rows", "status": "none", "sentence": "No row has both."}]
PAGE = {
    "reader": "engineer",
    "lead": "What was seen.",
    "items": [
        {"name": "a", "label": "First", "sentence": "None here.", "is_answered": False},
        {"name": "b", "label": "Second", "sentence": "None here.", "is_answered": False},
        {"name": "c", "label": "Third", "sentence": "Not stated.", "is_answered": False},
    ],
}


def test_rules_and_leaks_stand_behind_the_pages_so_that_page_1_stays_one_sheet():
    html = changed(leakage=LEAKS, rules=["A rule"], pages=[PAGE])
    words = WORDS
    places = [html.index(word) for word in ('id="page-rest"', words["rules"], words["leakage"])]
    assert places == sorted(places)


def test_items_that_are_open_for_one_reason_stand_together():
    html = changed(pages=[PAGE])
    assert "<li><b>First; Second</b>: None here.</li>\n<li><b>Third</b>: Not stated.</li>" in html


def test_tables_and_figures_are_counted_apart_and_a_title_stands_once():
    bars = {"kind": "bars", "title": "Bars", "caption": "c", "alt": "a", "labels": ["a"]}
    bars |= {"values": [1.0], "x_label": "x"}
    table = {"kind": "table", "title": "Budget", "caption": "c", "alt": "a"}
    table |= {"columns": [{"label": "u"}], "rows": [[1.0]]}
    sections = [
        {"title": "Budget", "figures": [table, bars]},
        {"title": "More", "figures": [table]},
    ]
    html = changed(sections=sections, coverage=None)
    assert re.findall(r"<h3>((?:Table|Figure) [^<]*)</h3>", html) == [
        "Table 1",
        "Figure 1. Bars",
        "Table 2. Budget",
    ]


COMPARED = {
    "name": "majority",
    "metric": "accuracy",
    "baseline": 0.2,
    "difference": 0.7,
    "lower": 0.6,
    "upper": 0.8,
    "confidence": 0.95,
    "outcome": "better",
    "sentence": "Accuracy: 0.2 by always naming the most frequent class.",
}


@pytest.mark.parametrize(
    ("names", "is_told"), [(["majority"], True), (["stated", "majority"], False), ([], False)]
)
def test_a_model_of_nothing_is_not_taken_for_what_is_done_today(names, is_told):
    text = changed(comparisons=[COMPARED | {"name": name} for name in names])
    assert "Done today: a fixed alarm at 7.1 mm/s." in text
    assert ("no figure of it is stated" in text) == is_told
