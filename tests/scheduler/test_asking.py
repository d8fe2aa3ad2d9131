"""A question to Slurm: time limits, attempts, and an environment that bends no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.asking import Patience, ask, chunks

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import Clock, PretendedSlurm


def program(folder: Path, text: str) -> str:
    """Path of a shell program."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_answer_is_what_the_command_said(tmp_path: Path) -> None:
    answer = ask([program(tmp_path, "echo out $1; echo err >&2"), "x"])
    assert (answer.given, answer.out, answer.err) == (True, "out x\n", "err\n")


def test_a_command_that_is_not_there_gives_no_answer() -> None:
    answer = ask(["no-such-command-anywhere"])
    assert not answer.given
    assert "no-such-command-anywhere: No such file" in answer.err


def test_a_time_limit_ends_what_the_command_started_too(tmp_path: Path) -> None:
    # The sleeper holds the pipes open: without its end this test waits for a minute.
    words = [program(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait")]
    answer = ask(words, Patience(answer_s=0.5, attempts=1))
    assert not answer.given
    assert "no answer in" in answer.err


def test_a_failure_is_asked_again_after_pauses_that_double(
    slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.silence("squeue", calls=3)
    patience = clock.patience(attempts=4, pause_s=2.0, longest_pause_s=5.0)
    assert ask(["squeue", "--me"], patience).given
    assert clock.slept == [2.0, 4.0, 5.0]
    assert len(slurm.calls("squeue")) == 4


def test_attempts_are_bounded(slurm: PretendedSlurm, clock: Clock) -> None:
    slurm.silence("squeue")
    answer = ask(["squeue", "--me"], clock.patience(attempts=3))
    assert not answer.given
    assert "Unable to contact" in answer.err
    assert len(slurm.calls("squeue")) == 3


def test_an_unknown_job_is_an_answer(slurm: PretendedSlurm) -> None:
    answer = ask(["scontrol", "show", "job", "12"])
    assert answer.given
    assert answer.knows_no_job


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("SQUEUE_PARTITION", False),
        ("SACCT_FORMAT", False),
        ("SCANCEL_INTERACTIVE", False),
        ("SLURM_CLUSTERS", False),
        ("SLURM_JOB_ID", False),
        ("SLURM_CONF", True),
        ("ANYTHING", True),
    ],
)
def test_variables_that_bend_answers_are_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, kept: bool
) -> None:
    monkeypatch.setenv(name, "set-by-the-test")
    answer = ask([program(tmp_path, "env")])
    assert (f"{name}=set-by-the-test" in answer.out.splitlines()) == kept


def test_ids_are_asked_for_in_chunks() -> None:
    ids = [str(number) for number in range(120)]
    parts = list(chunks(ids))
    assert [len(part) for part in parts] == [50, 50, 20]
    assert [id_ for part in parts for id_ in part] == ids
