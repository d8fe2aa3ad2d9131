"""kill -9 anywhere: nothing half-written opens, and the next plain run ends with equal bytes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import call, environment, launch
from lumipipe.errors import StoreError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from lumipipe.tasks.shown import is_shown
from lumipipe.tasks.stages import VERBS
from small_requests import activity

if TYPE_CHECKING:
    from lumipipe.tasks.stages import Stage

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
# 16 pieces, 15 shards, 40 chunks with one save each: about 10 %, 50 % and 99 % of the verb.
POINTS = {
    "prepare": ("piece@4", "shard@3", "shard@15", "flush@1", "manifest@1"),
    "train": ("node@4", "node@20", "node@40", "flush@1", "manifest@1"),
    "score": ("node@20", "manifest@1"),
    "report": ("show@1", "manifest@1"),
}


def planned(request: Path, out: Path) -> dict[str, Stage]:
    """The stages of a run."""
    return plan_run(load_request(request), out, lambda _: None)


def digest(request: Path, out: Path, verb: str) -> str:
    """The digest of a product, all its files compared with it."""
    return read_manifest(planned(request, out)[verb].manifest, checksums=True).digest


@pytest.fixture(scope="module")
def request_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A request that saves each finished node."""
    return activity(tmp_path_factory.mktemp("kill"), compute={"checkpoint_s": 0})


@pytest.fixture(scope="module")
def whole(request_file: Path) -> Path:
    """The folder of an undisturbed run, which no test may touch."""
    out = request_file.parent / "whole"
    for verb in VERBS:
        assert call(verb, request_file, "--out", out).code == 0
    return out


@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_verb_is_finished_by_the_next(request_file: Path, whole: Path, verb: str) -> None:
    killed = request_file.parent / f"killed {verb}"
    for point in POINTS[verb]:
        for earlier in VERBS[: VERBS.index(verb)]:
            shutil.copytree(whole / earlier, killed / point / earlier)
    script = [sys.executable, HERE / "killed_verbs.py", verb, request_file, killed]
    subprocess.run([*script, *POINTS[verb]], env=environment(), check=True)
    for point in POINTS[verb]:
        _finish(request_file, whole, killed / point, verb)


def _finish(request: Path, whole: Path, out: Path, verb: str) -> None:
    """Refuse what the kill left, run the verb, compare with the undisturbed run."""
    left = planned(request, out)[verb].manifest
    assert not left.exists()
    said = call("info", left)
    assert said.code == 2
    assert "there is no manifest, so no finished product; run the stage first" in said.err
    if verb == "prepare":
        assert "holds no finished stage" in call("info", out).err
        with pytest.raises(StoreError, match="no manifest"):
            open_dataset(left)
    ended = call(verb, request, "--out", out)
    assert ended.code == 0, ended
    if "node" in out.name:
        assert "finished sub-trees of a killed run" in ended.out
    if verb == "report":  # it holds the time of its making
        assert is_shown(left.with_suffix(""), out)
    else:
        assert digest(request, out, verb) == digest(request, whole, verb)
    hidden = [path.name for path in (out / verb).iterdir() if path.name.startswith(".")]
    assert hidden == []  # no remains of the killed run


def test_a_killed_run_is_finished_by_the_plain_command(
    request_file: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a run"
    command = [sys.executable, "-m", "lumipipe", "run", request_file, "--out", out]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, env=environment(), stdout=quiet, stderr=quiet, start_new_session=True
    ) as running:
        until = time.monotonic() + 120
        while not any(out.glob("train/.*.fold/*/*-*")) and time.monotonic() < until:
            time.sleep(0.002)
        os.killpg(running.pid, signal.SIGKILL)
    assert read_manifest(planned(request_file, out)["prepare"].manifest)
    assert not planned(request_file, out)["train"].manifest.exists()
    said = launch("run", request_file, "--out", out)
    assert (said.code, said.err) == (0, "")
    for verb in ("prepare", "train", "score"):
        assert digest(request_file, out, verb) == digest(request_file, whole, verb)
