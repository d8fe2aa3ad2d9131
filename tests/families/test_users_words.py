"""Words of the user are never translated, however much they look like words of programs."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.language import speaking, translated
from lumipipe.reporting.html import render
from lumipipe.reporting.result import Result
from reporting.example import example
from running import answer
from small_requests import activity, bearing, recipe, technique

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = {"swing": "normal", "shake": "not supported"}


def _in_finnish(request: Path, folder: Path, words: dict[str, str]) -> list[str]:
    """The texts of a report in Finnish, after words of the request and of its files changed."""
    text = request.read_text(encoding="utf-8")
    for old, new in words.items():
        text = re.sub(rf"\b{old}\b", new, text)
    request.write_text(f"{text}\nlanguage: fi\n", encoding="utf-8")
    page = render(answer(request, folder / "out").result)
    body = re.sub(r"<style.*?</style>|<desc.*?</desc>", "", page, flags=re.DOTALL)
    return [html.unescape(text) for text in re.split(r"<[^>]+>", body)]


@pytest.mark.parametrize("word", ["normal", "unclear", "total", "time", "source"])
def test_these_words_would_be_translated(word: str) -> None:
    with speaking("fi"):
        assert translated(word) != word
        assert translated(word, among=("unit",)) == word


def test_classes_that_are_called_like_verdicts(tmp_path: Path) -> None:
    request = activity(tmp_path)
    form = request.read_text(encoding="utf-8").replace("[a-z]+", "[a-z ]+")
    request.write_text(form, encoding="utf-8")
    for file in (tmp_path / "raw").iterdir():
        old = next(name for name in CLASSES if name in file.name)
        file.rename(file.with_name(file.name.replace(old, CLASSES[old])))
    texts = _in_finnish(request, tmp_path, {})
    for name in CLASSES.values():
        assert texts.count(name) > 3
    assert not {"normaali", "ei saa tukea"} & set(texts)
    assert "oikein" in texts


def test_materials_that_are_called_like_figures_of_a_result(tmp_path: Path) -> None:
    texts = _in_finnish(_renamed(recipe(tmp_path), "cement", "coverage"), tmp_path, {})
    assert "coverage" in texts
    assert "kattavuus" not in texts


def test_a_label_that_is_called_like_a_kind_of_split(tmp_path: Path) -> None:
    texts = _in_finnish(bearing(tmp_path), tmp_path, {"diameter": "load"})
    assert any("load" in text for text in texts)
    assert not any(re.search(r"\bkuormitus\b", text) for text in texts)


def test_sides_that_are_called_like_names_of_programs(tmp_path: Path) -> None:
    request = _renamed(technique(tmp_path), "left", "reference")
    texts = _in_finnish(request, tmp_path, {})
    told = [text for text in texts if "reference" in text]
    assert told
    with speaking("fi"):
        assert not any(translated("reference") in text for text in texts)


def _renamed(request: Path, old: str, new: str) -> Path:
    """A request of which a channel, and its column, are called otherwise."""
    for file in (request, *(request.parent / "raw").iterdir()):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(rf"\b{old}\b", new, text), encoding="utf-8")
    return request


@pytest.mark.parametrize(("is_total", "shown"), [(True, "yhteensä"), (False, "total")])
def test_a_unit_that_is_called_like_the_sum_of_all(*, is_total: bool, shown: str) -> None:
    content: dict[str, Any] = example()
    content["request"]["language"] = "fi"
    values = {"coverage": 1.0, "time": 2.0}
    unit = {"id": "total", "verdict": "normal", "values": values, "users_names": ["time"]}
    content["units"] = [unit | {"is_total": is_total}]
    page = render(Result.model_validate(content))
    assert f'class="id">{shown}<' in page
    assert ">time</th>" in page
    assert ">kattavuus</th>" in page
