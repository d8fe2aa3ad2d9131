"""A table of limits on its way from the request to the judgement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from command import call
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.families.monitoring import Monitoring, Score
from lumipipe.rules.tables import DATA, citation
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from running import answer
from small_requests import line_of, monitoring

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.families.interface import Job, Model, Outcome
    from lumipipe.fold import Leaves


class Limited(Score):
    """Settings of a family whose verdict rests on limits."""

    rules: str = "pems"
    """Table of limits."""


class WithLimits(Monitoring):
    """A family that cites a limit."""

    score_section = Limited

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """The answer with the citation behind it."""
        outcome = super().judge(job, model, leaves)
        assert job.rules is not None
        cited = citation(job.rules.find(quantity="correlation"))
        return replace(outcome, result=outcome.result.model_copy(update={"would_change": cited}))


@pytest.fixture(autouse=True)
def _family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "monitoring", WithLimits())


def own_table(folder: Path, least: float) -> None:
    """The shipped table, beside the request and with another limit."""
    text = (DATA / "pems.yaml").read_text(encoding="utf-8")
    (folder / "own.yaml").write_text(text.replace("least: 0.8", f"least: {least}"), "utf-8")


def test_a_family_judges_by_the_table_that_the_request_names(tmp_path: Path) -> None:
    own_table(tmp_path, 0.5)
    shipped = answer(monitoring(tmp_path), tmp_path / "shipped").result
    own = answer(monitoring(tmp_path, score={"rules": "own.yaml"}), tmp_path / "own").result
    assert "least 0.8" in shipped.would_change
    assert "least 0.5" in own.would_change
    assert own.would_change.endswith("limits not verified")


def test_changed_limits_score_again_and_train_nothing(tmp_path: Path) -> None:
    def keys() -> dict[str, str]:
        stages = plan_run(load_request(request), tmp_path / "out", lambda _: None)
        return {verb: stage.key for verb, stage in stages.items()}

    own_table(tmp_path, 0.5)
    request = monitoring(tmp_path, score={"rules": "own.yaml"})
    before = keys()
    own_table(tmp_path, 0.6)
    changed = {verb for verb, key in keys().items() if key != before[verb]}
    assert changed == {"score", "report"}


@pytest.mark.parametrize(
    ("rules", "problem"), [("pens", "no table pens"), ("own.yaml", "rules.0.limits.least")]
)
def test_a_wrong_table_is_one_line(tmp_path: Path, rules: str, problem: str) -> None:
    text = (DATA / "pems.yaml").read_text(encoding="utf-8")
    table = tmp_path / "own.yaml"
    table.write_text(text.replace("limits: {least: 0.8}", "limits: {least: [0.8]}"), "utf-8")
    request = monitoring(tmp_path, score={"rules": rules})
    with pytest.raises(InputError) as error:
        load_request(request)
    file, begins = (request, "rules:") if rules == "pens" else (table, "limits: {least:")
    assert f"{file.name}:{line_of(file, begins)}: {problem}" in str(error.value)


def test_a_family_without_the_key_has_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAMILIES, "monitoring", Monitoring())
    said = call("request", "check", monitoring(tmp_path, score={"rules": "pems"}))
    assert said.code == 2
    assert "unknown key score.rules" in said.err
