"""How each verb of a run is started: on this machine, or as a job of a machine's scheduler.

What a machine's jobs may look like is in `lumipipe.machine`, what they cost in
`lumipipe.tasks.quote`; here a request meets both, before anything is submitted.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.machine.facts import check_personal_data, load_machine
from lumipipe.machine.resources import derive, needs_device, snakemake_resources
from lumipipe.machine.sizes import mebibytes
from lumipipe.tasks.quote import quote_for, site_of
from lumipipe.tasks.stages import Plan, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lumipipe.machine.facts import Machine
    from lumipipe.machine.resources import Block
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

COMPUTING = ("prepare", "train", "score")


@dataclass(frozen=True)
class Place:
    """Where a run is to compute; None takes what the request says.

    Parameters
    ----------
    machine : Path, optional
        Folder of the machine; None computes here, without a scheduler.
    target : str, optional
        Kind of nodes.
    ranks : int, optional
        Ranks of each step.
    account : str, optional
        Whom the scheduler bills.
    attempt : int
        Number of this attempt; the second asks for twice the memory.
    """

    machine: Path | None = None
    target: str | None = None
    ranks: int | None = None
    account: str | None = None
    attempt: int = 1


def started_here(ranks: int, place: str) -> Start:
    """How a verb is started on this machine: by mpiexec where it has ranks."""
    if ranks == 1:
        return Start()
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    if launcher is None:
        raise InputError(
            place, f"{ranks} ranks need mpiexec", "install it (pip install mpich), or ask for 1"
        )
    return Start(f"{shlex.quote(launcher)} -n {ranks}")


def with_starts(
    loaded: Loaded, stages: dict[str, Stage], out: Path, place: Place, log: Callable[[str], None]
) -> Plan:
    """The plan of a run, with how each verb is started.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : dict of str to Stage
        Its stages.
    out : Path
        Folder of the run.
    place : Place
        Where it is to compute.
    log : callable of str
        Progress.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    InputError
        If the machine cannot run the request as it is asked for, or it costs more than its
        ceiling.
    """
    ranks = place.ranks or loaded.request.compute.ranks
    if place.machine is None:
        line = loaded.file.place(("compute", "ranks"))
        starts, where = dict.fromkeys(COMPUTING, started_here(ranks, line)), None
    else:
        starts, where = _started_there(loaded, stages, out, place, log)
    starts["report"] = Start()
    title = loaded.family.title
    return Plan(loaded.file.path.resolve(), out, title, ranks, stages, starts, where)


def _started_there(
    loaded: Loaded,
    stages: dict[str, Stage],
    out: Path,
    place: Place,
    log: Callable[[str], None],
) -> tuple[dict[str, Start], dict[str, str]]:
    """How each verb is started as a job of a machine, and what the plan says of that machine."""
    assert place.machine is not None
    folder = place.machine.resolve()
    machine, bind = load_machine(folder), _bind(folder)
    rights = loaded.file.place(("rights", "personal_data"))
    check_personal_data(machine, loaded.request.rights.personal_data, rights)
    target = place.target or loaded.request.compute.target

    def blocks_within(minutes: Mapping[str, int] | None) -> dict[str, Block]:
        return blocks_of(loaded, machine, place, bind=bind, minutes=minutes)

    blocks = blocks_within(None)
    if not all(stages[verb].is_done for verb in COMPUTING):
        site = site_of(folder, machine, target, blocks_within)
        quote = quote_for(loaded, stages, out, site, blocks["train"].tasks, log)
        limits = {stage.verb: stage.minutes for stage in quote.stages if stage.minutes}
        blocks = blocks_within(limits)
    starts = {
        verb: Start(block.launcher, snakemake_resources(block)) for verb, block in blocks.items()
    }
    where = {
        "name": machine.machine,
        "folder": str(folder),
        "target": target,
        "account": blocks["prepare"].account,
    }
    return starts, where


def blocks_of(
    loaded: Loaded,
    machine: Machine,
    place: Place,
    *,
    bind: Path | None = None,
    minutes: Mapping[str, int] | None = None,
) -> dict[str, Block]:
    """What the job of each verb asks for.

    Parameters
    ----------
    loaded : Loaded
        The request.
    machine : Machine
        The machine.
    place : Place
        Where it is to compute.
    bind : Path, optional
        The script that binds ranks.
    minutes : mapping of str to int, optional
        Time limit of each verb's job, where the request names none; the longest that is allowed
        where absent.

    Returns
    -------
    dict of str to Block
        One for each verb but the report.

    Raises
    ------
    InputError
        If the machine cannot run the request as it is asked for.
    """
    compute, line = loaded.request.compute, loaded.file.place(("compute",))
    memory = compute.memory and mebibytes(compute.memory, loaded.file.place(("compute", "memory")))
    blocks: dict[str, Block] = {}
    for verb in COMPUTING:
        derived = partial(
            _derived,
            loaded,
            place,
            machine,
            verb=verb,
            target=place.target or compute.target,
            ranks=place.ranks or compute.ranks,
            minutes=compute.minutes or (minutes or {}).get(verb),
            account=place.account,
            needs_device=needs_device(verb, compute.backend),
            place=line,
            bind=bind,
        )
        blocks[verb] = derived(memory_mib_per_rank=memory or None)
        if place.attempt > 1:
            had = memory or blocks[verb].memory_mib // blocks[verb].tasks_per_node
            with suppress(InputError):  # a node has no more: then as before
                blocks[verb] = derived(memory_mib_per_rank=place.attempt * had)
    return blocks


def _derived(loaded: Loaded, options: Place, machine: Machine, **asked: Any) -> Block:
    """What a job asks for; an error stands at the key or the option that it is about."""
    try:
        return derive(machine, **asked)
    except InputError as error:
        raise InputError(_where(loaded, options, error), error.problem, error.remedy) from error


def _where(loaded: Loaded, options: Place, error: InputError) -> str:
    """The option that an error is about, or the line of the key."""
    problem = error.problem
    if "account" in problem:
        return f"--account {options.account}" if options.account else "--account"
    if options.target is not None and f"target {options.target}" in problem:
        return f"--target {options.target}"
    if options.ranks is not None and "ranks=" in problem:
        return f"--ranks {options.ranks}"
    return loaded.file.place_told(problem.replace("=", " "), ("compute",))


def _bind(folder: Path) -> Path:
    """The script that binds ranks: the machine's own, or the one that all share."""
    for script in (folder / "bind.sh", folder.parent / "bind.sh"):
        if script.is_file():
            return script
    raise InputError(str(folder), "has no bind.sh", "copy slurm/bind.sh beside that folder")
