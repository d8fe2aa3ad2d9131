"""Limits that are checked before anything is submitted: account, time, jobs, files, devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine
    from lumipipe.machine.partitions import Node, Partition


def checked_account(machine: Machine, account: str | None, place: str) -> str:
    """The project that pays; empty where the machine wants none.

    Parameters
    ----------
    machine : Machine
        The machine.
    account : str or None
        What the user said; it is never guessed.
    place : str
        Where the user said so, for the error.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InputError
        If it is missing or no name of a project.
    """
    if not account:
        if machine.account.required:
            raise InputError(
                place,
                f"no account is given, and {machine.title} bills every job to a project",
                f"add --account ({machine.account.form}) or set SBATCH_ACCOUNT",
            )
        return ""
    if not re.fullmatch(machine.account.pattern, account):
        raise InputError(
            place,
            f"account {account} is no project of {machine.title}",
            f"write {machine.account.form}",
        )
    return account


def checked_minutes(
    name: str, partition: Partition, nodes: int, minutes: int | None, place: str
) -> int:
    """The time limit of a job.

    Parameters
    ----------
    name : str
        Name of the partition, for the error.
    partition : Partition
        Its facts.
    nodes : int
        Nodes of the job.
    minutes : int or None
        What is asked for; the longest that is allowed where None.
    place : str
        Where it was asked for, for the error.

    Returns
    -------
    int
        Minutes.

    Raises
    ------
    InputError
        If the partition does not allow it.
    """
    most, why = partition.minutes, f"{partition.minutes} minutes at most"
    if partition.node_hours is not None:
        capped = int(partition.node_hours * 60 // nodes)
        if capped < most:
            most = capped
            why = f"{partition.node_hours:g} node-hours at most, {capped} minutes"
    if minutes is None and most > 0:
        return most
    if minutes is None or not 0 < minutes <= most:
        raise InputError(
            place,
            f"minutes={minutes}, nodes={nodes}, partition={name}: {why}",
            "ask for less time, for fewer ranks, or for another target",
        )
    return minutes


def check_devices(
    name: str, node: Node, verb: str, *, needs_device: bool | None, place: str
) -> None:
    """Refuse devices that are paid for and not used, and a partition without those that are.

    Parameters
    ----------
    name : str
        Name of the partition.
    node : Node
        Its nodes.
    verb : str
        What the job does.
    needs_device : bool or None
        Whether the verb computes on a device; None where it takes what there is.
    place : str
        Where the array library was asked for, for the error.
    """
    told = f"verb={verb}, partition={name}, devices of a node={node.devices}"
    if needs_device is True and not node.devices:
        raise InputError(
            place, f"{told}, backend=cupy: there is no device", "ask for a target with devices"
        )
    if needs_device is False and node.devices:
        raise InputError(
            place,
            f"{told}, backend=numpy: devices would be billed and not used",
            "ask for backend auto or cupy, or for a target without devices",
        )


def check_job_caps(machine: Machine, name: str, planned: int, queued: int, place: str) -> None:
    """Refuse more jobs than a user may have in a partition.

    Parameters
    ----------
    machine : Machine
        The machine.
    name : str
        Name of the partition.
    planned : int
        Jobs that a run may have there at a time; each element of a job array is one.
    queued : int
        Jobs that the user has there now, waiting or running.
    place : str
        What was asked for, for the error.
    """
    most = machine.partitions[name].jobs_queued
    if most is not None and planned + queued > most:
        raise InputError(
            place,
            f"jobs planned={planned}, of yours in the queue={queued}, partition={name}, "
            f"jobs of a user (most)={most}",
            "wait until some have ended, or ask for another target",
        )


def check_files(machine: Machine, area: str, files: int, place: str) -> None:
    """Refuse a run that would use up too much of the project's quota of files.

    Parameters
    ----------
    machine : Machine
        The machine.
    area : str
        Name of the storage area that the run writes to.
    files : int
        Files that are planned there, folders among them.
    place : str
        What plans them, for the error.
    """
    quota = machine.storage[area].files
    most = int(quota * machine.files_share)
    if files > most:
        raise InputError(
            place,
            f"files planned={files}, area={area}, quota of the project={quota}, "
            f"of which one run may use {machine.files_share:.0%}={most}",
            "make prepare.shard_bytes larger, or prepare fewer recordings at a time",
        )
