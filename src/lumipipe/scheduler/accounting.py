"""What Slurm allocated to jobs: the measured side of a quote.

Machines bill what was allocated, not what was used, by formulae of their own
(`lumipipe.machine.billing`). Slurm's own core-hours count hardware threads and are not what
LUMI bills (LUMI-training-materials, 103-Access.md and 201-Slurm.md, read in June 2026), so
only allocation and seconds are taken from it.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from lumipipe.scheduler.asking import QUICK, ask, chunks
from lumipipe.scheduler.head import HEAD_VERB
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.job import scontrol_fields, seconds
from lumipipe.scheduler.record import entries, now, replace_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lumipipe.scheduler.asking import Patience

ACCOUNTING = "accounting.json"
_SACCT = ("sacct", "-n", "-P", "-X", "-D", "-o")
_FIELDS = "JobID,State,ElapsedRaw,Partition,AllocTRES,ConsumedEnergyRaw,JobName"
_NOT_AN_ENERGY = 2**63  # Slurm writes its largest numbers where it has no value
_MEBIBYTES = {"K": 2**-10, "M": 1.0, "G": 2.0**10, "T": 2.0**20, "P": 2.0**30}


@dataclass(frozen=True)
class Allocation:
    """What one job had, and for how long.

    Parameters
    ----------
    seconds : int
        Seconds that it ran, the runs before it was put back into the queue included.
    nodes, cpus, gpus : int
        What it had in all. Slurm may count hardware threads as CPUs.
    threads_per_core : int, optional
        How many CPUs of Slurm one core of the partition is; None where nobody said.
    joules : int, optional
        Energy of its nodes; None where Slurm does not measure it, which it writes as 0.
    memory_mib : int
        Memory on all nodes, MiB.
    partition, state : str
        Where it ran, and how it ended, in Slurm's words.
    restarts : int
        How often it was put back.
    source : str
        The command that told: ``sacct`` or ``scontrol``.
    """

    seconds: int
    nodes: int
    cpus: int
    memory_mib: int
    gpus: int
    partition: str
    state: str
    restarts: int
    source: str
    threads_per_core: int | None = None
    joules: int | None = None

    @property
    def cores(self) -> int | None:
        """Cores in all; None where the threads of a core are not known."""
        return None if self.threads_per_core is None else -(-self.cpus // self.threads_per_core)


def billed_allocations(
    ids: Iterable[str], patience: Patience = QUICK
) -> dict[str, Allocation | None]:
    """What was allocated to each job.

    Parameters
    ----------
    ids : iterable of str
        Slurm's job ids.
    patience : Patience
        Time limits, attempts and pauses of each question.

    Returns
    -------
    dict of str to Allocation or None
        For every id; None means that it was not measured, which is never zero.

    Notes
    -----
    *Method*: the accounting database is asked first, since it adds up the runs of a job that
    was put back into the queue; then the controller, which remembers a job for MinJobAge after
    its end, and only its last run: a job that was put back counts as not measured there.
    """
    found: dict[str, Allocation | None] = dict.fromkeys(ids)
    for chunk in chunks(list(found)):
        answer = ask((*_SACCT, _FIELDS, "-j", ",".join(chunk)), patience)
        if not answer.given:
            break
        rows = [line.split("|", 6) for line in answer.out.splitlines()]
        for id_ in chunk:
            found[id_] = _accounted([row for row in rows if row[0] == id_])
    for id_ in [id_ for id_, allocation in found.items() if allocation is None]:
        answer = ask(("scontrol", "show", "job", "-d", "-o", id_), patience)
        if not answer.given:
            break
        found[id_] = _shown(answer.out)
    return _with_threads(found, patience)


def write_accounting(out: Path, patience: Patience = QUICK) -> dict[str, Any]:
    """Write ``accounting.json``: what Slurm allocated to each stage of a run.

    Parameters
    ----------
    out : Path
        Folder of the run.
    patience : Patience
        Time limits, attempts and pauses of each question.

    Returns
    -------
    dict
        What the file says: ``jobs`` maps each stage, and ``head``, to a list of jobs with
        ``id`` and ``allocation``, which is None where it was not measured. What an earlier
        call measured is kept, since Slurm may have forgotten it by now. Without any job
        nothing is written.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    verbs = {job.id: job.verb for job in jobs_of_run(out, patience) if job.id}
    verbs |= {str(one["job"]): HEAD_VERB for one in entries(out) if one.get("event") == "head"}
    before = _measured_before(out)
    measured = billed_allocations(verbs, patience) if verbs else {}
    content: dict[str, Any] = {"lumipipe_accounting": 1, "asked": now(), "jobs": {}}
    for id_, verb in verbs.items():
        one = measured[id_]
        entry = asdict(one) | {"cores": one.cores} if one is not None else before.get(id_)
        content["jobs"].setdefault(verb, []).append({"id": id_, "allocation": entry})
    if verbs:
        replace_json(out / ACCOUNTING, content)
    return content


def tres(text: str) -> dict[str, int]:
    """Nodes, CPUs, memory in MiB and GPUs in Slurm's list of trackable resources.

    Parameters
    ----------
    text : str
        Such as ``cpu=128,mem=224G,node=1,billing=128,gres/gpu=8``.

    Returns
    -------
    dict of str to int
        ``node``, ``cpu``, ``mem`` and ``gpu``; those that are named.

    Examples
    --------
    >>> tres("billing=7,cpu=7,gres/gpu:mi250=1,gres/gpu=1,mem=60G,node=1")
    {'cpu': 7, 'mem': 61440, 'node': 1, 'gpu': 1}
    """
    parts = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    found = {name: int(parts[name]) for name in ("cpu", "node") if parts.get(name, "").isdigit()}
    if (memory := _mebibytes(parts.get("mem", ""))) is not None:
        found["mem"] = memory
    # Typed devices are listed beside their sum, or alone where the site tracks types only.
    typed = [int(n) for name, n in parts.items() if name.startswith("gres/gpu:") and n.isdigit()]
    total = parts.get("gres/gpu", "")
    if total.isdigit() or typed:
        found["gpu"] = int(total) if total.isdigit() else sum(typed)
    return {name: found[name] for name in ("cpu", "mem", "node", "gpu") if name in found}


def _mebibytes(text: str) -> int | None:
    """MiB in what Slurm writes as 500M, 1.5T or, without a letter, as MiB."""
    size = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGTP]?)", text)
    return round(float(size[1]) * _MEBIBYTES[size[2] or "M"]) if size else None


def _accounted(rows: Sequence[Sequence[str]]) -> Allocation | None:
    """The allocation of one job from its lines of `sacct`, one for each time that it ran."""
    if not rows:
        return None
    partition, name = rows[-1][3], rows[-1][6]
    # A cluster that was set up again gives ids anew; the name tells its jobs from the old ones.
    own = [row for row in rows if row[6] == name]
    had = [tres(row[4]) for row in own]
    spent = [int(row[2]) if row[2].isdigit() else -1 for row in own]
    if min(spent) < 0 or any(
        s and {"cpu", "node"} - t.keys() for s, t in zip(spent, had, strict=True)
    ):
        return None
    found = _allocation(had[-1], sum(spent), partition, own[-1][1], len(own) - 1, "sacct")
    return replace(found, joules=_joules([row[5] for row in own]))


def _joules(told: Sequence[str]) -> int | None:
    """Energy of all runs of a job, J; None unless each was measured."""
    values = [int(text) if text.isdigit() else 0 for text in told]
    return sum(values) if all(0 < value < _NOT_AN_ENERGY for value in values) else None


def _shown(text: str) -> Allocation | None:
    """The allocation of one job from its line of ``scontrol show job -d -o``."""
    records = [line for line in text.splitlines() if line.startswith("JobId=")]
    if len(records) != 1:
        return None
    field = scontrol_fields(records[0])
    # TRES until 22.05, then AllocTRES (and ReqTRES, which is not what is billed).
    had, spent = tres(field.get("AllocTRES", field.get("TRES", ""))), seconds(field["RunTime"])
    restarts = int(field.get("Restarts", "0"))
    if spent is None or restarts or (spent and {"cpu", "node"} - had.keys()):
        return None
    if "gpu" not in had and (devices := re.match(r"gpu:(?:\w+:)?(\d+)", field.get("JOB_GRES", ""))):
        had["gpu"] = int(devices[1])  # a site may not track devices as resources
    return _allocation(had, spent, field["Partition"], field["JobState"], restarts, "scontrol")


def _allocation(
    had: dict[str, int], spent: int, partition: str, state: str, restarts: int, source: str
) -> Allocation:
    """An allocation from what a job had; a job that never ran had nothing."""
    nodes, cpus, memory, gpus = (
        had.get(n, 0) if spent else 0 for n in ("node", "cpu", "mem", "gpu")
    )
    word = state.split(maxsplit=1)[0] if state else ""
    return Allocation(spent, nodes, cpus, memory, gpus, partition, word, restarts, source)


def _with_threads(
    found: dict[str, Allocation | None], patience: Patience
) -> dict[str, Allocation | None]:
    """The allocations with the hardware threads of a core, where `sinfo` says them."""
    threads: dict[str, int | None] = {}
    for partition in sorted({one.partition for one in found.values() if one is not None}):
        answer = ask(("sinfo", "-h", "-p", partition, "-o", "%Z"), patience)
        said = set(answer.out.split()) if answer.given else set()
        # Nodes of two kinds in one partition leave it open.
        threads[partition] = int(said.pop()) if len(said) == 1 else None
    return {
        id_: one and replace(one, threads_per_core=threads[one.partition])
        for id_, one in found.items()
    }


def _measured_before(out: Path) -> dict[str, dict[str, Any]]:
    """What an earlier accounting of the run measured, by job id."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        before = json.loads((out / ACCOUNTING).read_text(encoding="utf-8"))
        entries_ = [entry for found in before["jobs"].values() for entry in found]
        return {one["id"]: one["allocation"] for one in entries_ if one["allocation"]}
    return {}
