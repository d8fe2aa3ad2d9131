"""The folder of an inspection: page, record and skeleton."""

from __future__ import annotations

import errno
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.reporting.page import render_page
from lumipipe.store.files import write_bytes, write_json
from lumipipe.tasks.inspecting.page import page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.tasks.inspecting.kinds import Kind
    from lumipipe.tasks.inspecting.seen import Refused

PAGE, RECORD, REQUEST = "inspect.html", "inspect.json", "request.yaml"


def write(
    out: Path, kinds: Sequence[Kind], refused: Sequence[Refused], copies: Sequence[str], text: str
) -> list[str]:
    """Write what was seen into a folder.

    Parameters
    ----------
    out : Path
        The folder, which is made.
    kinds : sequence of Kind
        Files that were read.
    refused : sequence of Refused
        Files that were not.
    copies : sequence of str
        Sentences about files of one recording.
    text : str
        The skeleton.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    InputError
        If the folder cannot be written: name another.
    """
    page = render_page(page_of(kinds, refused, copies, text))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / REQUEST, text.encode())
        write_bytes(out / PAGE, page.encode())
        write_json(out / RECORD, _record(kinds, refused, copies))
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise  # the command line has a line of its own for a full disk
        raise InputError(
            f"--out {out}", f"cannot be written ({error.strerror})", "name another folder"
        ) from error
    return [REQUEST, PAGE, RECORD]


_UNWRITTEN = {"sketch", "only"}


def _record(
    kinds: Sequence[Kind], refused: Sequence[Refused], copies: Sequence[str]
) -> dict[str, Any]:
    """All that was seen, for programs."""
    return {
        "lumipipe_inspection": 1,
        "files": [_plain(asdict(file)) for kind in kinds for file in kind.files],
        "refused": [_plain(asdict(item)) for item in refused],
        "copies": list(copies),
    }


def _plain(value: Any) -> Any:
    """A value that JSON can say; what is not finite is null, and sketches stay on the page."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if key not in _UNWRITTEN}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
