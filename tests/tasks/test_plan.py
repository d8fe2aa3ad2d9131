"""What has to run again, and why: decided by contents alone, before anything runs."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import lumipipe
from command import call
from lumipipe.tasks.plan import code_digest, plan_run
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import VERBS
from small_requests import change, monitoring

if TYPE_CHECKING:
    from pathlib import Path

DONE = dict.fromkeys(VERBS, "done")


def reasons(request: Path) -> dict[str, str]:
    """Why each verb has to run."""
    stages = plan_run(load_request(request), request.parent / "out", lambda _: None)
    return {verb: stage.reason for verb, stage in stages.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The request of a finished run, which no test may touch."""
    request = monitoring(tmp_path_factory.mktemp("whole"))
    assert set(reasons(request).values()) == {"it has not run yet"}
    for verb in VERBS:
        said = call(verb, request, "--out", request.parent / "out")
        assert said.code == 0, said
    return request


@pytest.fixture
def own(whole: Path, tmp_path: Path) -> Path:
    """A copy of that request, its data and its run; copying gives all files other times."""
    shutil.copytree(whole.parent, tmp_path / "copy", copy_function=shutil.copyfile)
    return tmp_path / "copy" / whole.name


def test_a_finished_run_has_nothing_to_do(whole: Path) -> None:
    assert reasons(whole) == DONE


def test_a_copied_run_has_nothing_to_do(own: Path) -> None:
    assert reasons(own) == DONE


def test_touching_all_files_changes_nothing(own: Path) -> None:
    for file in own.parent.rglob("*"):
        os.utime(file)
    assert reasons(own) == DONE


def test_a_file_that_moved_is_the_same_file(own: Path) -> None:
    (own.parent / "raw").rename(own.parent / "elsewhere")
    assert reasons(change(own, data={0: {"source": "elsewhere/plant.csv"}})) == DONE


def test_words_that_change_no_number_change_nothing(own: Path) -> None:
    own.write_text(f"# a comment\n{own.read_text()}")
    compute = {"ranks": 3, "batch_bytes": 2**20, "checkpoint_s": 1.0}
    assert reasons(change(own, compute=compute)) == DONE


def test_one_changed_byte_runs_all_again_and_names_the_source(own: Path) -> None:
    file = own.parent / "raw" / "plant.csv"
    content = file.read_bytes()
    file.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    assert reasons(own) == {
        "prepare": "changed: files of plant",
        "train": "changed: product of prepare",
        "score": "changed: product of train",
        "report": "changed: product of score",
    }


CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "title": ({"title": "Another"}, "report", "title"),
    "report": ({"report": {"most_units": 7}}, "report", "report"),
    "baseline": ({"evaluation": {"baseline": "a look"}}, "report", "evaluation.baseline"),
    "metrics": (
        {"evaluation": {"metrics": {"missed_detection_rate": "<= 0.5"}}},
        "score",
        "evaluation.metrics",
    ),
    "score": ({"score": {"limits": "theoretical"}}, "score", "score"),
    "train": ({"train": {"alpha": 0.02}}, "train", "train"),
    "split": ({"evaluation": {"split": {"train_first_rows": 41}}}, "train", "evaluation"),
    "prepare": ({"prepare": {"dtype": "float64"}}, "prepare", "prepare"),
    "source": ({"data": {0: {"rows": [0, 60]}}}, "prepare", "data: plant"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_section_runs_only_what_depends_on_it(own: Path, name: str) -> None:
    sections, first, what = CHANGES[name]
    old = own.read_text()
    at = VERBS.index(first)
    expected = DONE | {first: f"changed: {what}"}
    expected |= {
        verb: f"changed: product of {before}"
        for before, verb in zip(VERBS[at:], VERBS[at + 1 :], strict=False)
    }
    assert reasons(change(own, **sections)) == expected
    own.write_text(old)
    assert reasons(own) == DONE


@pytest.mark.parametrize("verb", VERBS)
def test_a_damaged_product_is_made_again(own: Path, verb: str) -> None:
    (manifest,) = (own.parent / "out" / verb).glob("*.json")
    products = [path for path in manifest.parent.iterdir() if path.is_dir()]
    victim = max(products[0].rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-1])
    assert reasons(own) == DONE | {verb: "its product is damaged or incomplete"}
    assert call(verb, own, "--out", own.parent / "out").code == 0
    assert reasons(own) == DONE


def test_a_report_of_another_request_is_retired(own: Path) -> None:
    out, old = own.parent / "out", own.read_text()
    shown = (out / "report.html").read_bytes()
    assert call("report", change(own, title="Another"), "--out", out).code == 0
    assert b"Another" in (out / "report.html").read_bytes()
    own.write_text(old)
    assert reasons(own) == DONE | {"report": "changed: title"}
    assert call("report", own, "--out", out).code == 0
    assert _without_times(out / "report.html") == _without_times_of(shown)


def _without_times(path: Path) -> list[bytes]:
    """The lines of a report but for those with times."""
    return _without_times_of(path.read_bytes())


def _without_times_of(content: bytes) -> list[bytes]:
    """The lines but for those with times."""
    return [line for line in content.splitlines() if b"T" not in line or b"+00:00" not in line]


def test_the_plan_as_json_is_the_plan(whole: Path) -> None:
    said = call("plan", whole, "--out", whole.parent / "out")
    assert said.code == 0
    assert said.err == ""
    assert said.out.count('"reason": "done"') == 4


@pytest.mark.parametrize("name", ["kernels/convolution.py", "kernels/fused/convolution.cu"])
def test_text_that_computes_is_in_the_digest_of_the_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    monkeypatch.setattr(lumipipe, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / name).write_text("one")
    before = code_digest(shown=False)
    (tmp_path / name).write_text("two")
    assert code_digest(shown=False) != before
