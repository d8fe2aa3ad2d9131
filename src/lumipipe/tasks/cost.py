"""Quote and bill of a run side by side, from what lies in its folder, for the report.

``quote.json`` was written before the start (`lumipipe.tasks.quote`), ``accounting.json`` by the
head process when the jobs had ended (`lumipipe.scheduler.accounting`). The command that writes
reports may live in a container without Slurm, so it only reads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lumipipe.language import say
from lumipipe.machine.billing import Units, billed, gigabytes
from lumipipe.reporting.cost import Cost, StageCost
from lumipipe.tasks.quoting.ceiling import NAMES
from lumipipe.tasks.quoting.price import VERBS, read_quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.machine.partitions import Partition
    from lumipipe.tasks.quoting.price import Quote

ACCOUNTING = "accounting.json"
_HEAD = "head"


def cost_of_run(out: Path) -> Cost | None:
    """What a run was quoted and billed.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Cost or None
        None where no scheduler ran it.
    """
    quote, jobs = read_quote(out), _accounted(out)
    if quote is None or quote.machine is None:
        return None
    stages = [_stage(quote, verb, jobs.get(verb, [])) for verb in VERBS]
    return Cost(
        machine=quote.machine,
        stages=stages,
        ceiling={NAMES[unit]: value for unit, value in quote.ceiling.items()},
        storage={NAMES["tb_h"]: quote.storage.tb_h} if quote.storage.tb_h else {},
        kept_days=quote.storage.kept_days,
        notes=_notes(jobs),
    )


def _accounted(out: Path) -> dict[str, list[dict[str, Any]]]:
    """The jobs of each stage as the scheduler accounted for them; empty where it was not asked."""
    try:
        content = json.loads((out / ACCOUNTING).read_text(encoding="utf-8"))
        return dict(content["jobs"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _stage(quote: Quote, verb: str, jobs: Sequence[Mapping[str, Any]]) -> StageCost:
    """Quote and bill of one stage."""
    stage = next((one for one in quote.stages if one.verb == verb), None)
    had = [job.get("allocation") for job in jobs]
    known = [allocation for allocation in had if allocation is not None]
    is_measured = bool(had) and len(known) == len(had)
    units = [_billed(quote.partitions, allocation) for allocation in known]
    priced = [one for one in units if one is not None]
    return StageCost(
        name=verb,
        quoted_seconds=stage.seconds if stage else None,
        billed_seconds=sum(one["seconds"] for one in known) if is_measured else None,
        quoted=_named(Units(stage.gpu_h, stage.core_h)) if stage else None,
        billed=(_named(sum(priced, Units())) if is_measured and len(priced) == len(had) else None),
        joules=_joules([one.get("joules") for one in known]) if is_measured else None,
        jobs=len(had),
    )


def _joules(several: Sequence[float | None]) -> float | None:
    """Energy of several jobs; None where that of one was not measured."""
    known = [one for one in several if one is not None]
    return sum(known) if len(known) == len(several) else None


def _billed(partitions: Mapping[str, Partition], had: Mapping[str, Any]) -> Units | None:
    """Units for what a job had; None where its partition is not the one of the quote."""
    partition = partitions.get(had["partition"])
    if partition is None:
        return None
    return billed(
        partition,
        nodes=had["nodes"],
        # Where nobody said how many hardware threads a core has, each may be a core.
        cores=had["cores"] or had["cpus"],
        memory_gb=gigabytes(had["memory_mib"]),
        devices=had["gpus"],
        seconds=had["seconds"],
    )


def _named(units: Units) -> dict[str, float]:
    """Units by their name, without those that are nothing."""
    found = {"gpu_h": units.gpu_h, "core_h": units.core_h}
    return {NAMES[unit]: value for unit, value in found.items() if value}


def _notes(jobs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What is not in the table."""
    notes = []
    again = [f"{verb} {len(jobs[verb])}" for verb in VERBS if len(jobs.get(verb, [])) > 1]
    if again:
        notes.append(
            say(
                "More than one job was needed ({again}); all were billed.",
                again=", ".join(again),
            )
        )
    if jobs.get(_HEAD):
        notes.append(
            say(
                "The process that led the run was a job too; it is billed until it ends, and "
                "is not in the table."
            )
        )
    return notes
