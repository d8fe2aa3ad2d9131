"""The sbatch before sbatch: each submission on disk, everything else passed through."""

from __future__ import annotations

import ast
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.scheduler.head import CANCELLED
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import State
from lumipipe.scheduler.record import JOBS, run_name, submissions

if TYPE_CHECKING:
    from scheduler.pretended_slurm import PretendedSlurm

SHIM = Path(__file__).resolve().parents[2] / "workflow" / "bin" / "sbatch"
# As the plug-in calls it (2.8.0, submit_string.py).
WORDS = shlex.split(
    "--parsable --job-name lumipipe-0_1 --output /logs/%j.log --export=ALL --comment rule_train "
    "-p small -t 5 --mem 500 --nodes=1"
)


def sbatch(out: Path, *words: str, said: str = "", **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the shim, found first on the PATH."""
    path = f"{SHIM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"PATH": path, "LUMIPIPE_JOBS": str(out / JOBS)} | environment
    done = subprocess.run(
        ["sbatch", *words],
        input=said,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        # The interpreter looks a bare name up on the PATH of this process.
        executable=str(SHIM),
    )
    return done.returncode, done.stdout, done.stderr


def lines(out: Path) -> list[dict[str, Any]]:
    """The record, line by line; every line must be whole."""
    return [json.loads(line) for line in (out / JOBS).read_text().splitlines()]


def test_intent_and_id_are_on_disk_and_all_else_is_passed_through(
    out: Path, slurm: PretendedSlurm
) -> None:
    script = "#!/bin/sh\necho ä\n"
    words = [*WORDS, "--wrap", "a 'b' \"c\" $d\nä"]
    assert sbatch(out, *words, said=script) == (0, "4711\n", "sbatch: a word of the site\n")
    ((given, read, _),) = slurm.read()["scripts"]
    assert (given, read) == (words, script)
    intent, outcome = lines(out)
    assert shlex.split(intent["line"]) == ["sbatch", *words]
    assert (intent["verb"], intent["name"]) == ("train", "lumipipe-0_1")
    assert (outcome["event"], outcome["id"], outcome["key"]) == (
        "submitted",
        "4711",
        intent["key"],
    )
    (one,) = submissions(out)
    assert (one.id, one.verb, one.log) == ("4711", "train", "/logs/%j.log")


def test_the_intent_is_on_disk_before_the_submission(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "watching"
    folder.mkdir()
    real = folder / "sbatch"
    real.write_text(f"#!/bin/sh\ncp '{out / JOBS}' '{folder}/seen'\necho 12\n")
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert sbatch(out, *WORDS)[0] == 0
    (seen,) = map(json.loads, (folder / "seen").read_text().splitlines())
    assert seen["event"] == "intent"


def test_without_a_record_it_only_passes_through(out: Path, slurm: PretendedSlurm) -> None:
    assert sbatch(out, *WORDS, LUMIPIPE_JOBS="")[:2] == (0, "4711\n")
    slurm.change(refuse="no")
    assert sbatch(out, *WORDS, LUMIPIPE_JOBS="") == (7, "", "no\n")
    assert list(out.iterdir()) == []


def test_a_refusal_is_recorded_with_its_words(out: Path, slurm: PretendedSlurm) -> None:
    refusal = "sbatch: error: Batch job submission failed: Invalid account"
    slurm.change(refuse=refusal)
    assert sbatch(out, *WORDS) == (7, "", f"{refusal}\n")
    _, outcome = lines(out)
    assert (outcome["event"], outcome["code"], outcome["said"]) == ("refused", 7, refusal)
    assert jobs_of_run(out) == []


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        ("4711", "4711"),
        ("4711;other", "4711;other"),
        ("Welcome\n4711", "4711"),
        ("Submitted batch job 4711", "4711"),
    ],
)
def test_the_forms_of_an_id(out: Path, slurm: PretendedSlurm, said: str, id_: str) -> None:
    slurm.change(said=said)
    assert sbatch(out, *WORDS)[:2] == (0, f"{said}\n")
    assert [one.id for one in submissions(out)] == [id_]


def test_a_job_of_another_cluster_is_unknown_here(out: Path, slurm: PretendedSlurm) -> None:
    slurm.change(said="4711;other")
    slurm.job("4711", "RUNNING", name="a job of this cluster")
    sbatch(out, *WORDS)
    assert [job.state for job in jobs_of_run(out)] == [State.UNKNOWN]


def test_success_without_an_id_is_no_refusal(out: Path, slurm: PretendedSlurm) -> None:
    slurm.change(said="thank you")
    assert sbatch(out, *WORDS)[:2] == (0, "thank you\n")
    assert lines(out)[1]["event"] == "unclear"
    slurm.job("12", "RUNNING", name="lumipipe-0_1", comment="rule_train")
    assert [job.id for job in jobs_of_run(out)] == ["12"]


@pytest.mark.parametrize(
    ("words", "verb", "name"),
    [
        (["--comment=rule_score", "--job-name=n"], "score", "n"),
        (["--comment", "rule_score_wildcards_a_b", "-J", "n"], "score", "n"),
        (["-Jn", "--comment", "group_x"], "", "n"),
        (["--comment"], "", ""),
        ([], "", ""),
    ],
)
def test_the_forms_of_options(
    out: Path, slurm: PretendedSlurm, words: list[str], verb: str, name: str
) -> None:
    assert sbatch(out, *words)[0] == 0
    assert [(one.verb, one.name) for one in submissions(out)] == [(verb, name)]


def test_nothing_is_submitted_that_cannot_be_recorded(out: Path, slurm: PretendedSlurm) -> None:
    code, said, err = sbatch(out, *WORDS, LUMIPIPE_JOBS=str(out / "none" / JOBS))
    assert (code, said, err.count("\n")) == (1, "", 1)
    assert "cannot be written" in err
    assert "nothing was submitted" in err
    assert slurm.calls("sbatch") == []


def test_nothing_is_submitted_on_a_full_disk(out: Path, slurm: PretendedSlurm) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (out / JOBS).symlink_to("/dev/full")
    code, _, err = sbatch(out, *WORDS)
    assert (code, err.count("\n")) == (1, 1)
    assert "No space left on device" in err
    assert slurm.calls("sbatch") == []


def test_nothing_is_submitted_while_the_run_is_being_cancelled(
    out: Path, slurm: PretendedSlurm
) -> None:
    (out / CANCELLED).touch()
    code, _, err = sbatch(out, *WORDS)
    assert (code, err) == (
        1,
        "lumipipe sbatch: this run is being cancelled; nothing was submitted\n",
    )
    assert slurm.calls("sbatch") == []


def test_a_job_whose_id_cannot_be_written_is_reported_and_found_by_name(
    out: Path, slurm: PretendedSlurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The disk fills up between the two lines.
    folder = tmp_path / "filling"
    folder.mkdir()
    record = out / JOBS
    real = folder / "sbatch"
    real.write_text(f"#!/bin/sh\nmv '{record}' '{record}.kept'; mkdir '{record}'; echo 4711\n")
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    code, said, err = sbatch(out, *WORDS)
    assert (code, said) == (0, "4711\n")
    assert "the job's id is not in it" in err
    record.rmdir()
    (out / f"{JOBS}.kept").rename(record)
    slurm.job("4711", "RUNNING", name="lumipipe-0_1", comment="rule_train")
    assert [job.id for job in jobs_of_run(out)] == ["4711"]


def test_a_torn_line_swallows_no_submission(out: Path, slurm: PretendedSlurm) -> None:
    (out / JOBS).write_text('{"event": "subm')
    assert sbatch(out, *WORDS)[0] == 0
    assert [one.id for one in submissions(out)] == ["4711"]


def test_without_another_sbatch_it_says_so(out: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    code, _, err = sbatch(out, *WORDS, PATH=f"{SHIM.parent}{os.pathsep}{tmp_path / 'bin'}")
    assert (code, err) == (127, "lumipipe sbatch: there is no sbatch on the PATH but this one\n")
    assert list(out.iterdir()) == []


def test_what_a_job_submits_by_itself_is_not_recorded_as_this_run(
    out: Path, slurm: PretendedSlurm
) -> None:
    sbatch(out, *WORDS)
    ((_, _, environment),) = slurm.read()["scripts"]
    assert "LUMIPIPE_JOBS" not in environment


def test_signals_do_not_tear_a_submission(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "slow"
    folder.mkdir()
    real = folder / "sbatch"
    real.write_text(
        f"#!/bin/sh\ncd '{folder}'; touch begun; until [ -e go ]; do sleep 0.1; done; echo 4711\n"
    )
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    variables = os.environ | {"LUMIPIPE_JOBS": str(out / JOBS)}
    words = [str(SHIM), *WORDS, "--job-name", run_name(out)]
    with subprocess.Popen(
        words, env=variables, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (folder / "begun").exists():
            time.sleep(0.05)
        assert [job.state for job in jobs_of_run(out)] == [State.PENDING]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.killpg(process.pid, number)
        (folder / "go").touch()
        assert process.communicate()[0] == "4711\n"
    assert process.returncode == 0
    assert [one.id for one in submissions(out)] == ["4711"]


def test_it_runs_on_the_python_of_old_login_nodes() -> None:
    ast.parse(SHIM.read_text(), feature_version=(3, 6))
    assert os.access(SHIM, os.X_OK)
