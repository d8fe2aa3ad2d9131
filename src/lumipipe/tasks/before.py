"""What is refused before anything is planned: unknown targets, one session twice, a late answer.

What is wrong with the form by itself is found in `lumipipe.tasks.request`, what terms of use deny
in `lumipipe.tasks.deciding`, what costs too much in `lumipipe.tasks.quoting.ceiling`.
"""

from __future__ import annotations

import difflib
import math
from datetime import UTC, datetime, time, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.machine.facts import check_personal_data, load_machine
from lumipipe.machine.resources import HERE
from lumipipe.readers.compressed import shown
from lumipipe.readers.duplicates import takes_the_same
from lumipipe.readers.files import find_files, source_digest
from lumipipe.tasks.deciding import check_terms, record_decision
from lumipipe.tasks.request import placing
from lumipipe.tasks.workflow import machine_folders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.tasks.request import Loaded

    Named = tuple[int, Path]  # number of a source in the request, and one of its files


def check_before(loaded: Loaded, machine: Path | None = None, target: str | None = None) -> None:
    """Refuse what can be told without reading data: the target, and one session twice.

    Parameters
    ----------
    loaded : Loaded
        The request.
    machine : Path, optional
        Folder of the machine that is to run it; None knows those that come with lumipipe.
    target : str, optional
        What the command line says instead of ``compute.target``.

    Raises
    ------
    InputError
        With the line, or the option, that has to be mended.
    """
    _check_target(loaded, machine, target)
    with placing(loaded):
        _refuse_copies(loaded)


def ask_terms(loaded: Loaded, folder: Path, *, record: bool) -> None:
    """Refuse what cannot be, or the terms of use deny, and record what they permit.

    Parameters
    ----------
    loaded : Loaded
        The request.
    folder : Path
        Folder of the run, for the record.
    record : bool
        Whether to record the decision.

    Raises
    ------
    InputError
        As `check_before`, or if the terms of use deny the request.
    """
    check_before(loaded)
    decision = check_terms(loaded, record=record)
    if decision is not None and record:
        record_decision(loaded, folder, decision)


def _check_target(loaded: Loaded, machine: Path | None, target: str | None) -> None:
    """Refuse a target that no machine has, and people's data on a machine that may not have any."""
    if machine is not None:
        rights = loaded.file.place(("rights", "personal_data"))
        check_personal_data(load_machine(machine), loaded.request.rights.personal_data, rights)
    folders = machine_folders() if machine is None else [machine]
    found = {name: folder for folder in folders for name in load_machine(folder).targets}
    wanted = target or loaded.request.compute.target
    if wanted == HERE or wanted in found:
        return
    near = difflib.get_close_matches(wanted, [HERE, *found], n=1)
    known = f"did you mean {near[0]}?" if near else f"use one of {', '.join([HERE, *found])}"
    more = "" if machine is not None else "; --machine FOLDER names a machine of your own"
    place = f"--target {target}" if target else loaded.file.place(("compute", "target"))
    raise InputError(place, f"compute.target: no machine has a target {wanted}", known + more)


def _refuse_copies(loaded: Loaded) -> None:
    """Refuse two files with the same bytes, where both would become the same rows."""
    if loaded.request.prepare.bad_recordings == "leave_out":
        return  # `prepare` leaves the copies out, and the report lists them
    sources = loaded.request.data
    for group in _of_equal_bytes(loaded):
        for (one, first), (other, second) in combinations(group, 2):
            if takes_the_same(sources[one], sources[other]):
                _refuse_copy(loaded, (one, other), (first, second))


def _of_equal_bytes(loaded: Loaded) -> list[list[Named]]:
    """Files with equal bytes; only those of one size are read at all."""
    sizes: dict[int, list[Named]] = {}
    for number, source in enumerate(loaded.request.data):
        for file in find_files(source, loaded.base):
            sizes.setdefault(file.stat().st_size, []).append((number, file))
    groups: dict[tuple[int, str], list[Named]] = {}
    for size, named in sizes.items():
        for number, file in named if len(named) > 1 else ():
            digest = source_digest(file, loaded.request.data[number])
            groups.setdefault((size, digest), []).append((number, file))
    return [group for group in groups.values() if len(group) > 1]


def _refuse_copy(loaded: Loaded, numbers: tuple[int, int], files: Sequence[Path]) -> None:
    """Say which two files, or which two sources, are one session."""
    sources = [loaded.request.data[number] for number in numbers]
    names = " and ".join(dict.fromkeys(shown(file) for file in files))
    if numbers[0] == numbers[1]:
        problem = f"source {sources[0].id}: {names} hold the same bytes"
    else:
        problem = f"sources {sources[0].id} and {sources[1].id} are of one session: {names}"
        problem += " is in both" if files[0] == files[1] else " hold the same bytes"
    raise InputError(
        loaded.file.place(("data", numbers[1], "source")),
        problem,
        "name one of them, or set prepare.bad_recordings: leave_out",
    )


def check_deadline(loaded: Loaded, seconds: float = 0.0, now: datetime | None = None) -> None:
    """Refuse a run whose answer comes too late.

    Parameters
    ----------
    loaded : Loaded
        The request; its ``compute.deadline`` is a whole day, in UTC.
    seconds : float, s
        What the run is expected to take, without waiting in a queue.
    now : datetime, optional
        When it would begin.

    Raises
    ------
    InputError
        If the deadline has passed, or the run ends after it.
    """
    deadline = loaded.request.compute.deadline
    if deadline is None:
        return
    begins = now or datetime.now(UTC)
    left_s = (datetime.combine(deadline, time.max, UTC) - begins) / timedelta(seconds=1)
    if left_s >= seconds:
        return
    late = "has passed" if left_s < 0 else f"comes before the end: {_hours(seconds)} are expected"
    raise InputError(
        loaded.file.place(("compute", "deadline")),
        f"compute.deadline {deadline} {late}",
        "set a later day, or use fewer data or more ranks" if left_s >= 0 else "set a later day",
    )


def _hours(seconds: float) -> str:
    """Seconds in whole hours, one at least."""
    return f"{max(1, math.ceil(seconds / 3600))} h"
