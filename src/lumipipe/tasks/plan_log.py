"""The folder of registered plans: each as a file, and their log, compared with their digests.

What is registered, and what is told of it, is in `lumipipe.tasks.registered`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.pool.log import entries
from lumipipe.store.files import digest_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGISTERED = "registered"
"""Folder of plans and their log in that of the run."""
LOG = "log.jsonl"
PLAN, SCORING = "plan", "scoring"
"""Kinds of lines of the log."""
_ELSEWHERE = "put back a copy of the folder, or run into another folder"


def verify_registered(out: Path) -> list[dict[str, Any]]:
    """The lines of a run's log, after each plan was compared with its digest.

    Raises
    ------
    InputError
        At the first line or plan that is not as it was written.
    """
    history = entries(out / REGISTERED / LOG)
    for line in history:
        if is_kind(line, PLAN):
            stored_plan(out, line["number"], line["sha256"])
    return history


def history_of(out: Path, traces: dict[Path, dict[str, str]]) -> list[dict[str, Any]]:
    """The lines of the log; every score that names a line must find it there."""
    path = out / REGISTERED / LOG
    history = verify_registered(out) if path.exists() else []
    if not path.exists() and (out / REGISTERED).exists() and any((out / REGISTERED).iterdir()):
        raise InputError(str(path), "the log of registered plans is gone", _ELSEWHERE)
    text = path.read_text(encoding="utf-8") if history else ""
    for score, said in traces.items():
        if f'"digest": "{said["line"]}"' not in text:
            problem = f"the log of registered plans is gone or was cut: {score.name} was scored"
            raise InputError(str(path), f"{problem} by a line that is not in it", _ELSEWHERE)
    return history


def traces_of(out: Path) -> dict[Path, dict[str, str]]:
    """Scores of a run that say by which line of the log they were made."""
    found = {}
    for path in sorted((out / "score").glob("*.json")):
        with suppress(OSError, ValueError, KeyError):  # a damaged manifest is told of elsewhere
            if said := json.loads(path.read_text(encoding="utf-8"))["run"].get("plan"):
                found[path] = said
    return found


def scored_before(history: list[dict[str, Any]], out: Path) -> list[str]:
    """Keys of what had been scored when the first plan was registered, or would be now."""
    if history:
        return list(history[0]["scored_before"])
    return sorted(path.stem for path in (out / "score").glob("*.json"))


def stored_plan(out: Path, number: int, sha256: str) -> dict[str, Any]:
    """A registered plan, compared with its digest."""
    path = plan_path(out, number)
    if not path.is_file():
        raise InputError(str(path), "this registered plan is gone", _ELSEWHERE)
    if digest_file(path) != sha256:
        problem = "this registered plan was changed after it was registered"
        raise InputError(str(path), problem, _ELSEWHERE)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def is_kind(line: Mapping[str, Any], kind: str) -> bool:
    """Whether a line of the log is of a kind."""
    return bool(line["kind"] == kind)


def is_scored(history: list[dict[str, Any]]) -> bool:
    """Whether the slice was scored."""
    return any(is_kind(line, SCORING) for line in history)


def numbers_of(plans: list[dict[str, Any]]) -> set[int]:
    """Numbers of plans."""
    return {line["number"] for line in plans}


def plan_path(out: Path, number: int) -> Path:
    """The file of a plan."""
    return out / REGISTERED / f"plan-{number}.json"
