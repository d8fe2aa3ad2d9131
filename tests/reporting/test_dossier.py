"""The dossier of a model: whole or refused, and filled by the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from command import call
from lumipipe.reporting.dossier import MANDATORY, Dossier, dossier, render_dossier
from small_requests import recipe

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = {
    number: dict.fromkeys(labels, f"words of item {number}")
    for number, (_, labels) in MANDATORY.items()
}


def test_a_whole_dossier_is_written_in_the_order_of_annex_iv() -> None:
    made = dossier("r1", "A title", WHOLE)
    assert [chapter.number for chapter in made.chapters] == list(range(1, 10))
    page = render_dossier(made)
    assert page == render_dossier(made)
    assert all(title in page for title, _ in MANDATORY.values())


@pytest.mark.parametrize(
    ("number", "label"),
    [(number, label) for number, (_, labels) in MANDATORY.items() for label in labels],
)
def test_an_empty_mandatory_statement_is_refused(number: int, label: str) -> None:
    entries = {n: dict(statements) for n, statements in WHOLE.items()}
    entries[number][label] = ""
    with pytest.raises(ValidationError):
        dossier("r1", "A title", entries)
    content = dossier("r1", "A title", WHOLE).model_dump()
    chapter = content["chapters"][number - 1]
    chapter["entries"] = [entry for entry in chapter["entries"] if entry["label"] != label]
    with pytest.raises(ValidationError, match=f"{label} is missing|at least 1 item"):
        Dossier.model_validate(content)


def test_what_people_write_is_escaped() -> None:
    entries = {n: dict(statements) for n, statements in WHOLE.items()}
    entries[1]["provider"] = "<script>alert(1)</script>"
    assert "<script>" not in render_dossier(dossier("r1", "A title", entries))


@pytest.mark.slow
def test_a_run_writes_the_dossier(tmp_path: Path) -> None:
    words = {"oversight": "An engineer reads each answer."}
    request, out = recipe(tmp_path, dossier=words), tmp_path / "out"
    for verb in ("prepare", "train", "score", "report"):
        said = call(verb, request, "--out", out)
        assert said.code == 0, said
    made = Dossier.model_validate(json.loads((out / "dossier.json").read_text(encoding="utf-8")))
    found = {(c.number, e.label): e.text for c in made.chapters for e in c.entries}
    assert found[2, "human oversight"] == "An engineer reads each answer."
    assert found[5, "risk management of the provider"].startswith("Left to the provider")
    assert "same mix on both sides: none" in found[2, "leakage tests"]
    assert "mixes: 1 of" not in found[2, "data"]
    assert "mixes.csv" in found[2, "data"]
    assert "strength: pressure in MPa" in found[3, "input specification"]
    assert "declares no conformity" in found[8, "declaration"]
    assert (out / "dossier.html").read_text(encoding="utf-8") == render_dossier(made)
