"""The command line as tests call it: in this process, which is fast, or as its own process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from lumipipe.cli import main

SOURCE = Path(__file__).resolve().parents[1] / "src"


class Said(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def call(*words: object) -> Said:
    """``lumipipe WORDS`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["lumipipe", *map(str, words)]
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, environment()),  # for the processes that `run` starts
    ):
        try:
            main()
        except SystemExit as ended:
            return Said(int(ended.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("main returned")


def launch(*words: object, before: tuple[object, ...] = (), timeout_s: float = 240) -> Said:
    """``lumipipe WORDS`` as a process of its own, below the command `before`."""
    done = subprocess.run(
        [*map(str, before), sys.executable, "-m", "lumipipe", *map(str, words)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """The environment of a process that imports this checkout, one thread a rank."""
    paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def one_line(said: Said) -> str:
    """The one line with which wrong input ends, after it was checked that there is no more."""
    assert said.code == 2, said
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("lumipipe: ")
    assert "; " in said.err  # problem; remedy
    return said.err.removeprefix("lumipipe: ").rstrip("\n")
