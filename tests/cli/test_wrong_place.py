"""Words for a machine where there is none, and for the kernel where only the head is installed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import call
from small_requests import monitoring

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import sys
sys.modules["zarr"] = sys.modules["scipy"] = None  # as where they are not installed
from lumipipe.cli import main
sys.argv = ["lumipipe", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("option", [("--target", "lumi-small"), ("--account", "project_1")])
@pytest.mark.parametrize("verb", [("request", "quote"), ("run",)])
def test_what_a_machine_needs_is_refused_without_one(
    tmp_path: Path, verb: tuple[str, ...], option: tuple[str, str]
) -> None:
    said = call(*verb, monitoring(tmp_path), *option, "--out", tmp_path / "out")
    assert said.code == 2
    assert said.err.startswith(f"lumipipe: {' '.join(option)}: no machine is named; add --")
    assert len(said.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", [("request", "quote"), ("request", "check"), ("info",), ("rata",)])
def test_the_head_says_who_computes(tmp_path: Path, verb: tuple[str, ...]) -> None:
    request = tmp_path if verb == ("info",) else monitoring(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", HEAD, *verb, request],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stderr
    assert "only runs and watches; call the kernel: $LUMIPIPE_KERNEL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_run_for_slurm_wants_its_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lumipipe.tasks.run.find_spec", lambda _: None)
    said = call("run", monitoring(tmp_path), "--profile", "lumi", "--out", tmp_path / "out")
    assert said.code == 2
    assert "has no snakemake-executor-plugin-slurm; use that of the head process" in said.err
    assert not (tmp_path / "out").exists()
