"""The facts of a machine as typed settings, read from the ``machine.yaml`` of its folder.

What is right by itself is checked by the classes here and in `lumipipe.machine.partitions`; what
must fit together, such as a partition and its nodes, in `lumipipe.machine.consistency`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, ValidationError, field_validator, model_validator

from lumipipe.config import Identifier, PositiveFloat, Settings, Text
from lumipipe.errors import InputError
from lumipipe.machine.consistency import contradiction
from lumipipe.machine.partitions import Count, Date, Fact, Node, Partition
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

FILE = "machine.yaml"

Flag: TypeAlias = Annotated[str, Field(pattern=r"^--[a-z][a-z-]*(=[^\s]+)?$")]


class Area(Fact):
    """One storage area."""

    path: Annotated[str, Field(pattern=r"^/.+/$")]
    """Folder that stands in the path of everything there, between slashes."""
    files: Count
    """Files, folders and links that the quota allows."""
    size: PositiveFloat
    """Volume that the quota allows, in `unit`."""
    unit: Literal["TB", "TiB"] = "TB"
    """Unit of volume, also of what is billed."""
    tb_h_rate: Annotated[float, Field(ge=0)]
    """Units billed for one `unit` kept for an hour; 0 where it is free."""


class Route(Fact):
    """Flags that one software environment of the machine needs."""

    job: list[Flag] = []
    """For sbatch."""
    one_node: list[Flag] = []
    """For sbatch, where several ranks share a single node."""
    launch: list[Flag] = []
    """For srun."""
    launch_devices: list[Flag] = []
    """For srun, where ranks have devices."""


class Account(Settings):
    """The project that pays."""

    required: bool = True
    """Whether Slurm wants one; it is never guessed."""
    pattern: Text
    """Regular expression of its name."""
    form: Text
    """The same in words."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression ({error}); mend the pattern") from error
        return value


class Currency(Settings):
    """What the site's own unit of account is called, and how many one of ours costs."""

    unit: Text
    each: PositiveFloat = 1.0


class Target(Settings):
    """The partition of each verb; where there are several, the first one that takes the job."""

    prepare: Annotated[list[Identifier], Field(min_length=1)]
    train: Annotated[list[Identifier], Field(min_length=1)]
    score: Annotated[list[Identifier], Field(min_length=1)]

    @field_validator("prepare", "train", "score", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    def partitions(self, verb: str) -> list[str]:
        """Names of the partitions to try for `verb`; none for a verb that runs no job."""
        return list(getattr(self, verb, [])) if verb in type(self).model_fields else []


class Machine(Settings):
    """Everything about one machine that jobs are derived from."""

    machine: Identifier
    """Name of the machine."""
    title: Text
    """Name for people."""
    checked: Date
    """When the facts were last compared with their sources."""
    account: Account
    personal_data: Literal["refused", "allowed"]
    """Whether data of people may be brought there."""
    launch: Literal["srun"]
    """What starts ranks."""
    route: Identifier
    """The one of `routes` that environment.sh sets up."""
    routes: Annotated[dict[Identifier, Route], Field(min_length=1)]
    nodes: Annotated[dict[Identifier, Node], Field(min_length=1)]
    partitions: Annotated[dict[Identifier, Partition], Field(min_length=1)]
    storage: Annotated[dict[Identifier, Area], Field(min_length=1)]
    files_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Part of an area's quota of files that one run may plan to use (our rule)."""
    currency: dict[Literal["gpu_h", "core_h", "tb_h"], Currency] = {}
    """Units of account, where they are not GPU-hours, core-hours and TB-hours."""
    targets: Annotated[dict[Identifier, Target], Field(min_length=1)]
    """Names for compute.target of a request."""

    @model_validator(mode="after")
    def _consistent(self) -> Machine:
        found = contradiction(self)
        if found:
            raise ValueError(found)
        return self

    def node_kinds(self, partition: str) -> list[Node]:
        """The kinds of nodes of a partition, the smallest memory first."""
        return [self.nodes[name] for name in self.partitions[partition].nodes]


def load_machine(folder: Path) -> Machine:
    """The machine that a folder describes.

    Parameters
    ----------
    folder : Path
        Such as ``slurm/NAME``; its ``machine.yaml`` is read.

    Returns
    -------
    Machine
        Checked facts.

    Raises
    ------
    InputError
        At the first thing that is wrong, with its line.
    """
    if not (folder / FILE).is_file():
        raise InputError(
            str(folder), f"holds no {FILE}, so it is no machine", "give the folder of a machine"
        )
    file = read_yaml(folder / FILE)
    try:
        return Machine.model_validate(file.content)
    except ValidationError as error:
        raise input_error(file, error, Machine) from error


def check_personal_data(machine: Machine, personal_data: str, place: str) -> None:
    """Refuse data that come from people on a machine that may not have them.

    Parameters
    ----------
    machine : Machine
        The machine.
    personal_data : str
        What the request says under ``rights``: none, pseudonymous or personal.
    place : str
        Where it says so, for the error.
    """
    if machine.personal_data == "refused" and personal_data != "none":
        raise InputError(
            place,
            f"personal_data: {personal_data} on {machine.title}, which may not handle personal "
            "data",
            "run inside (laptop) or send statistics packets only",
        )


def storage_area(machine: Machine, path: Path) -> str | None:
    """The name of the storage area that an absolute path lies in; None where there is none.

    File systems are mounted elsewhere and linked to, so that the folder that names the area may
    stand anywhere in the path; the first such folder counts.
    """
    text = f"{path}/"
    found = [name for name, area in machine.storage.items() if area.path in text]
    return min(found, key=lambda name: text.index(machine.storage[name].path), default=None)
