"""The command line of lumipipe, which waits in the middle of a verb: time to break something.

Usage: held.py FOLDER WORDS... - ``FOLDER/hold`` says where, as ``VERB POINT@N``: a rank that is
about to call the function of that point for the N-th time writes ``FOLDER/at-VERB-JOB-RANK`` with
its process and node, and goes on when ``FOLDER/go`` is there. ``FOLDER/hog`` says, as ``VERB
BYTES``, which verb takes how much memory beyond what it needs. All else is lumipipe's own.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumipipe.cli import main as lumipipe

if TYPE_CHECKING:
    from collections.abc import Callable

GO, HOG, HOLD = "go", "hog", "hold"


def asked(folder: Path, name: str, verb: str) -> str | None:
    """What a file of the folder asks of a verb."""
    if not (folder / name).exists():
        return None
    of_verb, what = (folder / name).read_text().split()
    return what if of_verb == verb else None


def waiting(function: Callable[..., Any], calls: int, folder: Path, verb: str) -> Any:
    """`function`, which waits for ``FOLDER/go`` when it is called for the `calls`-th time."""
    left = calls

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            job, rank = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_PROCID", "0")
            draft = folder / f".{verb}-{job}-{rank}"
            draft.write_text(f"{os.getpid()} {os.environ.get('SLURMD_NODENAME', '')}")
            draft.rename(folder / f"at-{verb}-{job}-{rank}")
            while not (folder / GO).exists():
                time.sleep(0.05)
        return function(*args, **kwargs)

    return call


def break_in(folder: Path, verb: str, point: str) -> None:
    """Put the waiting into a function of lumipipe."""
    from tasks.killed_verbs import PLACES  # noqa: PLC0415 - it imports all that computes

    name, calls = point.split("@")
    owner, function = PLACES[name]
    setattr(owner, function, waiting(getattr(owner, function), int(calls), folder, verb))


def main(folder: Path, words: list[str]) -> None:
    """Run the command line with what the folder asks for."""
    hog = int(asked(folder, HOG, words[0]) or 0) * b"\1"
    if point := asked(folder, HOLD, words[0]):
        break_in(folder, words[0], point)
    sys.argv = ["lumipipe", *words]
    try:
        lumipipe()
    finally:
        del hog  # until here


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main(Path(sys.argv[1]), sys.argv[2:])
