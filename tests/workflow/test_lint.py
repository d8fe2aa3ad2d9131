"""Snakemake's own lint of the workflow, and the size limits of the house style."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
# The rules call the command line of an environment that the setting `lumipipe` names: a lock
# file on a laptop, a container on a supercomputer. The workflow must not choose between them.
ACCEPTED = {"Specify a conda environment or container for each rule."}


def test_lint_finds_nothing_but_what_is_explained(project: Project) -> None:
    done = project.run("--lint")
    assert set(re.findall(r"^ {4}\* (.*):$", done.stderr, re.MULTILINE)) == ACCEPTED, done.stderr


@pytest.mark.parametrize("verb", ["prepare", "train", "score", "report"])
def test_a_rule_is_a_verb(verb: str) -> None:
    lines = (WORKFLOW / "rules" / f"{verb}.smk").read_text().splitlines()
    assert lines[0] == f"rule {verb}:"
    assert len(lines) <= 20


def test_the_snakefile_is_short() -> None:
    assert len((WORKFLOW / "Snakefile").read_text().splitlines()) <= 40
