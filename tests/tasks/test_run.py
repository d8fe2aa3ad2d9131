"""The one command with the real workflow: what runs, what is said, and what is left behind.

What has to run again after which change is tested by the plan alone in `test_plan`.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import call, environment, one_line
from lumipipe.store.manifest import staging_of
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import VERBS
from small_requests import activity, change, monitoring

if TYPE_CHECKING:
    from command import Said

ROOT = Path(__file__).resolve().parents[2]
BAD, BAD_ROWS = "p1_shake_1.csv", "x,y\nNaN,2\nNaN,4\n"


def result(out: Path) -> dict[str, object]:
    """What ``result.json`` says, but how it was run."""
    content = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "run"}


def manifests(out: Path) -> dict[str, dict[str, int]]:
    """When each manifest was written."""
    return {
        verb: {path.name: path.stat().st_mtime_ns for path in (out / verb).glob("*.json")}
        for verb in VERBS
    }


def ran(before: dict[str, dict[str, int]], out: Path) -> list[str]:
    """Verbs that wrote a manifest since `before`."""
    return [verb for verb, now in manifests(out).items() if now.items() - before[verb].items()]


def run(request: Path, out: Path) -> Said:
    """What ``lumipipe run`` said; nothing went wrong."""
    said = call("run", request, "--out", out)
    assert (said.code, said.err) == (0, ""), said
    return said


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The request of a finished run, in a folder with a blank, which no test may touch."""
    request = monitoring(tmp_path_factory.mktemp("a run"))
    said = run(request, request.parent / "out")
    assert "prepare it has not run yet" in said.out
    assert "verdict: INCONCLUSIVE" in said.out
    assert said.out.endswith(f"report: {request.parent / 'out' / 'report.html'}\n")
    return request


@pytest.fixture
def own(whole: Path, tmp_path: Path) -> Path:
    """A copy of that request, its data and its run; copying gives all files other times."""
    shutil.copytree(whole.parent, tmp_path / "own", copy_function=shutil.copyfile)
    return tmp_path / "own" / whole.name


@pytest.mark.slow
def test_a_second_run_does_nothing_and_says_the_same(whole: Path) -> None:
    out = whole.parent / "out"
    before, answer = manifests(out), result(out)
    said = run(whole, out)
    assert "everything is done; nothing runs" in said.out
    assert "verdict: INCONCLUSIVE" in said.out
    assert ran(before, out) == []
    assert result(out) == answer


@pytest.mark.slow
def test_a_run_into_a_copy_does_nothing(own: Path) -> None:
    assert "everything is done; nothing runs" in run(own, own.parent / "out").out


@pytest.mark.slow
def test_a_changed_title_writes_the_report_alone_and_the_old_one_comes_back(own: Path) -> None:
    out, old, answer = own.parent / "out", own.read_text(), result(own.parent / "out")
    before = manifests(out)
    said = run(change(own, title="Another title"), out)
    assert "report  changed: title" in said.out
    assert "\nAnother title\n" in said.out
    assert ran(before, out) == ["report"]
    assert result(out)["request"]["title"] == "Another title"  # type: ignore[index]
    own.write_text(old)
    said = run(own, out)
    assert ran(before, out) == ["report"]
    assert result(out) == answer


@pytest.mark.slow
def test_a_damaged_model_is_made_again_to_the_same_bytes(own: Path) -> None:
    out = own.parent / "out"
    (model,) = out.glob("train/*/model.npz")
    content, before = model.read_bytes(), manifests(out)
    model.write_bytes(content[:-1])
    said = run(own, out)
    assert "train   its product is damaged or incomplete" in said.out
    assert ran(before, out) == ["train"]
    assert model.read_bytes() == content


@pytest.mark.slow
def test_a_report_that_was_removed_or_edited_is_shown_again(own: Path) -> None:
    out = own.parent / "out"
    shown = {name: (out / name).read_bytes() for name in ("report.html", "result.json")}
    (out / "report.html").unlink()
    (out / "result.json").write_text("{}")
    assert "everything is done; nothing runs" in run(own, out).out
    assert {name: (out / name).read_bytes() for name in shown} == shown


@pytest.mark.slow
def test_a_second_run_into_a_folder_in_use_is_refused(own: Path) -> None:
    out = own.parent / "out"
    before = manifests(out)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = call("run", change(own, title="Another"), "--out", out)
    assert one_line(said) == f"{out}: another run writes to this folder; wait for it or end it"
    assert manifests(out) == before


@pytest.mark.slow
@pytest.mark.parametrize("made", ["a file of somebody", "no folder to write in"])
def test_a_folder_that_is_not_for_runs_is_refused_and_left_as_it_is(
    tmp_path: Path, made: str
) -> None:
    out = tmp_path / "mine"
    if made == "a file of somebody":
        out.mkdir()
        (out / "thesis.txt").write_text("chapter 1")
        told = "holds what is of no run, such as thesis.txt; name a new folder, or an empty one"
    else:
        out = Path("/proc/lumipipe/mine")
        told = "cannot be used (No such file or directory); name a folder where you may write"
    said = call("run", monitoring(tmp_path), "--out", out)
    assert one_line(said) == f"{out}: {told}"
    assert said.out == ""
    assert [path.name for path in tmp_path.glob("mine/*")] in ([], ["thesis.txt"])


def test_a_defect_shows_its_traceback_and_keeps_its_log(tmp_path: Path) -> None:
    request = monitoring(tmp_path)
    out = tmp_path / "out"
    manifest = plan_run(load_request(request), out, lambda _: None)["prepare"].manifest
    manifest.parent.mkdir(parents=True)
    staging_of(manifest).write_text("a file where a folder has to be\n")
    said = call("run", request, "--out", out)
    assert said.code == 1
    assert "rank 0 of 1, prepare:\nTraceback (most recent call last):" in said.err
    assert said.err.endswith(f"lumipipe: a step failed; {out / 'logs'} tells more\n")
    assert "Traceback" in (out / "logs" / "prepare.log").read_text()


@pytest.mark.slow
@pytest.mark.mpi
def test_a_bad_recording_is_listed_and_the_rest_is_done(tmp_path: Path) -> None:
    request = activity(tmp_path, prepare={"bad_recordings": "leave_out"}, compute={"ranks": 2})
    (tmp_path / "raw" / BAD).write_text(BAD_ROWS)
    out = tmp_path / "out"
    for _ in range(2):  # the second run does nothing and says it again
        said = call("run", request, "--out", out)
        assert (said.code, said.err) == (3, "")
        assert f"left out: {BAD} (has no reading at all)" in said.out
    answer = result(out)
    assert [item["what"] for item in answer["left_out"]] == [BAD]  # type: ignore[attr-defined]
    assert BAD in (out / "report.html").read_text(encoding="utf-8")
    assert "15 recordings of 4 units" in call("info", out).out


@pytest.mark.slow
def test_snakemake_alone_gives_the_same_result(whole: Path, tmp_path: Path) -> None:
    settings = {
        "request": whole,
        "out": tmp_path / "out",
        "lumipipe": f"{sys.executable} -m lumipipe",
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--directory", tmp_path),
            *("--snakefile", ROOT / "workflow" / "Snakefile"),
            *("--config", *(f"{name}={value}" for name, value in settings.items())),
        ],
        env=environment() | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert result(tmp_path / "out") == result(whole.parent / "out")


def test_a_bad_recording_is_refused_where_none_may_be_left_out(tmp_path: Path) -> None:
    request = activity(tmp_path)
    (tmp_path / "raw" / BAD).write_text(BAD_ROWS)
    line = one_line(call("prepare", request, "--out", tmp_path / "out"))
    assert line.startswith(f"{BAD}: channel acc_x: has no reading at all; drop the channel or")
    assert [path.name for path in (tmp_path / "out" / "prepare").iterdir()] == [".pieces"]


def test_the_verb_leaves_a_bad_recording_out_and_ends_with_three(tmp_path: Path) -> None:
    request = activity(tmp_path, prepare={"bad_recordings": "leave_out"})
    (tmp_path / "raw" / BAD).write_text(BAD_ROWS)
    for _ in range(2):
        said = call("prepare", request, "--out", tmp_path / "out")
        assert (said.code, said.err) == (3, "")
    assert call("train", request, "--out", tmp_path / "out").code == 0
