"""A person leaves a pool: what was made with them is found, named, removed and made without them.

The order matters. The withdrawal is logged first, so that no run uses the person from then on,
whatever happens next; the same command goes on where a killed one was. Models are merged again
from the others' leaves, never by subtraction. What holds the person's data or pseudonym is
removed; a file in the folder of each run names what is gone, by digests.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError
from lumipipe.families.merging import without
from lumipipe.pool.card import CARD
from lumipipe.pool.catalogue import STALE as GONE
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.exports import CITATION, CROISSANT, DCAT
from lumipipe.pool.log import append, entries
from lumipipe.store.files import remove_tree, write_json
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.derived import derived, made_of
from lumipipe.tasks.leaves import Kept, read_leaves
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from lumipipe.tasks.shown import BUNDLE, CRATE, PDF, TABLES
from lumipipe.tasks.stages import VERBS, read_plan
from lumipipe.tasks.train import open_job, publish_model
from lumipipe.tasks.withdrawn import STALE
from lumipipe.tasks.workflow import LOGS, PLAN
from lumipipe.timing import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.pool.card import Card
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

_SHOWN = {"report"}  # verbs whose files are copied to where people look
_PRODUCT_OF = "product of "
_ANEW = "lumipipe run trains anew"


def withdraw(pool: Path, dataset: str, unit: str, log: Log) -> int:
    """Take a person, or a machine, out of a pool and out of all that was made from it.

    Parameters
    ----------
    pool : Path
        Folder of the pool.
    dataset : str
        A dataset that they are in.
    unit : str
        Their pseudonym.
    log : callable of str
        Is told what is stale.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        If the dataset does not hold them; nothing changes.
    """
    catalogue = Catalogue.at(pool)
    digest = catalogue.digest(unit)
    versions_ = [item for item in catalogue.cards() if item[1].id == dataset]
    if not any(digest in card.units for _, card in versions_):
        problem = f"no data set {dataset} holds such a unit" if versions_ else f"has no {dataset}"
        raise InputError(str(pool), problem, "see lumipipe pool list; write it as the data do")
    if digest not in catalogue.withdrawn():
        # The tombstone: from here on no run uses the person.
        append(catalogue.log, {"kind": "withdrawal", "unit": digest, "day": _today()})
    stale = _packets(catalogue, digest)
    for run in catalogue.runs():
        stale |= _clean_run(Path(run), digest, unit, log)
    for folder, card in catalogue.cards():
        if digest in card.units:
            stale.add(card.digest)
            _retire(folder, card)
            log(f"stale: data set {card.id} version {card.version}: removed; publish a new version")
    _tell_derived(catalogue, stale, log)
    log("answers and bundles that were published or sent cannot be called back; tell who has them")
    return 0


def _today() -> str:
    """The day, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _packets(catalogue: Catalogue, digest: str) -> set[str]:
    """Digests of the packets that hold a unit."""
    found = entries(catalogue.log)
    return {
        line["packet"] for line in found if line["kind"] == "packet" and digest in line["units"]
    }


def _tell_derived(catalogue: Catalogue, stale: set[str], log: Log) -> None:
    """Name all that was made of what is stale and lies elsewhere; the pool keeps the list."""
    found = made_of(derived(catalogue), stale)
    for item in found:
        there = Path(item.path).exists()
        remedy = "make it again, and tell who has it" if there else "is not there any more"
        log(f"stale: {item.what} {item.digest[:16]} in {item.path}: {remedy}")
    noted = {item.digest for item in found}
    for packet in sorted(stale & set(_all_packets(catalogue)) - noted):
        log(f"stale: packet {packet[:16]}: make it again, and tell who has it")
    path = catalogue.folder / GONE
    told = json.loads(path.read_text(encoding="utf-8"))["stale"] if path.exists() else []
    known = {item["digest"] for item in told}
    told += [
        {"what": item.what, "digest": item.digest, "path": item.path, "since": _today()}
        for item in found
        if item.digest not in known
    ]
    write_json(path, {"lumipipe_stale": 1, "stale": told})


def _all_packets(catalogue: Catalogue) -> list[str]:
    """Digests of all packets that sites of this pool made."""
    return [line["packet"] for line in entries(catalogue.log) if line["kind"] == "packet"]


def _retire(folder: Path, card: Card) -> None:
    """Remove the store of a dataset and what tells others of it; its card stays and says so."""
    for name in (CROISSANT, DCAT, CITATION):
        (folder / name).unlink(missing_ok=True)
    write_json(folder / CARD, card.model_copy(update={"withdrawn": True}).model_dump(mode="json"))
    manifest = folder / card.manifest
    if manifest.exists():
        remove_tree(folder / _content(manifest)["product"])
        manifest.unlink()


def _clean_run(out: Path, digest: str, unit: str, log: Log) -> set[str]:
    """Make a run's model without the unit, then name and remove what was made with them.

    Returns the digests of products that are stale, those of earlier calls included.
    """
    if not out.is_dir():
        log(f"{out}: is not there any more; copies of it may be elsewhere")
        return set()
    stale = _made_with(out, digest)
    if not stale:
        return _noted(out)
    try:
        remade = _without(out, digest, unit, stale)
    except InputError as error:
        log(f"{out}: the model is not merged again ({error.problem}); lumipipe run trains it anew")
    else:
        log(f"{out}: the model was merged again without them: train {remade}")
    _note(out, stale)
    shown = {
        name for path in stale for name in _content(path)["files"] if path.parent.name in _SHOWN
    }
    for path in stale:
        log(f"stale: {path.parent.name} {path.stem} in {out}: removed")
        remove_tree(path.parent / _content(path)["product"])
        path.unlink()
    _remove_traces(out, shown)
    return _noted(out)


def _noted(out: Path) -> set[str]:
    """Digests of the products of a run that are stale."""
    path = out / STALE
    if not path.exists():
        return set()
    return {item["digest"] for item in json.loads(path.read_text(encoding="utf-8"))["stale"]}


def _content(manifest: Path) -> dict[str, Any]:
    """What a manifest says, whether or not its product is whole."""
    content: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["content"]
    return content


def _made_with(out: Path, digest: str) -> list[Path]:
    """Manifests of all products of a run that were made with a unit, in the order of verbs."""
    found: list[Path] = []
    keys: set[str] = set()
    for verb in VERBS:
        for path in sorted((out / verb).glob("*.json")):
            record = _content(path)["record"]
            before = {
                k for name, k in record["ingredients"].items() if name.startswith(_PRODUCT_OF)
            }
            if digest in record.get("units", ()) or before & keys:
                found.append(path)
                keys.add(path.stem)
    return found


def _without(out: Path, digest: str, unit: str, stale: list[Path]) -> str:
    """Publish the model of the others, merged from their leaves; the key of its product.

    Raises
    ------
    InputError
        If it can only be trained anew.
    """
    loaded = load_request(read_plan(out / PLAN).request)
    family = loaded.family
    if loaded.request.rights.site is not None:
        raise InputError(str(out), "its states are merged by site", _ANEW)
    stages = plan_run(loaded, out, lambda _: None)
    prepared = _same(stale, stages["prepare"], {"withdrawn"})
    trained = _same(stale, stages["train"], {f"{_PRODUCT_OF}prepare"})
    leaves = read_leaves(read_manifest(trained).product)
    backend = choose_backend("numpy")
    before = {"prepare": replace(stages["prepare"], manifest=prepared)}
    with threadpool_limits(1):  # as in a run: sums inside BLAS depend on it
        job = open_job(loaded, before, backend)
        job, kept = without(family, job, frozenset({unit}), leaves)
        model = family.fit(job, kept, SerialComm())
    units = [d for d in _content(prepared)["record"]["units"] if d != digest]
    run = {"ranks": 1, "backend": backend.name, "device": backend.device, "versions": versions()}
    run |= {"seconds": 0.0, "parts": {}, "merged": "again, without a unit that withdrew"}
    publish_model(stages["train"], model, run, lambda _: None, Kept(kept, units))
    return stages["train"].key


def _same(stale: list[Path], stage: Stage, but: set[str]) -> Path:
    """The product of an earlier plan that differs from a stage in the withdrawal alone."""
    now = {name: key for name, key in stage.ingredients.items() if name not in but}
    for path in stale:
        before = _content(path)["record"]["ingredients"]
        if path.parent.name == stage.verb and now == {
            name: key for name, key in before.items() if name not in but
        }:
            return path
    raise InputError(str(stage.manifest), f"request, files or code of {stage.verb} changed", _ANEW)


def _note(out: Path, stale: list[Path]) -> None:
    """Add to the list of what is stale, which holds keys and digests alone."""
    path = out / STALE
    told = json.loads(path.read_text(encoding="utf-8"))["stale"] if path.exists() else []
    known = {item["key"] for item in told}
    for manifest in stale:
        if manifest.stem not in known:
            digest = json.loads(manifest.read_text(encoding="utf-8"))["digest"]
            product = {"product": manifest.parent.name, "key": manifest.stem, "digest": digest}
            told.append({**product, "since": _today(), "why": "somebody in it withdrew"})
    write_json(path, {"lumipipe_stale": 1, "stale": told})


def _remove_traces(out: Path, shown: set[str]) -> None:
    """Remove copies of reports, PDF, logs, bundle and crate, and what killed calls left."""
    for name in {*shown, PDF}:
        (out / name).unlink(missing_ok=True)
    for folder in (out / TABLES, out / LOGS, out / BUNDLE, out / CRATE):
        shutil.rmtree(folder, ignore_errors=True)
    for verb in VERBS:
        for left in (out / verb).glob(".*"):
            remove_tree(left)
