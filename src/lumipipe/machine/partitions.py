"""Nodes, partitions and prices of a machine as typed settings.

The rest of a machine, and how its file is read, is in `lumipipe.machine.facts`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from lumipipe.config import Identifier, PositiveFloat, Settings, Text

Date: TypeAlias = Annotated[str, Field(pattern=r"^20\d\d(-\d\d){0,2}$")]
Count: TypeAlias = Annotated[int, Field(ge=1)]


class Fact(Settings):
    """Something that a site says about itself."""

    source: Text
    """Where it is said: repository and file, or address."""
    date: Date
    """Year, month or day of that source, in quotes."""


class Node(Fact):
    """One kind of nodes, as jobs get them."""

    architecture: Text = "x86_64"
    """What `uname -m` says there."""
    cores: Count
    """Cores that a job can have on one node."""
    memory_gib: PositiveFloat
    """Memory that a job can have on one node."""
    devices: Annotated[int, Field(ge=0)] = 0
    """GPUs as Slurm counts them."""
    device: str | None = None
    """What one of them is."""
    device_type: Identifier | None = None
    """Name by which Slurm must be asked for them, where the site has named them."""
    cores_of_device: list[list[int]] = []
    """Cores nearest to each device, in the order of devices; empty where that is not known."""
    reserved_cores: list[int] = []
    """Cores that exist and are never given to a job."""

    @model_validator(mode="after")
    def _distinct_cores(self) -> Node:
        lists = self.cores_of_device
        if lists and len(lists) != self.devices:
            raise ValueError(
                f"cores_of_device has {len(lists)} lists for devices={self.devices}; "
                "give each device its cores"
            )
        named = [core for cores in lists for core in cores]
        twice = sorted({core for core in named if named.count(core) > 1})
        reserved = sorted(set(named) & set(self.reserved_cores))
        if twice or reserved or len({len(cores) for cores in lists}) > 1:
            raise ValueError(
                f"cores_of_device: given twice {twice}, reserved {reserved}, lengths "
                f"{[len(cores) for cores in lists]}; give each device as many cores of its own"
            )
        last = self.cores + len(self.reserved_cores) - 1
        if named and max(named) > last:
            raise ValueError(
                f"cores_of_device names core {max(named)}, the last one of cores={self.cores} "
                f"and {len(self.reserved_cores)} reserved is {last}; correct the numbers"
            )
        return self


class Share(Settings):
    """What goes with one device of a shared node, or with one core where it has no devices."""

    cores: Count = 1
    """Cores that a rank gets."""
    memory_gib: PositiveFloat
    """Memory that a rank gets where it asks for none."""
    limit: bool = False
    """Whether a rank cannot have more memory than that."""


class Largest(Settings):
    """Amounts of each kind that cost one unit; the dearest kind is billed."""

    cores: PositiveFloat | None = None
    memory_gb: PositiveFloat | None = None
    """Memory where the site says GB and leaves open whether a thousand or 1024 MB are meant."""
    memory_gib: PositiveFloat | None = None
    devices: PositiveFloat | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Largest:
        if not self.model_dump(exclude_none=True):
            raise ValueError("largest_of is empty; say what costs one unit")
        return self


class Billing(Settings):
    """The formula of one hour."""

    unit: Literal["gpu_h", "core_h"]
    """What it gives."""
    per_node: PositiveFloat | None = None
    """Units of each node, where nodes are billed whole."""
    largest_of: Largest | None = None
    """Else: the amounts of which the dearest is billed."""
    factor: PositiveFloat = 1.0
    """Units for one of these amounts."""
    rounded_up: bool = True
    """Whether each amount is rounded up to a whole multiple first."""

    @model_validator(mode="after")
    def _one_form(self) -> Billing:
        if (self.per_node is None) == (self.largest_of is None):
            raise ValueError("give per_node or largest_of; one of the two")
        return self


class Partition(Fact):
    """One partition of Slurm: what a job in it may ask for."""

    nodes: Annotated[list[Identifier], Field(min_length=1)]
    """Kinds of nodes in it, the smallest memory first."""
    whole_nodes: bool
    """Whether a job gets, and is billed, nodes as a whole."""
    use: Literal["production", "development", "attended"] = "production"
    """What the site wants it used for; no job is planned where people sit and wait."""
    minutes: Count
    """Longest time limit."""
    least_nodes: Count = 1
    most_nodes: Count
    """Nodes of one job."""
    most_cores: Count | None = None
    """Cores of one job."""
    most_devices: Count | None = None
    """Devices of one job."""
    node_hours: PositiveFloat | None = None
    """Nodes times hours of one job."""
    jobs_queued: Count | None = None
    """Jobs of one user, running ones among them; not published where absent."""
    jobs_running: Count | None = None
    """Running jobs of one user."""
    least_fill: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Part of the ranks with room on the nodes that must be there (our rule, not the site's)."""
    share: Share | None = None
    """What one rank gets; on whole nodes the ranks share all there is."""
    billing: Billing | None = None
    """None where it was not established; no job is planned there."""

    @model_validator(mode="after")
    def _in_order(self) -> Partition:
        if self.least_nodes > self.most_nodes:
            raise ValueError(
                f"least_nodes={self.least_nodes} is above most_nodes={self.most_nodes}; swap them"
            )
        if (self.jobs_running or 0) > (self.jobs_queued or self.jobs_running or 0):
            raise ValueError(
                f"jobs_running={self.jobs_running} is above jobs_queued={self.jobs_queued}; "
                "swap them"
            )
        planned = self.use != "attended"
        if planned and self.whole_nodes == (self.share is not None):
            raise ValueError(
                f"whole_nodes={self.whole_nodes} and share={self.share}; a share belongs to "
                "shared nodes, and only to them"
            )
        if planned and self.billing is None:
            raise ValueError("billing is missing; give its formula, or use: attended")
        return self
