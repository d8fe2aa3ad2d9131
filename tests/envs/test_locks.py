"""The lock files say what envs/README.md says about the environments."""

from __future__ import annotations

import re
import tomllib

import pytest

from conftest import ROOT

LOCKS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("envs", "requirements", "tests/envs")
    for path in (ROOT / folder).rglob("*.lock")
)
KERNELS = [f"envs/{name}/requirements.lock" for name in ("cpu", "lumi-native", "lumi-container")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = PROJECT["dependencies"]


def pins(lock: str) -> dict[str, str]:
    """Version of each package of a lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;]+)", text, re.MULTILINE))


def split(requirement: str) -> tuple[str, str]:
    """Name and minimum of a requirement in pyproject.toml."""
    name, _, minimum = requirement.partition(">=")
    return name, minimum


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def test_all_locks_are_looked_at() -> None:
    assert len(LOCKS) == 11
    assert set(KERNELS) < set(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_pinned_with_digests_and_no_index_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    if lock != "requirements/data.lock":  # written by hand: data of a package that is not imported
        assert text.splitlines()[1] == "#    make lock"
    assert not re.search(r"://|^--(?!hash)", text, re.MULTILINE)
    entries = re.sub(r"\\\n", " ", text).splitlines()
    required = [line for line in entries if line.strip() and not line.startswith("#")]
    assert required
    for line in required:
        assert re.match(r"[a-z0-9.-]+(\[[a-z]+\])?==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_the_head_needs_what_the_kernel_may_not_have() -> None:
    head = pins("envs/head/requirements.lock")
    # snakemake-executor-plugin-slurm 2.8.0 requires numpy>=2.4.5; CuPy 13 knows NumPy up to 2.3.
    assert release(head["numpy"]) >= (2, 4, 5)
    assert release(pins("envs/lumi-native/requirements.lock")["numpy"]) < (2, 4)
    assert {"snakemake", "snakemake-executor-plugin-slurm"} < set(head)
    assert not {"scipy", "zarr", "dask", "pyarrow"} & set(head)


def test_the_minimums_of_the_head_are_those_of_the_project() -> None:
    lines = (ROOT / "envs/head/requirements.in").read_text(encoding="utf-8").splitlines()
    head = dict(split(line) for line in lines if not line.startswith("#"))
    known = [*NEEDED, *PROJECT["optional-dependencies"]["slurm"]]
    assert head.items() <= dict(map(split, known)).items()
    assert set(head) == {
        *("click", "pydantic", "pyyaml"),
        *("snakemake", "snakemake-executor-plugin-slurm"),
    }


@pytest.mark.parametrize("lock", KERNELS)
def test_a_kernel_has_all_that_the_project_needs(lock: str) -> None:
    found = pins(lock)
    for name, minimum in map(split, NEEDED):
        assert release(found[name]) >= release(minimum), name


def test_the_two_routes_on_lumi() -> None:
    native, container = map(pins, KERNELS[1:])
    assert release(native["cupy"]) == (13, 5, 1)
    assert release(native["zarr"]) < (3, 2)  # which needs Python 3.12
    assert release(container["cupy-rocm-7-0"])[0] == 14
    assert (2, 3) <= release(container["numpy"]) < (2, 5)
    assert release(container["zarr"]) >= (3, 2)
    for found in (native, container):
        assert "mpi4py" in found
        assert not {"mpich", "snakemake"} & set(found)  # MPI comes from the system


def test_the_native_kernel_is_what_the_daily_tests_use() -> None:
    tested, native = pins("requirements/dev.lock"), pins("envs/lumi-native/requirements.lock")
    assert set(native) - set(tested) == {"cupy", "fastrlock"}
    assert {name: tested[name] for name in native if name in tested}.items() <= native.items()


def test_the_oldest_versions_are_the_minimums_of_the_project() -> None:
    oldest = pins("tests/envs/oldest.lock")
    tested = [*NEEDED, *PROJECT["optional-dependencies"]["mpi"]]
    for name, minimum in map(split, tested):
        found, asked = release(oldest[name]), release(minimum)
        assert found[: len(asked)] == asked, f"{name}: {minimum} is promised, {found} tested"


def test_the_newest_versions_are_newer_than_those_of_both_routes() -> None:
    newest = pins("tests/envs/newest.lock")
    for lock in KERNELS:
        for name in ("numpy", "scipy", "zarr", "xarray", "pandas"):
            assert release(newest[name]) >= release(pins(lock)[name]), (lock, name)


@pytest.mark.parametrize("lock", ["envs/head/requirements.lock", *KERNELS])
def test_nothing_that_builds_is_in_an_environment(lock: str) -> None:
    tools = {"cython", "hatchling", "setuptools", "wheel"}
    assert tools < set(pins("envs/build.lock"))
    assert not tools & set(pins(lock))
