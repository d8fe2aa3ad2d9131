"""The head part of lumipipe works where no numeric package is installed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import environment
from envs.test_locks import NEEDED, pins, split

if TYPE_CHECKING:
    from pathlib import Path

# Import names where they are not the package's own.
IMPORTED_AS = {"array-api-compat": "array_api_compat", "google-crc32c": "google_crc32c"}
HEAD = pins("envs/head/requirements.lock")
# NumPy and pandas are there for the Slurm plugin; lumipipe may not lean on them.
ABSENT = sorted(
    IMPORTED_AS.get(name, name)
    for name, _ in map(split, [*NEEDED, "mpi4py>=0", "cupy>=0"])
    if name not in {"click", "pydantic", "pyyaml"}
)
# A finder before all others: what is absent in the head environment is absent here.
WITHOUT = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"the head environment has no {{name}}", name=name)
sys.meta_path.insert(0, Absent())
from lumipipe.cli import main
main()
"""


def head(*words: str) -> subprocess.CompletedProcess[str]:
    """``lumipipe WORDS`` without what the head environment lacks."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_only_what_lumipipe_may_use_there_is_let_through() -> None:
    assert {"click", "pydantic", "pyyaml"} < set(HEAD)
    assert {"numpy", "scipy", "zarr", "xarray", "pandas"} < set(ABSENT)


@pytest.mark.parametrize(
    "words",
    [("--version",), ("--help",), *((verb, "--help") for verb in ("run", "status", "cancel"))],
    ids=" ".join,
)
def test_the_head_answers(words: tuple[str, ...]) -> None:
    done = head(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(("lumipipe, version", "Usage:"))


@pytest.mark.parametrize("verb", ["run", "status", "cancel"])
def test_a_verb_of_the_head_loads_nothing_else(verb: str, tmp_path: Path) -> None:
    # It gets as far as to say what is wrong with its argument.
    done = head(verb, f"{tmp_path}/absent.yaml")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("lumipipe: ")
    assert done.stderr.count("\n") == 1
    assert "the head environment has no" not in done.stderr
