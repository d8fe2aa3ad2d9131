"""Requests of machines at sites, for the families whose states of sites add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

import small_requests
from command import call
from pooled import RIGHTS, run
from small_requests import DROP, change, impacts, turbine_rows, write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SITES = ("kemi", "lahti", "oulu")
MACHINES = RIGHTS | {
    "personal_data": "none",
    "policy": "company",
    "actor": "company",
}
NAMED = {
    "pattern": r"(?P<site>[a-z]+)_(?P<number>\w+)",
    "id": "{site}-{number}",
    "unit": "{site}-{number}",
}


def rights(sites: Iterable[str]) -> dict[str, Any]:
    """Rights of machines; where sites are joined, their states merge first."""
    return MACHINES | ({"site": "site"} if len(list(sites)) > 1 else {})


def monitoring(folder: Path, sites: Iterable[str]) -> Path:
    """Two plants a site with a model for all of them."""
    request = small_requests.monitoring(
        folder,
        rights=rights(sites),
        data={0: {"source": "raw/*_*.csv", "recordings": NAMED}},
        train={"models": {"plant": {"one_model_for": "stream"}}, "sample_rows": 100},
    )
    for site, number in plants(sites):
        rng = np.random.default_rng((*site.encode(), number))
        mix = np.random.default_rng(7).normal(size=(2, 5))
        rows = rng.normal(size=(60, 2)) @ mix + 0.2 * rng.normal(size=(60, 5))
        write_csv(folder / "raw" / f"{site}_{number}.csv", "a,b,c,d,e", rows)
    return request


def recipe(folder: Path, sites: Iterable[str]) -> Path:
    """Mixes of two laboratories a site, held out by mix."""
    request = small_requests.recipe(
        folder, rights=rights(sites), data={0: {"source": "raw/*_*.csv", "recordings": NAMED}}
    )
    header, *rows = (folder / "raw" / "mixes.csv").read_text(encoding="utf-8").splitlines()
    for site, number in plants(sites):
        place = 2 * SITES.index(site) + number
        own = [row for n, row in enumerate(rows) if n % 6 != place]
        text = "\n".join([header, *own]) + "\n"
        (folder / "raw" / f"{site}_{number}.csv").write_text(text, encoding="utf-8")
    return request


def emission(folder: Path, sites: Iterable[str]) -> Path:
    """A turbine a site, whose earlier years teach, with its sensors watched."""
    named = NAMED | {"unit": "{site}"}
    request = small_requests.emission(
        folder,
        rights=rights(sites),
        data={
            0: {"source": "raw/*_201[12].csv", "recordings": named},
            1: {"source": "raw/*_2013.csv", "recordings": named},
        },
    )
    for old in (folder / "raw").glob("gt_*"):
        old.unlink()
    for site in sites:
        for number, year in enumerate(("2011", "2012", "2013")):
            rows = turbine_rows(60, 10 * number + SITES.index(site))
            write_csv(folder / "raw" / f"{site}_{year}.csv", ",".join(small_requests.TURBINE), rows)
    return request


def soft_sensor(folder: Path, sites: Iterable[str]) -> Path:
    """Latent variables of two plants a site, with gaps, whose quality is beside the inputs."""
    plant = {
        "source": "raw/*_*.csv",
        "stream": "main",
        "recordings": NAMED,
        "time": {"kind": "order", "row": "one hour"},
        "channels": [{"name": name, "quantity": "ratio", "unit": "1"} for name in (*"abcde", "y")],
    }
    request = small_requests.soft_sensor(folder, rights=rights(sites))
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    form["data"] = [form["data"][0] | plant]
    form["train"] |= {"stream": "main", "targets": ["y"], "inputs": list("abcde")}
    del form["train"]["reference"]
    form["score"] = {}
    request.write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")
    mix = np.random.default_rng(3).normal(size=(3, 5))
    for site, number in plants(sites):
        rng = np.random.default_rng((*site.encode(), number))
        causes = rng.normal(size=(70, 3))
        rows = np.c_[10 + causes @ mix + 0.02 * rng.normal(size=(70, 5)), causes.sum(axis=1)]
        rows[3::7, 0] = np.nan
        write_csv(folder / "raw" / f"{site}_{number}.csv", "a,b,c,d,e,y", rows)
    return request


def bearing(folder: Path, sites: Iterable[str]) -> Path:
    """Bearings with two faults a site; each site is held out from the classifier."""
    split = {"split": {"kind": "group", "by": "site"}}
    if len(list(sites)) == 1:
        split = {"split": {"kind": "group", "by": "unit"}}
    request = small_requests.bearing(
        folder,
        rights=rights(sites),
        evaluation=split,
        data={
            0: {
                "source": "raw/*_*_*.csv",
                "recordings": {
                    "pattern": r"(?P<site>[a-z]+)_(?P<fault>[A-Z]+)_(?P<number>\d)",
                    "id": "{site}-{fault}-{number}",
                    "unit": "{site}-{fault}-{number}",
                },
            }
        },
        asset={"baseline": DROP},
    )
    for site, number in plants(sites):
        for name, per_second in (("IR", 163.0), ("OR", 107.0)):
            signal = impacts(per_second, 2.5 + number / 4, (number, len(name), *site.encode()))
            write_csv(folder / "raw" / f"{site}_{name}_{number}.csv", "v", signal[:, None])
    return request


def plants(sites: Iterable[str]) -> list[tuple[str, int]]:
    """Two plants of each site."""
    return [(site, number) for site in sites for number in range(2)]


BUILT: dict[str, Callable[[Path, Iterable[str]], Path]] = {
    build.__name__: build for build in (monitoring, recipe, emission, bearing, soft_sensor)
}
ADD = [name for name in BUILT if name != "soft_sensor"]
"""Families whose states of sites add."""


def finished(folder: Path, family: str, sites: Iterable[str], **rights_: Any) -> Path:
    """The finished run of a request, with a pool."""
    request = BUILT[family](folder, sites)
    if rights_:
        request = change(request, rights=rights_)
    assert call("pool", "init", folder / "pool").code == 0
    return run(request)
