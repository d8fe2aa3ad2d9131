"""The plan as a file: the stages of a run, and how the workflow is to start each.

The head process of a workflow reads it and computes nothing, so nothing here needs more than
the standard library. How a plan is made is in `lumipipe.tasks.plan`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumipipe.errors import StoreError
from lumipipe.store.manifest import is_published

VERBS = ("prepare", "train", "score", "report")


@dataclass(frozen=True)
class Stage:
    """One verb of a run.

    Parameters
    ----------
    verb : str
        The verb.
    key : str
        Digest of its ingredients.
    ingredients : dict of str to str
        Name of each thing that the product depends on, to its digest.
    manifest : Path
        Where its manifest stands when it is done.
    reason : str
        Why it has to run, or ``done``.
    """

    verb: str
    key: str
    ingredients: dict[str, str]
    manifest: Path
    reason: str

    @property
    def is_done(self) -> bool:
        """Whether its product stood whole when the plan was made."""
        return self.reason == "done"


@dataclass(frozen=True)
class Start:
    """How the workflow starts one verb.

    Parameters
    ----------
    launcher : str
        Command line before that of lumipipe; empty for one rank on this machine.
    resources : dict of str to int or str
        What a scheduler is asked for, in the names of Snakemake; empty without a scheduler.
    """

    launcher: str = ""
    resources: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a run is going to do.

    Parameters
    ----------
    request, out : Path
        The request, and the folder of the run.
    title : str
        What the family of the request does.
    ranks : int
        Ranks of each step but the report.
    stages : dict of str to Stage
        The stages by verb, in order.
    starts : dict of str to Start
        How each is started.
    machine : dict, optional
        Name, folder, target and account of the machine whose scheduler runs the jobs.
    """

    request: Path
    out: Path
    title: str
    ranks: int
    stages: dict[str, Stage]
    starts: dict[str, Start]
    machine: dict[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """The plan as the workflow reads it."""
        return {
            "request": str(self.request),
            "out": str(self.out),
            "title": self.title,
            "ranks": self.ranks,
            "machine": self.machine,
            "stages": {verb: self._entry(verb) for verb in self.stages},
        }

    def _entry(self, verb: str) -> dict[str, Any]:
        """One stage as the workflow reads it."""
        stage, start = self.stages[verb], self.starts[verb]
        return {
            "key": stage.key,
            "manifest": str(stage.manifest),
            "reason": stage.reason,
            "launcher": start.launcher,
            "resources": start.resources,
            "ingredients": stage.ingredients,
        }


def plan_from_json(content: dict[str, Any]) -> Plan:
    """The plan that `Plan.as_json` gave."""
    stages, starts = {}, {}
    for verb, entry in content["stages"].items():
        parts = entry["key"], entry["ingredients"], Path(entry["manifest"]), entry["reason"]
        stages[verb] = Stage(verb, *parts)
        starts[verb] = Start(entry["launcher"], entry["resources"])
    return Plan(
        Path(content["request"]),
        Path(content["out"]),
        content["title"],
        content["ranks"],
        stages,
        starts,
        content["machine"],
    )


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Parameters
    ----------
    path : Path
        What `lumipipe plan` printed.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    StoreError
        If the file is not there or is no plan; make it again.
    """
    try:
        return plan_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(
            str(path), f"is no plan ({error})", "make it with lumipipe plan"
        ) from error


def drop_damaged(stages: dict[str, Stage]) -> None:
    """Remove the manifests of damaged products, so that the workflow makes them again."""
    for stage in stages.values():
        if not stage.is_done and stage.manifest.exists() and not is_published(stage.manifest):
            stage.manifest.unlink()
