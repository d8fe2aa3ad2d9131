"""The workflow with a stand-in for lumipipe: what runs when, and what a failure leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

VERBS = ["prepare", "train", "score", "report"]
HOUR_S = 3600


@pytest.mark.slow
def test_dry_run_plans_each_verb_once_and_makes_nothing(project: Project) -> None:
    assert project.planned() == VERBS
    assert not any(project.manifests().values())


@pytest.mark.slow
def test_run_makes_all_and_the_next_run_plans_nothing(project: Project) -> None:
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert all(len(names) == 1 for names in project.manifests().values())
    for verb in VERBS:
        assert (project.out / "logs" / f"{verb}.log").read_text() == f"{verb} begins\n"
        assert (project.out / "benchmarks" / f"{verb}.tsv").is_file()
    assert project.planned() == []


@pytest.mark.slow
def test_times_and_places_of_files_start_nothing(project: Project, tmp_path) -> None:
    project.run()
    # The order of the chain is reversed: each input becomes newer than what was made of it.
    for age, verb in enumerate(VERBS):
        for path in (project.out / verb).iterdir():
            os.utime(path, (time.time() - age * HOUR_S,) * 2)
    os.utime(project.folder / "request.json")
    (project.out / "notes.txt").write_text("an unrelated file\n")
    assert project.planned() == []
    copied = type(project)(tmp_path / "copied")
    shutil.copytree(project.folder, copied.folder, copy_function=shutil.copyfile)
    assert copied.planned() == []
    assert copied.planned(plan="out/plan.json") == []
    assert copied.planned(out=str(copied.out)) == []


@pytest.mark.slow
def test_a_changed_section_plans_its_descendants_only(project: Project) -> None:
    project.run()
    for first, verb in enumerate(VERBS):
        project.ask(**{verb: {"setting": "changed"}})
        assert project.planned() == VERBS[first:]
    project.ask()  # what was made before still stands
    assert project.planned() == []


@pytest.mark.slow
def test_a_plan_alone_says_what_to_run(project: Project) -> None:
    project.planned()
    done = project.run(request=None, out=None, plan="out/plan.json")
    assert done.returncode == 0, done.stderr
    assert project.planned() == []


@pytest.mark.slow
def test_a_failing_verb_ends_the_run_and_leaves_no_manifest(project: Project) -> None:
    project.ask(score={"fail": 2})
    done = project.run("--quiet", "all")
    assert done.returncode != 0
    assert "request.json: section score fails; take it out" in done.stderr
    assert "Traceback" not in done.stderr
    made = project.manifests()
    assert [verb for verb in VERBS if made[verb]] == ["prepare", "train"]
    assert project.planned() == ["score", "report"]


@pytest.mark.slow
def test_a_killed_run_resumes_with_the_plain_command(project: Project) -> None:
    project.ask(train={"wait_s": 600})
    log = project.out / "logs" / "train.log"
    with subprocess.Popen(
        project.command(),
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        until = time.monotonic() + 60
        while not log.exists() and time.monotonic() < until:
            time.sleep(0.05)
        refused = project.run()
        os.killpg(running.pid, signal.SIGKILL)
    assert refused.returncode != 0
    assert "Another run writes to out; wait for it or end it" in refused.stderr
    assert project.planned() == ["train", "score", "report"]
    project.ask()
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert project.planned() == []


@pytest.mark.slow
def test_the_launcher_starts_all_verbs_but_the_report(project: Project) -> None:
    project.ask(launcher="env RANKS=2")
    done = project.run("--printshellcmds")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if " --plan " in line]
    assert ["RANKS=2" in line for line in lines] == [True, True, True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"request": None}, "No request is given; add --config request=..."),
        ({"plan": "none.json"}, "There is no plan none.json; write it with"),
        ({"lumipipe": "none"}, "none: not found"),
    ],
)
def test_wrong_settings_are_named(project: Project, config: dict, message: str) -> None:
    done = project.run(**config)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
