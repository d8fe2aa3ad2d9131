"""A rank of the command line that goes wrong at one point.

Usage: job_error.py POINT RANK VERB ... - on the rank RANK, POINT raises; the other ranks run
``lumipipe VERB ...`` as it is.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

from lumipipe.cli import main
from lumipipe.errors import InputError

# What is replaced at each point by a function that fails.
POINTS = {
    "before the first collective": ("lumipipe.tasks.request", "load_request"),
    "between collectives": ("lumipipe.tasks.prepare", "_joined"),
    "write of a shard": ("lumipipe.store.second_pass", "write_shard"),
    "measure": ("lumipipe.families.window_classifier", "window_batch"),
    "write of a checkpoint": ("lumipipe.store.checkpoint", "write_bytes"),
    "fit": ("lumipipe.families.window_classifier", "nested_fit"),
    "publish": ("lumipipe.tasks.train", "write_arrays"),
    "input": ("lumipipe.families.window_classifier", "build_features"),
    "kill": ("lumipipe.families.window_classifier", "window_batch"),
}


class _BrokenImport:
    """A finder that fails for one module."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Raise for the module of the verb."""
        if name == "lumipipe.tasks.train":
            raise ImportError("broken on purpose")


def fail(*_: Any, **__: Any) -> NoReturn:
    """Raise as a defect does."""
    raise RuntimeError("broken on purpose")


def refuse(*_: Any, **__: Any) -> NoReturn:
    """Raise as wrong input does."""
    raise InputError("data.csv", "broken on purpose", "mend it")


def die(*_: Any, **__: Any) -> None:
    """End as a process does that the system kills for its memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def break_at(point: str) -> None:
    """Make `point` go wrong on this rank."""
    if point == "start":
        fail()
    if point == "import":
        sys.meta_path.insert(0, _BrokenImport)  # type: ignore[arg-type]
        return
    module, name = POINTS[point]
    setattr(import_module(module), name, {"input": refuse, "kill": die}.get(point, fail))


if __name__ == "__main__":
    point, rank, *words = sys.argv[1:]
    if os.environ["PMI_RANK"] == rank:
        break_at(point)
    sys.argv = ["lumipipe", *words]
    main()
