"""The registered plan: what is to be scored, and how, fixed before the test slice is looked at.

A plan is a canonical JSON in the folder of the run; a log that is only added to (as in
`lumipipe.pool.log`) says when each was registered, and when the slice was scored with it. What
a chain of digests cannot show: that a whole log and all scores were removed together, that its
last lines were cut off once no score names them, or that the request ran into another folder
before. Who keeps the digest of the log's last line elsewhere, as it is told, finds the first two.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.language import say, say_count
from lumipipe.pool.log import append
from lumipipe.reporting.result import Deviation, RegisteredPlan
from lumipipe.store.files import canonical_json, digest_of, write_bytes
from lumipipe.tasks.plan_log import (
    LOG,
    PLAN,
    REGISTERED,
    SCORING,
    history_of,
    is_kind,
    is_scored,
    numbers_of,
    plan_path,
    scored_before,
    stored_plan,
    traces_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

FORM = 1
STOPPING = (
    "the test slice is scored once, with all data of the request; no look at it before, and none "
    "that decides whether data are added"
)
_ABSENT = "absent"


@dataclass(frozen=True)
class Standing:
    """Where a request stands against the plan that its run is held to.

    Parameters
    ----------
    plan : RegisteredPlan
        Number and digest of the plan that holds, with what is to be told of it.
    deviations : list of Deviation
        In what the request, its data or the code differ from it.
    registered : str or None
        When it was registered; None where it is not yet.
    """

    plan: RegisteredPlan
    deviations: list[Deviation]
    registered: str | None


def plan_of(loaded: Loaded, stages: Mapping[str, Stage]) -> dict[str, Any]:
    """What is registered of a request: JSON values, the same wherever its files lie.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : mapping of str to Stage
        Its stages up to ``score``; their ingredients hold the digests of the data.

    Returns
    -------
    dict
        Question, data, split, conditions, settings, seed, stopping rule and code. Of data that
        come from people the sections that may name one are there as digests.
    """
    # Certificates that are files are told by their digests, wherever they lie.
    channels = {"__all__": {"certificate": {"file", "trust"}}}
    places: Any = {"data": {"__all__": {"channels": channels}}}
    form = loaded.request.model_dump(mode="json", exclude=places)
    question, evaluation = form["question"], form["evaluation"]
    prepared = stages["prepare"].ingredients
    sources = {
        source["id"]: {
            name: value for name, value in source.items() if name not in {"id", "source"}
        }
        for source in form["data"]
    }
    asset = loaded.asset.model_dump(mode="json")
    is_private = loaded.request.rights.personal_data != "none"
    return {
        "lumipipe_registered_plan": FORM,
        "request": form["id"],
        "question": question,
        "data": {
            name: {
                "files": prepared[f"files of {name}"],
                "declared": digest_of(declared) if is_private else declared,
            }
            for name, declared in sources.items()
        },
        "withdrawn": prepared.get("withdrawn"),
        "asset": digest_of(asset) if is_private else asset,
        "evaluation": {
            **{name: evaluation[name] for name in ("split", "metrics", "interval", "baseline")},
            "seed": evaluation["seed"],
            "plan_signed": evaluation["plan_signed"],
            "stopping_rule": evaluation["stopping_rule"] or STOPPING,
        },
        "prepare": form["prepare"],
        "train": loaded.train.model_dump(mode="json"),
        "score": loaded.score.model_dump(mode="json"),
        "rules": stages["score"].ingredients.get("rules"),
        "backend": form["compute"]["backend"],
        "code": {"lumipipe": lumipipe.__version__, "digest": prepared["code"]},
    }


def is_held(loaded: Loaded, out: Path) -> bool:
    """Whether a run is held to a plan: the request says so, or the folder has one."""
    return loaded.request.evaluation.plan_signed or (out / REGISTERED).exists()


def standing(loaded: Loaded, stages: Mapping[str, Stage], out: Path) -> Standing | None:
    """Where a request stands, as if it were scored now; None where no plan holds.

    Raises
    ------
    InputError
        If the log or a plan was changed or is gone; put back a copy.
    """
    traces = traces_of(out)
    if not is_held(loaded, out) and not traces:
        return None
    history = history_of(out, traces)
    content = plan_of(loaded, stages)
    own = _digest(content)
    numbers = {line["sha256"]: line["number"] for line in reversed(history) if is_kind(line, PLAN)}
    scored = [line["sha256"] for line in history if is_kind(line, SCORING)]
    held = scored[0] if scored else own
    number = numbers.get(held, len(numbers) + 1)
    line = next((x for x in history if is_kind(x, PLAN) and x["sha256"] == held), {})
    deviations = [] if held == own else changes(stored_plan(out, number, held), content)
    if scored_before(history, out):
        told = say("after the test slice had been scored without a plan")
        before = say("before the test slice is scored")
        deviations.insert(0, Deviation(name="registered", before=before, after=told))
    others = len(set(scored) - {held, own})
    notes = _replaced(out, history, held, content) + _others(others)
    plan = RegisteredPlan(number=number, sha256=held, notes=notes)
    return Standing(plan, deviations, line.get("time"))


def register(loaded: Loaded, stages: Mapping[str, Stage], out: Path, log: Log) -> None:
    """Register the plan of a request, unless it is registered already; tell what is new.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : mapping of str to Stage
        Its stages.
    out : Path
        Folder of the run.
    log : callable of str
        Is told the digest, and what a later plan changes.

    Raises
    ------
    InputError
        If the log or an earlier plan was changed or is gone, or cannot be written.
    """
    found = standing(loaded, stages, out)
    if found is None:
        return
    content = plan_of(loaded, stages)
    own, history = _digest(content), history_of(out, traces_of(out))
    plans = [line for line in history if is_kind(line, PLAN)]
    is_new = own not in {line["sha256"] for line in plans}
    # Going back to an earlier plan is a step of its own: the last line is the one that holds.
    if is_new or (plans[-1]["sha256"] != own and not is_scored(history)):
        number = next(
            (x["number"] for x in plans if x["sha256"] == own), len(numbers_of(plans)) + 1
        )
        folder = out / REGISTERED
        folder.mkdir(parents=True, exist_ok=True)
        if is_new:
            write_bytes(plan_path(out, number), _bytes(content))
        entry = {"kind": PLAN, "number": number, "sha256": own, "time": _now()}
        head = append(folder / LOG, {**entry, "scored_before": scored_before(history, out)})
        log(f"plan {number} is registered: sha256 {own}")
        log(f"  its log ends with {head}; who keeps that finds a log that was made anew")
        found = standing(loaded, stages, out)
    assert found is not None
    for note in found.plan.notes:
        log(f"  {note}")
    for item in found.deviations:
        log(f"deviation from plan {found.plan.number}: {item.name}: {item.before} -> {item.after}")


def begin_scoring(
    loaded: Loaded, stages: Mapping[str, Stage], out: Path, log: Log
) -> dict[str, str] | None:
    """Register the plan and note that the slice is scored with it; what the score says of that.

    Returns
    -------
    dict or None
        Digest of the plan and of the line in the log; None where no plan holds.

    Raises
    ------
    InputError
        If the log or a plan was changed or is gone, or cannot be written.
    """
    register(loaded, stages, out, log)
    if not is_held(loaded, out):
        return None
    own = _digest(plan_of(loaded, stages))
    lines = (out / REGISTERED / LOG).read_text(encoding="utf-8").splitlines()
    for line in map(json.loads, lines):
        if is_kind(line["entry"], SCORING) and line["entry"]["sha256"] == own:
            log("the test slice was scored with this plan before; the same is computed again")
            return {"sha256": own, "line": line["digest"]}
    entry = {"kind": SCORING, "sha256": own, "score": stages["score"].key, "time": _now()}
    return {"sha256": own, "line": append(out / REGISTERED / LOG, entry)}


def changes(before: Any, after: Any, name: str = "") -> list[Deviation]:
    """What differs between two plans, each place with both values.

    Examples
    --------
    >>> [d.name for d in changes({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})]
    ['a.b']
    """
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        before, after = ({str(n): item for n, item in enumerate(side)} for side in (before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted({*before, *after}):
            inner = f"{name}.{key}" if name else str(key)
            found += changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
        return found
    return [] if before == after else [_deviation(name, before, after)]


def _replaced(
    out: Path, history: list[dict[str, Any]], held: str, content: dict[str, Any]
) -> list[str]:
    """What is told of plans that were replaced before anything was scored."""
    plans: list[dict[str, Any]] = []
    for line in history:
        if is_kind(line, SCORING):
            break
        plans.append(line)
    if plans and not is_scored(history) and plans[-1]["sha256"] != held:
        plans.append({"number": len(numbers_of(plans)) + 1, "sha256": held})
    told = []
    for old, new in pairwise(plans):
        known = new["sha256"] != held or is_scored(history)
        after = stored_plan(out, new["number"], new["sha256"]) if known else content
        names = [
            item.name for item in changes(stored_plan(out, old["number"], old["sha256"]), after)
        ]
        told.append(
            say(
                "Plan {new} replaced plan {old} before anything was scored; changed: {names}.",
                new=new["number"],
                old=old["number"],
                names=", ".join(names),
            )
        )
    return told


def _others(count: int) -> list[str]:
    """What is told of plans that were scored besides."""
    if not count:
        return []
    return [
        say_count(
            "The test slice was also scored with {n} further plan.",
            "The test slice was also scored with {n} further plans.",
            n=count,
        )
    ]


def _deviation(name: str, before: Any, after: Any) -> Deviation:
    """A deviation, with its values in words."""
    return Deviation(name=name, before=_shown(before), after=_shown(after))


def _shown(value: Any) -> str:
    """A value of a plan in words."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _bytes(content: dict[str, Any]) -> bytes:
    """A plan as it is written: its SHA-256 is the plan's digest."""
    return canonical_json(content).encode() + b"\n"


def _digest(content: dict[str, Any]) -> str:
    """The SHA-256 of a plan's file."""
    return hashlib.sha256(_bytes(content)).hexdigest()


def _now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
