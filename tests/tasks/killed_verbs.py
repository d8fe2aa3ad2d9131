"""Runs a verb several times, each time killed with SIGKILL at another point.

Usage: killed_verbs.py VERB REQUEST OUT POINT ... - each run is a child of one process, since
importing takes longest; it writes to OUT/POINT. A point is ``FUNCTION@N``: the process dies
when FUNCTION is called for the N-th time (N = -1: after its last call, at the rename).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lumipipe.store.first_pass
import lumipipe.store.manifest
import lumipipe.store.second_pass
import lumipipe.tasks.prepare
import lumipipe.tasks.report
import lumipipe.tasks.score
import lumipipe.tasks.train
from lumipipe.cli import main
from lumipipe.store.checkpoint import FolderCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable

PLACES: dict[str, tuple[Any, str]] = {
    "piece": (lumipipe.store.first_pass, "write_piece"),
    "shard": (lumipipe.store.second_pass, "write_shard"),
    "node": (FolderCheckpoint, "save"),
    "flush": (lumipipe.store.manifest, "sync_tree"),  # all is written, nothing is renamed
    "manifest": (lumipipe.store.manifest, "write_json"),  # renamed, without a manifest
    "show": (lumipipe.tasks.report, "show"),
}


def deadly(function: Callable[..., Any], calls: int) -> Callable[..., Any]:
    """`function`, which kills the process when it is called for the `calls`-th time."""
    left = calls

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return call


def run(verb: str, request: str, out: Path, point: str) -> None:
    """Run the verb in a child that dies at `point`."""
    if child := os.fork():
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status), f"{verb} was not killed at {point}"
        return
    name, calls = point.split("@")
    owner, function = PLACES[name]
    setattr(owner, function, deadly(getattr(owner, function), int(calls)))
    sys.argv = ["lumipipe", verb, request, "--out", str(out)]
    try:
        main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    verb, request, out, *points = sys.argv[1:]
    for point in points:
        run(verb, request, Path(out) / point, point)
