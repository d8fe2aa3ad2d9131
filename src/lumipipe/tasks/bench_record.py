"""The file that `bench` writes: constants of this place beside those of other places.

Its form, and how the quote reads it, are in `lumipipe.machine.measured`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from lumipipe.errors import InputError
from lumipipe.machine.facts import FILE as MACHINE
from lumipipe.machine.facts import load_machine
from lumipipe.machine.measured import FILE, Measured, load_measured
from lumipipe.store.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.machine.measured import Entry

_UNKNOWN = "here"  # a machine that has no machine.yaml
_COMMENT = "# Written by lumipipe bench; it replaces an entry measured in the same place.\n"


def known_constants(out: Path) -> Measured:
    """What a file holds of the machine whose ``machine.yaml`` stands beside it.

    Parameters
    ----------
    out : Path
        The file; it need not be there.

    Returns
    -------
    Measured
        Without constants where there is no file.

    Raises
    ------
    InputError
        If it has another name than the quote looks for, cannot be read, or is about another
        machine.
    """
    if not out.parent.is_dir():
        raise InputError(str(out), "its folder is not there", "make it, or name another")
    if out.name != FILE:
        raise InputError(str(out), f"the quote looks for {FILE}", f"call it {FILE}")
    name = load_machine(out.parent).machine if (out.parent / MACHINE).exists() else _UNKNOWN
    return Measured(machine=name, measured=list(load_measured(out.parent, name)))


def write_measured(out: Path, known: Measured, entries: Sequence[Entry]) -> None:
    """Write constants beside those of other places, whole or not at all.

    Parameters
    ----------
    out : Path
        The file.
    known : Measured
        What it held.
    entries : sequence of Entry
        What was measured now; they replace what was measured in the same place before.
    """
    replaced = {_key(entry) for entry in entries}
    kept = [entry for entry in known.measured if _key(entry) not in replaced]
    content = Measured(machine=known.machine, measured=[*kept, *entries])
    text = yaml.safe_dump(content.model_dump(exclude_none=True), sort_keys=False, width=100)
    write_bytes(out, (_COMMENT + text).encode())


def _key(entry: Entry) -> tuple[Any, ...]:
    """Where a constant was measured."""
    return entry.constant, entry.partition, entry.nodes, entry.ranks
