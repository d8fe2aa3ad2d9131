"""How a verb ended, from the last line of its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.tasks.workflow import first_failure, last_exit, log_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "end", "failure"),
    [
        ("reading\n", (None, ""), None),
        ("exit 0: train\n", (0, ""), None),
        ("exit 3: train\n", (3, ""), None),
        ("exit 2: a.csv:3: no\nexit 0: train\n", (0, ""), None),
        ("exit 2: a.csv:3: no\n", (2, "a.csv:3: no"), ("train", 2, "a.csv:3: no")),
        ("exit 1: \n", (1, ""), ("train", 1, "")),
    ],
)
def test_the_last_line_counts(
    tmp_path: Path,
    text: str,
    end: tuple[int | None, str],
    failure: tuple[str, int, str] | None,
) -> None:
    log = log_path(tmp_path, "train")
    assert last_exit(log) == (None, "")
    log.parent.mkdir()
    log.write_text(text, encoding="utf-8")
    assert last_exit(log) == end
    assert first_failure(tmp_path) == failure
