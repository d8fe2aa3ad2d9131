"""LUMI: user guide, docs/compute/lumi_env/billing.md. Roihu: CSC, computing/hpc-billing.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.machine.billing import Units, billed, billed_block, gigabytes, priced, tb_hours
from machines import MACHINES, derived

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine

LUMI = MACHINES["lumi"]
HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("partition", "nodes", "cores", "memory_gb", "devices", "seconds", "units"),
    [
        # The examples of the guide.
        ("small", 1, 4, 32, 0, DAY, Units(core_h=384)),
        ("small-g", 1, 1, 128, 1, DAY, Units(gpu_h=24)),
        ("small-g", 1, 16, 256, 1, HOUR, Units(gpu_h=2)),
        # Its formulae.
        ("standard", 3, 384, 672, 0, HOUR, Units(core_h=384)),
        ("standard", 3, 3, 3, 0, HOUR, Units(core_h=384)),
        ("standard-g", 2, 112, 960, 16, HOUR, Units(gpu_h=8)),
        ("small", 1, 4, 8, 0, HOUR, Units(core_h=4)),
        ("small", 1, 4, 8.5, 0, HOUR, Units(core_h=5)),
        ("debug", 1, 4, 32, 0, HOUR / 2, Units(core_h=8)),
        ("small-g", 1, 7, 60, 1, HOUR, Units(gpu_h=0.5)),
        ("small-g", 1, 9, 60, 1, HOUR, Units(gpu_h=1)),
        ("dev-g", 1, 56, 480, 8, HOUR, Units(gpu_h=4)),  # as dear as a whole node
        ("small-g", 1, 56, 480, 8, HOUR, Units(gpu_h=4)),
    ],
)
def test_lumi(
    lumi: Machine,
    partition: str,
    nodes: int,
    cores: int,
    memory_gb: float,
    devices: int,
    seconds: float,
    units: Units,
) -> None:
    cost = billed(
        lumi.partitions[partition],
        nodes=nodes,
        cores=cores,
        memory_gb=memory_gb,
        devices=devices,
        seconds=seconds,
    )
    assert cost == units


@pytest.mark.parametrize(
    ("partition", "cores", "gib", "devices", "hours", "price"),
    [
        ("small", 4, 16, 0, 2, {"CPU BU": 12}),  # both examples of the guide
        ("gpumedium", 144, 434, 2, 5, {"GPU BU": 2000}),
        ("hugemem", 4, 24, 0, 1, {"CPU BU": 48}),  # 12 a core
        ("hugemem", 1, 96, 0, 1, {"CPU BU": 24}),  # 0.25 a GiB
        ("medium", 384, 744, 0, 1, {"CPU BU": 288}),
        ("gpularge", 288, 868, 4, 1, {"GPU BU": 800}),
    ],
)
def test_roihu_has_units_of_its_own(
    roihu: Machine,
    partition: str,
    cores: int,
    gib: float,
    devices: int,
    hours: float,
    price: dict[str, float],
) -> None:
    units = billed(
        roihu.partitions[partition],
        nodes=1,
        cores=cores,
        memory_gb=gib * 2**30 / 1e9,
        devices=devices,
        seconds=hours * HOUR,
    )
    assert priced(roihu, units) == pytest.approx(price)


def test_lumi_accounts_in_our_units(lumi: Machine) -> None:
    assert priced(lumi, Units(2.0, 0.0), 3.0) == {"GPU-h": 2.0, "TB-h": 3.0}
    assert priced(lumi, Units()) == {}


def test_storage(lumi: Machine, roihu: Machine) -> None:
    year_h = 365 * 24
    assert tb_hours(lumi, "scratch", 20e12, year_h) == pytest.approx(175_200)
    assert tb_hours(lumi, "flash", 20e12, year_h) == pytest.approx(3 * 175_200)
    assert tb_hours(lumi, "home", 20e12, year_h) == 0
    kept = tb_hours(roihu, "scratch", 2**40, 24 * 180)
    assert priced(roihu, Units(), kept) == pytest.approx({"Storage BU": 25_920})


def test_gigabytes_never_quote_less_than_either_reading() -> None:
    assert gigabytes(1024) == pytest.approx(1.073741824)
    assert gigabytes(131072) > 128


def test_what_has_no_formula_has_no_price(lumi: Machine) -> None:
    with pytest.raises(InputError, match="no formula is known"):
        billed(lumi.partitions["lumid"], nodes=1, cores=1, memory_gb=1, devices=1, seconds=1)


AMOUNTS = st.tuples(
    st.integers(1, 4), st.integers(1, 128), st.floats(0.1, 4000), st.integers(0, 32)
)
BILLED = [name for name, partition in LUMI.partitions.items() if partition.billing]


@given(st.sampled_from(BILLED), AMOUNTS, AMOUNTS, st.floats(1, 1e6), st.floats(0, 1e6))
def test_more_is_never_cheaper(
    name: str,
    some: tuple[int, int, float, int],
    more: tuple[int, int, float, int],
    seconds: float,
    longer: float,
) -> None:
    names = ("nodes", "cores", "memory_gb", "devices")
    less = dict(zip(names, some, strict=True))
    larger = {key: less[key] + dict(zip(names, more, strict=True))[key] for key in names}
    cheap = billed(LUMI.partitions[name], **less, seconds=seconds)
    dear = billed(LUMI.partitions[name], **larger, seconds=seconds + longer)
    assert cheap.gpu_h <= dear.gpu_h
    assert cheap.core_h <= dear.core_h
    assert (cheap.gpu_h > 0) != (cheap.core_h > 0)


@pytest.mark.parametrize(
    ("target", "ranks", "units"),
    [
        ("lumi-standard-g", 16, Units(gpu_h=8)),
        ("lumi-small-g", 1, Units(gpu_h=0.5)),
        ("lumi-small-g", 8, Units(gpu_h=4)),
        ("lumi-dev-g", 24, Units(gpu_h=12)),
        ("lumi-small", 5, Units(core_h=5)),  # the memory of a fair share is for nothing
        ("lumi-standard", 64, Units(core_h=128)),
    ],
)
def test_planned_jobs(lumi: Machine, target: str, ranks: int, units: Units) -> None:
    assert billed_block(lumi, derived(lumi, target, ranks), HOUR) == units


def test_units_add() -> None:
    assert sum([Units(1, 2), Units(3, 4)], Units()) == Units(4, 6)
