"""The list of what is stale is whole: what differs without a person is named, or is gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import call
from lumipipe.pool.catalogue import Catalogue
from lumipipe.store.files import digest_file
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.derived import register
from pooled import persons, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SITES = ("kemi", "lahti", "oulu")
NAMES = ("ada", "bo", "cai", "dee")
GONE = "oulu-bo"
OF_THE_POOL = {"log.jsonl", "pool.json", "runs.json", "derived.json", "stale.json"}
FOREVER = "2999-12-31"


def made(tree: Path, gone: str = "") -> Path:
    """All that three sites make of their persons, with or without one of them."""
    sites = {}
    for site in SITES:
        names = [f"{site}-{name}" for name in NAMES if f"{site}-{name}" != gone]
        sites[site] = run(persons(tree / site, names))
        said("packet", "make", sites[site], "--site", site, "--out", tree / f"{site}.packet")
    out, pool = sites["oulu"], tree / "oulu" / "pool"
    said("pool", "add", pool, out, "--id", "watch")
    said("bundle", out, "--valid-until", FOREVER)
    said("bundle", out, "--valid-until", FOREVER, "--out", tree / "sold")
    sums = tree / "sums"
    packets = [tree / f"{site}.packet" for site in SITES]
    said("packet", "merge", *packets, "--out", sums, "--pool", pool)
    for site, done in sites.items():
        words = ("--site", site, "--out", tree / f"{site}.calibrated")
        said("packet", "calibrate", sums, done, *words)
    calibrated = [tree / f"{site}.calibrated" for site in SITES]
    said("packet", "merge", *calibrated, "--out", tree / "whole", "--pool", pool)
    said("packet", "fit", tree / "whole", "--out", tree / "fitted", "--pool", pool)
    # What another verb makes of a report notes itself in one line.
    reported = read_manifest(next(out.glob("report/*.json")))
    crate = tree / "crate.json"
    crate.write_text(json.dumps({"of": reported.digest}), encoding="utf-8")
    register(Catalogue.at(pool), "crate", digest_file(crate), crate, [reported.digest])
    return tree


def said(*words: object) -> str:
    """What a command says that has to work."""
    found = call(*words)
    assert found.code == 0, found
    return found.out


def contents(tree: Path) -> dict[str, str]:
    """Digest of each file of a tree by its path, but of raw data and of what a pool keeps."""
    return {
        path.relative_to(tree).as_posix(): digest_file(path)
        for path in tree.rglob("*")
        if path.is_file() and "raw" not in path.parts and path.name not in OF_THE_POOL
    }


def test_what_differs_without_a_person_is_named_or_gone(tmp_path: Path) -> None:
    tree = made(tmp_path / "with")
    before, without = contents(tree), contents(made(tmp_path / "without", GONE))
    rests_on = {
        path
        for path, digest in before.items()
        if without.get(path) != digest and not path.endswith(("plan.json", "decisions.jsonl"))
    }
    told = said("pool", "withdraw", tree / "oulu" / "pool", "watch", GONE)
    stale = json.loads((tree / "oulu" / "pool" / "stale.json").read_text(encoding="utf-8"))
    named = {item["path"]: item["what"] for item in stale["stale"]}
    assert {what: list(named.values()).count(what) for what in named.values()} == {
        "packet": 2,
        "merged packet": 2,
        "model of sites": 1,
        "bundle": 2,
        "crate": 1,
    }
    assert all(f"{what} " in told and path in told for path, what in named.items())
    after = contents(tree)
    left = {path for path in rests_on if after.get(path) == before[path]}
    # The scores of the other sites are of models that the person is in.
    others = {f"{site}.calibrated" for site in SITES} - {"oulu.calibrated"}
    # Their runs know nothing of each other but for the day and the paths of this test.
    apart = {path for path in left if path.startswith(("kemi/", "lahti/"))}
    unnamed = {
        path
        for path in left - apart - others
        if not any((tree / path).is_relative_to(there) for there in named)
    }
    assert unnamed == set()
    # The other way round: nothing is named that does not rest on the person.
    for there in named:
        place = tree / there
        mine = {path for path in before if (tree / path).is_relative_to(place)}
        assert mine & rests_on


def test_a_withdrawal_that_is_repeated_tells_the_same(tmp_path: Path) -> None:
    tree = made(tmp_path / "with")
    pool = tree / "oulu" / "pool"
    said("pool", "withdraw", pool, "watch", GONE)
    first = (pool / "stale.json").read_bytes()
    again = said("pool", "withdraw", pool, "watch", GONE)
    assert (pool / "stale.json").read_bytes() == first
    assert "stale: crate" in again
