from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.machine.limits import (
    check_devices,
    check_files,
    check_job_caps,
    checked_account,
    checked_minutes,
)
from machines import account_of

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine


@pytest.mark.parametrize("given", [None, ""])
def test_an_account_is_never_guessed(machine: Machine, given: str | None) -> None:
    with pytest.raises(InputError, match="no account is given") as caught:
        checked_account(machine, given, "--account")
    assert machine.account.form in caught.value.remedy


@pytest.mark.parametrize("given", ["mine", "project_12", "project_{}x", "Project_{}"])
def test_what_is_no_account_is_refused(machine: Machine, given: str) -> None:
    given = given.format("0" * 9)
    with pytest.raises(InputError, match=f"account {given} is no project of"):
        checked_account(machine, given, "--account")


def test_an_account_of_the_machine_is_taken(machine: Machine) -> None:
    name = account_of(machine)
    assert checked_account(machine, name, "") == name


def test_a_machine_may_want_none(lumi: Machine) -> None:
    free = lumi.model_copy(update={"account": lumi.account.model_copy(update={"required": False})})
    assert checked_account(free, None, "") == ""


@pytest.mark.parametrize(("nodes", "most"), [(32, 30), (16, 60), (8, 120), (5, 180), (1, 180)])
def test_node_hours_of_development_jobs(lumi: Machine, nodes: int, most: int) -> None:
    partition = lumi.partitions["dev-g"]
    assert checked_minutes("dev-g", partition, nodes, most, "") == most
    assert checked_minutes("dev-g", partition, nodes, None, "") == most
    with pytest.raises(
        InputError, match=rf"minutes={most + 1}, nodes={nodes}, partition=dev-g: .*{most} minutes"
    ):
        checked_minutes("dev-g", partition, nodes, most + 1, "")


def test_no_time_is_refused(lumi: Machine) -> None:
    with pytest.raises(InputError, match="minutes=0, nodes=1, partition=small: 4320 minutes"):
        checked_minutes("small", lumi.partitions["small"], 1, 0, "")


def test_jobs_of_a_user(lumi: Machine, roihu: Machine) -> None:
    check_job_caps(lumi, "dev-g", 1, 1, "")
    with pytest.raises(
        InputError,
        match=r"planned=2, of yours in the queue=1, partition=dev-g, jobs of a user \(most\)=2",
    ):
        check_job_caps(lumi, "dev-g", 2, 1, "")
    check_job_caps(roihu, "small", 10**6, 0, "")  # not published there


def test_files_of_a_run(lumi: Machine) -> None:
    check_files(lumi, "scratch", 100_000, "prepare")
    with pytest.raises(
        InputError,
        match=r"planned=100001, area=scratch, quota of the project=2000000, .* 5%=100000",
    ):
        check_files(lumi, "scratch", 100_001, "prepare")
    with pytest.raises(InputError, match="area=flash"):
        check_files(lumi, "flash", 50_001, "prepare")


@pytest.mark.parametrize(("kind", "needs"), [("lumi-c", True), ("lumi-g", False)])
def test_devices_and_their_use_go_together(lumi: Machine, kind: str, *, needs: bool) -> None:
    node = lumi.nodes[kind]
    with pytest.raises(
        InputError, match=rf"verb=train, partition=x, devices of a node={node.devices}, backend="
    ):
        check_devices("x", node, "train", needs_device=needs, place="")
    check_devices("x", node, "train", needs_device=not needs, place="")
    check_devices("x", node, "train", needs_device=None, place="")
