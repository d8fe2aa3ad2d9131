"""Fixtures of a running Slurm: one cluster for a session, idle before each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import environment
from slurm.cluster import MissingSlurmError, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slurm.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]


def _running(request: pytest.FixtureRequest, *, accounting: bool) -> Iterator[Cluster]:
    """A cluster; of one that ran already, in LAB_FOLDER, nothing is stopped."""
    given = os.environ.get("LAB_FOLDER")
    suffix = "-dbd" if accounting else ""
    # Not pytest's temporary folder: sockets have short names only.
    folder = Path(given + suffix if given else tempfile.mkdtemp(prefix="lumipipe-slurm-"))
    try:
        cluster = start(folder, accounting=accounting)
    except MissingSlurmError as missing:
        if not given:
            folder.rmdir()
        pytest.skip(f"no Slurm here: {missing}")
    yield cluster
    if given:
        return
    if request.session.testsfailed:
        cluster.lab("stop")
        shutil.rmtree(folder / "mysql", ignore_errors=True)  # 100 MB that tell nothing
        terminal = request.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(f"\nlogs of Slurm: {folder}/log")
    else:
        cluster.lab("remove")


@pytest.fixture(scope="session")
def session_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    yield from _running(request, accounting=False)


@pytest.fixture(scope="session")
def session_cluster_with_accounting(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    yield from _running(request, accounting=True)


@pytest.fixture
def cluster(session_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without accounting; accounts are taken unchecked."""
    yield session_cluster
    session_cluster.clear()


@pytest.fixture
def cluster_with_accounting(session_cluster_with_accounting: Cluster) -> Iterator[Cluster]:
    """A cluster with slurmdbd: it knows one account (cluster.ACCOUNT) and LUMI's caps of jobs."""
    yield session_cluster_with_accounting
    session_cluster_with_accounting.clear()


@pytest.fixture(scope="session")
def laptop_demos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Output folders of both demonstrations, run here without Slurm, by the requests' names."""
    runs = tmp_path_factory.mktemp("laptop")
    started = {}
    for name in ("demo-watch", "demo-process"):
        request = ROOT / "config" / "requests" / f"{name}.yaml"
        command = [sys.executable, "-m", "lumipipe", "run", request, "--out", runs / name]
        started[name] = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    assert [run.wait() for run in started.values()] == [0, 0]
    return {name: runs / name for name in started}
