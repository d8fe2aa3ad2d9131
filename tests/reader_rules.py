"""What each reader must find on their page and must never find: the lists of the form, as checks.

Each check gives sentences about what is wrong; none is wrong where it gives none.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from lumipipe.families.pages.items import ITEMS
from lumipipe.reporting.parts import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lumipipe.reporting.result import PageItem, Reader, ReaderPage, Result, Section

_EXAMPLES = ("hit", "miss", "false alarm")
_NO_HEALTH = "is no statement about health"
_HEALTH = re.compile(
    r"\b(healthy|health|ill(ness)?|sick|injur\w+|overtrain\w+|diagnos\w+|disease)\b", re.IGNORECASE
)
_MAP = re.compile(r"\b(latitude|longitude|map|route|position)\b", re.IGNORECASE)
_RANKING = re.compile(r"\b(rank|ranking|league|best (person|athlete|player))\b", re.IGNORECASE)
_ACCURACY = re.compile(r"\baccuracy\s*(is|of|:)?\s*\d+([.,]\d+)?\s*%", re.IGNORECASE)
_CERTIFIED = re.compile(r"\b(certified|PASS)\b")
_FACTOR = re.compile(r"k = \d+\.\d\d for a coverage probability of \d+%")
_VALUE_AND_U = re.compile(r"(\S+?)(?: \S+)?, u = ([\d.,]+)")


def page_of(result: Result, reader: Reader) -> ReaderPage:
    """The page of a reader."""
    return next(page for page in result.pages if page.reader == reader)


def sections_of(result: Result, reader: Reader) -> list[Section]:
    """Sections that stand on a reader's page."""
    return [section for section in result.sections if section.reader == reader]


def texts_of(result: Result, reader: Reader) -> list[str]:
    """All that a page says in words, cells of tables and labels of axes included."""
    page = page_of(result, reader)
    told = [page.lead, *(item.label for item in page.items)]
    told += [item.sentence for item in page.items]
    for section in sections_of(result, reader):
        told += [section.title, *section.paragraphs]
        for figure in section.figures:
            told += list(_strings(figure.model_dump(mode="json")))
    return told


def _strings(value: Any) -> Iterable[str]:
    """All strings in JSON values."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if _is_list(value) else ():
        yield from _strings(part)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _items(result: Result, reader: Reader) -> dict[str, PageItem]:
    return {item.name: item for item in page_of(result, reader).items}


def _tables(result: Result, reader: Reader, title: str) -> list[Any]:
    """Tables of a page whose title has these words."""
    return [
        figure
        for section in sections_of(result, reader)
        for figure in section.figures
        if figure.kind == "table" and title in figure.title
    ]


def _figures(result: Result, reader: Reader) -> list[Any]:
    """Figures of a page."""
    return [figure for section in sections_of(result, reader) for figure in section.figures]


# -- must find ---------------------------------------------------------------------------------


def missing(result: Result, reader: Reader, tables: dict[str, list[str]]) -> list[str]:
    """What the reader must find and does not; `tables` are the columns of each table handed back.

    An item that does not apply counts as found where the page says why.
    """
    page = page_of(result, reader)
    names = [item.name for item in page.items]
    if names != list(ITEMS[reader]):
        return [f"items are {names}"]
    found = [
        f"{item.name} says nothing: {item.sentence!r}"
        for item in page.items
        if len(item.sentence) < _SENTENCE or item.sentence.rstrip()[-1] not in ".)"
    ]
    found += [wrong for rule in _MUST[reader] for wrong in rule(result)]
    return found + (_handed_back(result, tables) if reader == "engineer" else [])


_SENTENCE = 12  # characters that say nothing


def _examples(result: Result) -> list[str]:
    item = _items(result, "engineer")["examples"]
    drawn = " ".join(f.title.lower() for f in _figures(result, "engineer") if f.kind == "chart")
    return [
        f"no raw example of a {kind}"
        for kind in _EXAMPLES
        if item.is_answered
        and f"no {kind} occurred" not in item.sentence.lower()
        and f"{kind}: " not in drawn
    ]


def _rates(result: Result) -> list[str]:
    tables = [
        table for name in ("False alarms", "falsely") for table in _tables(result, "engineer", name)
    ]
    cells = [cell for table in tables for row in table.rows for cell in row]
    has_one = any(isinstance(cell, Interval) and cell.upper is not None for cell in cells)
    is_told = not _items(result, "engineer")["rates"].is_answered or has_one
    return [] if is_told else ["no rate with an interval"]


def _univariate_check(result: Result) -> list[str]:
    found = []
    for section in sections_of(result, "engineer"):
        panels = [p for f in section.figures if f.kind == "chart" for p in f.stacked()]
        checks = [f for f in section.figures if f.kind == "bars" and f.second is not None]
        if any(panel.alarms for panel in panels) and not checks:
            found.append(f"{section.title}: alarms without the univariate check")
    return found


def _channels_behind(result: Result) -> list[str]:
    if result.request.family not in {"activity", "technique"}:
        return []
    drawn = {f.title for f in _figures(result, "engineer") if f.kind == "bars" and f.second}
    examples = [f for f in _figures(result, "engineer") if f.kind == "chart"]
    return [
        f"no channels behind the {kind}"
        for kind in _EXAMPLES
        if any(f.title.lower().startswith(f"{kind}: ") for f in examples)
        and not any(title.lower().startswith(f"{kind}: channels") for title in drawn)
    ]


def _frequencies(result: Result) -> list[str]:
    rows = [row for table in _tables(result, "engineer", "Frequencies") for row in table.rows]
    is_told = bool(rows) and all(isinstance(row[2], Interval) and row[3] for row in rows)
    if result.request.family != "bearing" or is_told:
        return []
    return ["no expected and found frequencies with tolerance"]


def _limits(result: Result) -> list[str]:
    sentence = _items(result, "engineer")["limits"].sentence
    is_told = "checked" in sentence or "verified" in sentence
    return [] if is_told else ["nobody says who checked the limits"]


def _rerun(result: Result) -> list[str]:
    is_told = "lumipipe run" in _items(result, "engineer")["rerun"].sentence
    return [] if is_told else ["no command to run it again"]


def _handed_back(result: Result, tables: dict[str, list[str]]) -> list[str]:
    rows = [row for table in _tables(result, "engineer", "hand back") for row in table.rows]
    told = {row[0]: row[2].split("; ") for row in rows}
    return [
        f"table {name} is not handed back with its columns"
        for name, columns in tables.items()
        if told.get(f"tables/{name}.parquet") != columns
    ]


def _no_statement_about_health(result: Result) -> list[str]:
    is_told = _NO_HEALTH in page_of(result, "coach").lead
    return [] if is_told else ["the page does not say that it is no statement about health"]


def _budget(result: Result) -> list[str]:
    budgets = _tables(result, "metrologist", "Uncertainty budget")
    if not budgets:
        is_told = not _items(result, "metrologist")["budget"].is_answered
        return [] if is_told else ["no budget table"]
    return [
        f"{table.title}: {row[0]} is of no type"
        for table in budgets
        for row in table.rows
        if row[0] != "combined" and row[1][:3] not in {"A, ", "B, "}
    ]


def _factor(result: Result) -> list[str]:
    item = _items(result, "metrologist")["coverage_factor"]
    is_told = not item.is_answered or _FACTOR.search(item.sentence)
    return [] if is_told else ["no k with its coverage probability"]


def _certificates(result: Result) -> list[str]:
    has_table = bool(_tables(result, "metrologist", "certificate"))
    drawn = [figure for figure in _figures(result, "metrologist") if figure.kind == "graph"]
    found = [] if has_table else ["no table that leads to certificates"]
    return found if drawn else [*found, "no graph of what the result rests on"]


def _draws(result: Result) -> list[str]:
    item = _items(result, "metrologist")["monte_carlo"]
    is_told = "draws" in item.sentence and "differ by" in item.sentence
    return [] if is_told or not item.is_answered else ["no settings of the draws, or no agreement"]


def _substitutes(result: Result) -> list[str]:
    is_told = "Substitute data" in _items(result, "authority")["capture"].sentence
    return [] if is_told else ["nothing is said of substitute data"]


_MUST: dict[Reader, tuple[Callable[[Result], list[str]], ...]] = {
    "engineer": (
        _examples,
        _rates,
        _univariate_check,
        _channels_behind,
        _frequencies,
        _limits,
        _rerun,
    ),
    "coach": (_no_statement_about_health,),
    "metrologist": (_budget, _factor, _certificates, _draws),
    "authority": (_substitutes,),
}


# -- must never find ---------------------------------------------------------------------------


def never(result: Result, reader: Reader, gone: Iterable[str] = ()) -> list[str]:
    """What the reader must never find and does; `gone` are pseudonyms of who withdrew."""
    whole = json.dumps(result.model_dump(mode="json"))
    found = [f"{name} withdrew" for name in gone if name in whole]
    return found + [wrong for rule in _NEVER[reader] for wrong in rule(result)]


def _f1_alone(result: Result) -> list[str]:
    has_rates = _items(result, "engineer")["rates"].is_answered
    return [
        f"F1 alone: {text}"
        for text in texts_of(result, "engineer")
        if re.search(r"\bF1\b", text) and not (has_rates or "false" in text.lower())
    ]


def _alarm_without_channel(result: Result) -> list[str]:
    found = []
    for figure in _figures(result, "engineer"):
        if figure.kind != "chart" or not figure.title.lower().startswith(_EXAMPLES):
            continue
        leader = re.search(r"(?:Leading channel|drawn from the first): (.+)\.$", figure.caption)
        if leader is None or not figure.stacked()[0].y_label.startswith(leader[1]):
            found.append(f"{figure.title}: an alarm without the channel")
    return found


def _verdict_outside(result: Result) -> list[str]:
    return [
        f"{unit.id}: a verdict outside the trained range"
        for unit in result.units
        if "outside the" in unit.verdict
        and any(isinstance(v, Interval) and v.lower is not None for v in unit.values.values())
    ]


def _health_claim(result: Result) -> list[str]:
    texts = texts_of(result, "coach")
    return [f"a health claim: {t}" for t in texts if _HEALTH.search(t.replace(_NO_HEALTH, ""))]


def _a_map(result: Result) -> list[str]:
    return [f"a map: {text}" for text in texts_of(result, "coach") if _MAP.search(text)]


def _ranked(result: Result) -> list[str]:
    found = []
    for figure in (one for one in _figures(result, "coach") if one.kind == "table"):
        labels = [column.label for column in figure.columns]
        if any(_RANKING.search(label) for label in (*labels, figure.title)):
            found.append(f"{figure.title}: persons are ranked")
        place = labels.index("person") if "person" in labels else None
        persons = [] if place is None else [str(row[place]) for row in figure.rows]
        if persons != sorted(persons):
            found.append(f"{figure.title}: persons are not in the order of names")
    return found


def _accuracy(result: Result) -> list[str]:
    return [f"accuracy: {t}" for t in texts_of(result, "metrologist") if _ACCURACY.search(t)]


def _budgets(result: Result) -> list[Any]:
    """Budgets with a combined uncertainty."""
    tables = _tables(result, "metrologist", "Uncertainty budget")
    return [table for table in tables if table.rows[-1][0] == "combined"]


def _root_of_n_alone(result: Result) -> list[str]:
    return [
        f"{table.title}: a mean with only the root of n"
        for table in _budgets(result)
        if not {"shared", "–"} & {row[6] for row in table.rows[:-1]}
    ]


def _not_all_sources(result: Result) -> list[str]:
    found = []
    for table in _budgets(result):
        known = [float(row[4]) for row in table.rows[:-1] if row[4] is not None]
        whole = table.rows[-1][4]
        # Each is rounded to two digits: off by half of its second digit, a twentieth at most.
        off = math.sqrt(sum((0.05 * value) ** 2 for value in known)) + 0.05 * whole
        if abs(math.sqrt(sum(v * v for v in known)) - whole) > off:
            found.append(f"{table.title}: the combined u is not that of all sources")
    return found


def _digits_beyond_u(result: Result) -> list[str]:
    found = [
        f"{table.title}: {cell} has more digits than an uncertainty"
        for table in _budgets(result)
        for row in table.rows
        for cell in row[3:5]
        if isinstance(cell, float) and float(f"{cell:.2g}") != cell
    ]
    sentence = _items(result, "metrologist")["budget"].sentence
    return found + [
        f"{value} has digits beyond u = {u}"
        for value, u in _VALUE_AND_U.findall(sentence)
        if _decimals(value) > _decimals(u)
    ]


def _decimals(number: str) -> int:
    """Digits behind the point."""
    return len(number.partition(".")[2].rstrip(","))


def _filled_gaps(result: Result) -> list[str]:
    capture = _items(result, "authority")["capture"].sentence
    return [] if "no gap was filled" in capture else [f"gaps may be filled silently: {capture}"]


def _certificate_from_random(result: Result) -> list[str]:
    if result.split.kind != "random":
        return []
    texts = texts_of(result, "authority")
    found = [f"a certificate claim: {text}" for text in texts if _CERTIFIED.search(text)]
    if "certify nothing" not in _items(result, "authority")["statistics"].sentence:
        found.append("figures of a random split without a word on it")
    return found


def _outside_mixed_in(result: Result) -> list[str]:
    if result.request.family != "emission":
        return []
    found = []
    counted = next(metric.count for metric in result.metrics if metric.name == "r")
    if counted is None or counted > result.counts["valid"]:
        found.append("values outside the envelope are mixed in")
    if "outside the envelope is in none" not in _items(result, "authority")["envelope"].sentence:
        found.append("nothing is said of values outside the envelope")
    return found


_NEVER: dict[Reader, tuple[Callable[[Result], list[str]], ...]] = {
    "engineer": (_f1_alone, _alarm_without_channel, _verdict_outside),
    "coach": (_health_claim, _a_map, _ranked),
    "metrologist": (_accuracy, _root_of_n_alone, _not_all_sources, _digits_beyond_u),
    "authority": (_filled_gaps, _certificate_from_random, _outside_mixed_in),
}
