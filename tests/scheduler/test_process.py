"""Processes of this machine: alive, dead or another one by now, and how one is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.asking import Patience
from lumipipe.scheduler.process import descendants, end_process, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Starts a child in a session of its own, as the head process starts Snakemake.
PARENT = """
import signal, subprocess, sys, time
for number in {ignored}:
    signal.signal(number, signal.SIG_IGN)
code = "import time; print('ready', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: (open({file!r}, "w").write("asked"), sys.exit()))
for number in {ignored}:
    signal.signal(number, signal.SIG_IGN)
time.sleep(600)
"""


@pytest.fixture
def parent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with a child; it may ignore signals, which its child then does as well."""
    ignored = [int(number) for number in getattr(request, "param", ())]
    code = PARENT.format(ignored=ignored, file=str(tmp_path / "asked"))
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)  # until the parent has set its own handler
        family = [process.pid, *descendants(process.pid)]
        yield process
        for pid in family:
            if started(pid):
                os.kill(pid, signal.SIGKILL)


def test_a_living_process_has_a_start_that_stays() -> None:
    assert started(os.getpid())
    assert started(os.getpid()) == started(os.getpid())
    assert started(os.getppid()) != started(os.getpid())


def test_an_ended_process_has_none_also_before_its_parent_has_noticed() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.kill(process.pid, 0)  # a zombie answers
        assert not started(process.pid)
    assert not started(process.pid)
    assert not started(0)
    assert not started(-1)


def test_descendants_are_found(parent: subprocess.Popen[str]) -> None:
    (child,) = descendants(parent.pid)
    assert started(child)
    assert child in descendants(os.getpid())
    assert descendants(child) == []


def test_a_process_is_asked_to_end_and_takes_its_child_along(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    (child,) = descendants(parent.pid)
    assert end_process(parent.pid, Patience(answer_s=20))
    assert (tmp_path / "asked").read_text() == "asked"
    assert not started(child)
    assert parent.wait() == 0


@pytest.mark.parametrize("parent", [(signal.SIGINT, signal.SIGTERM)], indirect=True)
def test_a_process_that_does_not_listen_is_ended_by_force(parent: subprocess.Popen[str]) -> None:
    (child,) = descendants(parent.pid)
    assert end_process(parent.pid, Patience(answer_s=1))
    assert not started(child)
    assert parent.wait() == -signal.SIGKILL
