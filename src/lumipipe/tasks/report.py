"""The verb ``report``: ``result.json``, and the outputs that the request asks for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lumipipe.families.interface import asked
from lumipipe.families.page_one import compared_with_today
from lumipipe.language import FINDING, say, speaking, translated
from lumipipe.reporting.result import LeftOut, Result, Run
from lumipipe.reporting.result import Stage as StageRecord
from lumipipe.store.files import write_json
from lumipipe.store.manifest import publishing, read_manifest
from lumipipe.tasks.again import pages_with_crate
from lumipipe.tasks.contents import content_digest
from lumipipe.tasks.cost import cost_of_run
from lumipipe.tasks.deciding import terms_of_use
from lumipipe.tasks.declared import declared_section, left_outside
from lumipipe.tasks.outputs import Making, make_outputs
from lumipipe.tasks.registered import standing
from lumipipe.tasks.shown import REQUEST, RESULT, show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.backend import Backend
    from lumipipe.comm import Comm
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]


def report(loaded: Loaded, stages: dict[str, Stage], comm: Comm, backend: Backend, log: Log) -> int:
    """Write the report and publish it, with the result, in the folder of the run.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : dict of str to Stage
        The plan.
    comm : Comm
        The ranks; the first does the work.
    backend : Backend
        Where it is computed.
    log : callable of str
        Progress.

    Returns
    -------
    int
        0.

    Raises
    ------
    StoreError
        If the scores are not there or are damaged.
    """
    del backend
    if comm.rank:
        return 0
    stage = stages["report"]
    scored = read_manifest(stages["score"].manifest)
    out = stage.manifest.parent.parent
    record = {"ingredients": stage.ingredients}
    with (
        speaking(loaded.request.language),
        publishing(stage.manifest, stage.manifest.with_suffix(""), record, log=log) as staging,
    ):
        result = _result(loaded, stages, scored.product / RESULT, out)
        write_json(staging / RESULT, result.model_dump(mode="json"))
        shutil.copyfile(loaded.file.path, staging / REQUEST)
        making = Making(loaded, stages, result, scored.product, staging, log)
        make_outputs(making)
        # Before the manifest: once that stands, what people see is what it vouches for.
        _retire_others(stage)
        show(staging, out)
    with speaking(loaded.request.language):
        make_outputs(replace(making, folder=out), late=True)
    return 0


def _retire_others(stage: Stage) -> None:
    """Remove reports of other requests into this folder, so that they do not count as done."""
    for other in stage.manifest.parent.glob("*.json"):
        if other != stage.manifest:
            other.unlink()
            shutil.rmtree(other.with_suffix(""), ignore_errors=True)


def _result(loaded: Loaded, stages: dict[str, Stage], path: Path, out: Path) -> Result:
    """The scored result with the request's words, what was left out, and the run's record."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    scored = Result.model_validate(content)
    prepared = read_manifest(stages["prepare"].manifest)
    left_out = [
        LeftOut(
            what=item.get("id") or item["file"],
            reason=translated(item["reason"], FINDING),
            is_recording=True,
        )
        for item in prepared.record["left_out"]
    ]
    left_out += [
        LeftOut(
            what=say("the damaged part of {id}", id=item["id"]),
            reason=say("salvaged: {reason}", reason=translated(item["reason"], FINDING)),
        )
        for item in prepared.record.get("salvaged", [])
    ]
    left_out += left_outside(prepared.record)
    plan = standing(loaded, stages, out)
    run = {
        "cost": cost_of_run(out),
        "content_digest": content_digest(loaded.file.path, stages, plan),
        "plan_registered": plan and plan.registered,
    }
    return scored.model_copy(
        update={
            "request": asked(loaded.request),
            **compared_with_today(
                loaded.request, scored, loaded.family.metrics(loaded.train, loaded.score)
            ),
            "pages": pages_with_crate(loaded.request, scored.pages),
            "left_out": [*left_out, *scored.left_out],
            "sections": [*scored.sections, declared_section(loaded.request, prepared.record)],
            "terms": terms_of_use(loaded),
            "plan": plan and plan.plan,
            "deviations": plan.deviations if plan else [],
            "run": _run(stages).model_copy(update=run),
        }
    )


def _run(stages: dict[str, Stage]) -> Run:
    """The record of how the stages ran."""
    records: list[StageRecord] = []
    digests: dict[str, str] = {}
    run: dict[str, Any] = {}
    for verb in ("prepare", "train", "score"):
        manifest = read_manifest(stages[verb].manifest)
        run = run | manifest.run
        digests[f"product of {verb}"] = manifest.digest
        times = {name: manifest.run[name] for name in ("seconds", "parts")}
        records.append(StageRecord(name=verb, **times))
    for source, files in read_manifest(stages["prepare"].manifest).record["inputs"].items():
        digests |= {f"{source}: {name}": digest for name, digest in files.items()}
    return Run(
        backend=run.get("backend"),
        device=run.get("device"),
        ranks=run.get("ranks"),
        versions=run.get("versions", {}),
        digests=digests,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        stages=records,
    )
