"""The verb ``request new``: the skeleton of a request of a family, with files or before there are.

What files hold is found as by ``inspect`` (`lumipipe.tasks.inspect`); the words of a skeleton are
in `lumipipe.tasks.skeleton`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.tasks.inspect import Asked, found_in
from lumipipe.tasks.inspecting.kinds import proposal_for, source_of
from lumipipe.tasks.skeleton import fault_of, request_text, to_fill
from lumipipe.tasks.skeleton_examples import example_source

if TYPE_CHECKING:
    from collections.abc import Callable


def new(asked: Asked, out: Path | None, tell: Callable[[str], None]) -> int:
    """Write or print the skeleton of a request.

    Parameters
    ----------
    asked : Asked
        The family, and files where there are some.
    out : Path or None
        The file to write, which must not be there yet; printed where None.
    tell : callable
        Takes the lines.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        If the file is there, no family of the name exists, or a file cannot be read; nothing is
        written then.
    """
    assert asked.family is not None
    if out is not None and (out.exists() or out.is_symlink()):
        raise InputError(f"--out {out}", "is there already", "name another file, or remove it")
    text = _text(asked, Path() if out is None else out.parent)
    if out is None:
        tell(text.rstrip("\n"))
        return 0
    _write(out, text)
    tell(f"written: {out}")
    tell(_next(text, out))
    return 0


def _text(asked: Asked, folder: Path) -> str:
    """The skeleton, paths as they are from a folder."""
    assert asked.family is not None
    kinds = found_in(asked)
    if not kinds:
        return request_text(example_source(asked.family), asked.family, "as asked for, no files")
    proposal, table = proposal_for(kinds[0], asked.family)
    return request_text(source_of(kinds[0], table, folder), proposal.family, proposal.because)


def _write(out: Path, text: str) -> None:
    """Write a file that nobody else has made meanwhile."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(text.encode())
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise InputError(f"--out {out}", problem, "name another file") from error


def _next(text: str, out: Path) -> str:
    """What to do with the skeleton."""
    if open_keys := to_fill(text):
        places = "place" if len(open_keys) == 1 else "places"
        told = f'{len(open_keys)} {places} to fill in, "?" in the file'
        return f"{told}; then: lumipipe request check {out}"
    if fault := fault_of(text):
        return f"to be mended: {fault.partition(': ')[2]}"
    return "accepted as it is; read every line all the same"
