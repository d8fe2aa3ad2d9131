"""Machine files: what stands in them is read, what is wrong in them is refused with its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lumipipe.errors import InputError
from lumipipe.machine.facts import check_personal_data, load_machine, storage_area
from machines import MACHINES, SLURM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.machine.facts import Machine

FACT = {"source": "made up", "date": "2026"}
HOURLY = {"unit": "core_h", "per_node": 2}


def small_machine() -> dict[str, Any]:
    """A machine with as little as there can be."""
    return {
        "machine": "own",
        "title": "Our own",
        "checked": "2026-11",
        "account": {"pattern": "p[0-9]", "form": "p and a digit"},
        "personal_data": "allowed",
        "launch": "srun",
        "route": "plain",
        "routes": {"plain": {**FACT}},
        "nodes": {
            "thin": {"cores": 2, "memory_gib": 4, **FACT},
            "fat": {"cores": 2, "memory_gib": 8, **FACT},
            "gpu": {"cores": 4, "memory_gib": 8, "devices": 2, **FACT},
        },
        "partitions": {
            "whole": {
                **FACT,
                "nodes": ["thin"],
                "whole_nodes": True,
                "minutes": 60,
                "most_nodes": 2,
                "billing": dict(HOURLY),
            },
            "shared": {
                **FACT,
                "nodes": ["gpu"],
                "whole_nodes": False,
                "minutes": 60,
                "most_nodes": 2,
                "share": {"cores": 2, "memory_gib": 4},
                "billing": dict(HOURLY),
            },
        },
        "storage": {
            "work": {"path": "/work/", "files": 100, "size": 1, "tb_h_rate": 1, **FACT},
            "home": {"path": "/users/", "files": 100, "size": 1, "tb_h_rate": 0, **FACT},
        },
        "targets": {"own": {"prepare": "whole", "train": ["whole"], "score": "whole"}},
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    (folder / "machine.yaml").write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return folder


def test_the_machines_of_this_checkout_are_well_formed(machine: Machine) -> None:
    for name, partition in machine.partitions.items():
        planned = {
            name for target in machine.targets.values() for name in target.partitions("train")
        }
        assert partition.use != "attended" or name not in planned
    facts = [*machine.nodes.values(), *machine.partitions.values(), *machine.storage.values()]
    assert all(len(fact.source) > 10 and fact.date.startswith("20") for fact in facts)


def test_a_machine_may_lie_in_any_folder(tmp_path: Path) -> None:
    machine = load_machine(written(tmp_path, small_machine()))
    assert machine.targets["own"].partitions("prepare") == ["whole"]
    assert machine.targets["own"].partitions("report") == []
    assert [node.cores for node in machine.node_kinds("whole")] == [2]


# Limits as the documents print them, lumi-userguide docs/compute/scheduled-jobs/partitions.md.
LIMITS = {
    "standard": (True, 2 * 24, 120, 512),
    "small": (False, 3 * 24, 220, 4),
    "debug": (False, 0.5, 2, 4),
    "largemem": (False, 24, 30, 1),
    "standard-g": (True, 2 * 24, 210, 1024),
    "small-g": (False, 3 * 24, 210, 4),
    "dev-g": (False, 3, 2, 32),
    "lumid": (False, 4, 1, 1),
}


def test_limits_of_lumi(lumi: Machine) -> None:
    read = {
        name: (it.whole_nodes, it.minutes / 60, it.jobs_queued, it.most_nodes)
        for name, it in lumi.partitions.items()
    }
    assert read == LIMITS
    assert lumi.personal_data == "refused"
    assert lumi.account.required


def test_nodes_of_lumi(lumi: Machine) -> None:
    gpu = lumi.nodes["lumi-g"]
    assert (gpu.cores, gpu.memory_gib, gpu.devices) == (56, 480, 8)
    named = [core for cores in gpu.cores_of_device for core in cores]
    assert sorted([*named, *gpu.reserved_cores]) == list(range(64))
    assert [node.memory_gib for node in lumi.node_kinds("small")] == [224, 480, 992]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "misspelt key": (
        lambda m: m["partitions"]["whole"].update(minuts=5),
        "minuts:",
        r"unknown key partitions\.whole\.minuts; did you mean minutes",
    ),
    "no source": (
        lambda m: m["nodes"]["gpu"].pop("source"),
        "gpu:",
        r"nodes\.gpu\.source is missing",
    ),
    "date of a day without quotes": (
        lambda m: m["storage"]["work"].update(date=2026),
        "date:",
        r"2026 is no text; write it in quotes",
    ),
    "unknown nodes": (
        lambda m: m["partitions"]["whole"].update(nodes=["thick"]),
        "nodes:",
        r"partitions\.whole\.nodes names thick; use fat, gpu, thin",
    ),
    "unlike nodes": (
        lambda m: m["partitions"]["whole"].update(nodes=["thin", "gpu"]),
        "nodes:",
        r"partitions\.whole\.nodes differ in more than memory",
    ),
    "nodes out of order": (
        lambda m: m["partitions"]["whole"].update(nodes=["fat", "thin"]),
        "nodes:",
        r"have \[8\.0, 4\.0\] GiB; put the smallest first",
    ),
    "unknown partition": (
        lambda m: m["targets"]["own"].update(train="wholesome"),
        "train:",
        r"targets\.own\.train names wholesome; use shared, whole",
    ),
    "interactive target": (
        lambda m: m["partitions"]["whole"].update(use="attended"),
        "prepare:",
        r"targets\.own\.prepare names whole, where people sit and wait",
    ),
    "two architectures": (
        lambda m: (
            m["nodes"]["gpu"].update(architecture="aarch64"),
            m["targets"]["own"].update(train="shared"),
        ),
        "own:",
        r"targets\.own mixes aarch64, x86_64",
    ),
    "share larger than its part": (
        lambda m: m["partitions"]["shared"]["share"].update(cores=3),
        "cores:",
        r"partitions\.shared\.share of 2 ranks is 6 cores and 8 GiB, a node has 4 and 8",
    ),
    "share on whole nodes": (
        lambda m: m["partitions"]["whole"].update(share={"memory_gib": 1}),
        "whole:",
        r"whole_nodes=True and share=",
    ),
    "no billing": (
        lambda m: m["partitions"]["whole"].pop("billing"),
        "whole:",
        r"billing is missing",
    ),
    "two formulae": (
        lambda m: m["partitions"]["whole"]["billing"].update(largest_of={"cores": 1}),
        "billing:",
        r"give per_node or largest_of",
    ),
    "empty formula": (
        lambda m: m["partitions"]["whole"].update(billing={"unit": "gpu_h", "largest_of": {}}),
        "largest_of:",
        r"largest_of is empty",
    ),
    "more running than queued": (
        lambda m: m["partitions"]["whole"].update(jobs_queued=2, jobs_running=3),
        "whole:",
        r"jobs_running=3 is above jobs_queued=2",
    ),
    "least above most": (
        lambda m: m["partitions"]["whole"].update(least_nodes=3),
        "whole:",
        r"least_nodes=3 is above most_nodes=2",
    ),
    "cores for one device of two": (
        lambda m: m["nodes"]["gpu"].update(cores_of_device=[[0, 1]]),
        "gpu:",
        r"1 lists for devices=2",
    ),
    "one core for two devices": (
        lambda m: m["nodes"]["gpu"].update(cores_of_device=[[0, 1], [1, 2]]),
        "gpu:",
        r"given twice \[1\], reserved \[\], lengths \[2, 2\]",
    ),
    "a reserved core for a device": (
        lambda m: m["nodes"]["gpu"].update(cores_of_device=[[0], [1]], reserved_cores=[0]),
        "gpu:",
        r"given twice \[\], reserved \[0\]",
    ),
    "unlike devices": (
        lambda m: m["nodes"]["gpu"].update(cores_of_device=[[0], [1, 2]]),
        "gpu:",
        r"lengths \[1, 2\]",
    ),
    "a core that is not there": (
        lambda m: m["nodes"]["gpu"].update(cores_of_device=[[0], [5]], reserved_cores=[1]),
        "gpu:",
        r"names core 5, the last one of cores=4 and 1 reserved is 4",
    ),
    "unknown route": (
        lambda m: m.update(route="scenic"),
        "route:",
        r"route scenic is not described; use one of plain",
    ),
    "a short flag": (
        lambda m: m["routes"]["plain"].update(job=["-N 2"]),
        "-N 2",
        r"'-N 2' does not fit",
    ),
    "no regular expression": (
        lambda m: m["account"].update(pattern="p["),
        "pattern:",
        r"no regular expression",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    change, key, problem = CHANGES[case]
    content = small_machine()
    change(content)
    folder = written(tmp_path, content)
    with pytest.raises(InputError, match=problem) as caught:
        load_machine(folder)
    path, _, line = caught.value.place.rpartition(":")
    assert path == str(folder / "machine.yaml")
    found = (folder / "machine.yaml").read_text("utf-8").splitlines()[int(line) - 1]
    assert re.match(rf"\W*{re.escape(key)}", found), found
    assert "\n" not in str(caught.value)


def test_a_folder_without_facts_is_no_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no machine\.yaml"):
        load_machine(tmp_path)


@pytest.mark.parametrize("kind", ["pseudonymous", "personal"])
def test_data_of_people_are_kept_out(lumi: Machine, kind: str) -> None:
    check_personal_data(lumi, "none", "r.yaml:9")
    with pytest.raises(InputError, match=rf"^r\.yaml:9: personal_data: {kind} on LUMI"):
        check_personal_data(lumi, kind, "r.yaml:9")


def test_a_machine_may_allow_them(tmp_path: Path) -> None:
    check_personal_data(load_machine(written(tmp_path, small_machine())), "personal", "")


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/work/p1/run", "work"),
        ("/work", "work"),
        ("/mnt/lustre3/work/p1", "work"),
        ("/users/me/work/run", "home"),
        ("/elsewhere/run", None),
        ("/homework/run", None),
    ],
)
def test_storage_areas(tmp_path: Path, path: str, area: str | None) -> None:
    machine = load_machine(written(tmp_path, small_machine()))
    assert storage_area(machine, type(tmp_path)(path)) == area


def test_a_machine_is_a_folder_and_nothing_else() -> None:
    settings = [
        yaml.safe_load((SLURM / name / "profile.v9+.yaml").read_text("utf-8")) for name in MACHINES
    ]
    assert len(settings) > 1
    assert all(setting["executor"] == "slurm" for setting in settings)
    # What a job asks for comes from the plan alone.
    assert not any({"default-resources", "set-resources"} & set(setting) for setting in settings)
