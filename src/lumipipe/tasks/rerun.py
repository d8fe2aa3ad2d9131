"""The verb ``rerun``: a run again from its crate, without network, and what differs.

The steps run in this process, on one rank: the bytes do not depend on how many there are. What is
compared is in `lumipipe.tasks.rerun_compare`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from threadpoolctl import threadpool_limits

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError
from lumipipe.store.files import digest_file, write_json
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.contents import content_digest
from lumipipe.tasks.crate_check import problems_of, read_part, unpacked
from lumipipe.tasks.crate_inputs import package_file, rewritten
from lumipipe.tasks.crate_parts import (
    COMPUTING,
    CONTENTS,
    DATA,
    INPUTS,
    STEPS,
    files_of,
    ingredients_of,
)
from lumipipe.tasks.deciding import check_terms, record_decision
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.plan_log import REGISTERED
from lumipipe.tasks.pool import init_pool
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.registered import standing
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request, placing
from lumipipe.tasks.rerun_compare import Compared, compare
from lumipipe.tasks.score import score
from lumipipe.tasks.shown import REQUEST
from lumipipe.tasks.stages import Plan, Start
from lumipipe.tasks.train import train
from lumipipe.tasks.workflow import PLAN
from lumipipe.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

SITE, RERUN = "site", "rerun.json"
UNEQUAL = 1


def rerun(crate: Path, data: Path | None, out: Path, digest: str | None, log: Log) -> int:
    """Check a crate, run all its steps again, and compare each with that of the crate.

    Parameters
    ----------
    crate : Path
        Folder or ZIP file of the crate.
    data : Path, optional
        Folder with what the crate lacks.
    out : Path
        Folder of the new run, which must not be there yet.
    digest : str, optional
        Digest of the crate, as its maker was told.
    log : callable of str
        Is told each step, and each deviation.

    Returns
    -------
    int
        0 where each step that NumPy computed has the same bytes; 1 where one has not; 2 where
        the crate was tampered with, after a line for each part.

    Raises
    ------
    InputError
        If a raw file is not found, or the terms of use deny it.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(str(out), "is not empty", "name a new folder by --out")
    out.mkdir(parents=True, exist_ok=True)
    try:
        folder = unpacked(crate, out / "crate")
        if wrong := problems_of(folder, digest):
            for problem in wrong:
                print(f"lumipipe: {problem}", file=sys.stderr)
            shutil.rmtree(out)
            return InputError.exit_code
        request = _laid_out(folder, data, out)
    except InputError:
        shutil.rmtree(out)
        raise
    log(f"{crate}: every digest agrees; running its steps again")
    if (folder / REGISTERED).is_dir():
        shutil.copytree(folder / REGISTERED, out / REGISTERED)
    loaded = load_request(request)
    decision = check_terms(loaded)
    if decision is not None:
        record_decision(loaded, out, decision)
    with placing(loaded), threadpool_limits(1):
        stages = _run(loaded, out.resolve(), log)
    found = _compared(folder, loaded, stages, out)
    _tell(loaded, found, log)
    write_json(out / RERUN, found.as_json())
    return 0 if found.is_equal else UNEQUAL


def _tell(loaded: Loaded, found: Compared, log: Log) -> None:
    """What differs, and why a digest does that nobody could have made equal."""
    for line in found.lines():
        log(line)
    if loaded.request.rights.pool is not None and found.digests[0] != found.digests[1]:
        log("its request names a pool, whose key stays with its owner: digests of units are others")
        log("and so is the content digest, which covers them")


def _run(loaded: Loaded, out: Path, log: Log) -> dict[str, Stage]:
    """Run all stages, as the workflow would."""
    comm, stages = SerialComm(), plan_run(loaded, out, log)
    backend = choose_backend(loaded.request.compute.backend)
    prepare(loaded.request, loaded.base, stages["prepare"], comm, log)
    train(loaded, stages, comm, backend, log)
    score(loaded, stages, comm, backend, log)
    stages = plan_run(loaded, out, log)  # what the report tells of the plan is known now
    report(loaded, stages, comm, backend, log)
    starts = {verb: Start() for verb in stages}
    plan = Plan(loaded.file.path.resolve(), out, loaded.family.title, 1, stages, starts)
    write_json(out / PLAN, plan.as_json())
    return stages


def _compared(folder: Path, loaded: Loaded, stages: dict[str, Stage], out: Path) -> Compared:
    """The steps of a crate beside those that ran now."""
    now: dict[str, Any] = {}
    for verb in COMPUTING:
        manifest = read_manifest(stages[verb].manifest)
        now[verb] = {
            "digest": manifest.digest,
            "files": files_of(loaded, manifest),
            "ingredients": ingredients_of(loaded, stages[verb]),
            "run": manifest.run,
        }
    plan = standing(loaded, stages, out.resolve())
    request = folder / REQUEST
    digests = (
        digest_file(folder / CONTENTS),
        # The request as it was: a copy may have to name its files elsewhere.
        content_digest(request if request.exists() else loaded.file.path, stages, plan),
    )
    return compare(folder, read_part(folder, STEPS)["steps"], now, digests, out)


def _laid_out(crate: Path, data: Path | None, out: Path) -> Path:
    """The request in a folder where all that it reads is in its place."""
    inputs = read_part(crate, INPUTS)
    if "withheld" in inputs:
        return _own_request(read_part(crate, CONTENTS)["request"], data, crate)
    site, missing = out / SITE, []
    elsewhere = _by_size(data)
    for file in inputs["files"]:
        origin = _found(crate, file, elsewhere)
        if origin is None:
            missing.append(file)
            continue
        place = site / file["place"]
        place.parent.mkdir(parents=True, exist_ok=True)
        # The content was compared just now; a link does not fill the disk with copies.
        place.symlink_to(origin.resolve())
    if missing:
        first = missing[0]
        problem = f"{len(missing)} raw file(s) are not found, such as {first['place']}"
        told = f"{first['size']} bytes, sha256 {first['sha256']}"
        remedy = f"name the folder that holds them by --data ({told})"
        raise InputError(str(data or crate), problem, remedy)
    request = site / REQUEST
    site.mkdir(exist_ok=True)
    shutil.copyfile(crate / REQUEST, request)
    _rewrite(request, inputs["rewrites"])
    return request


def _rewrite(request: Path, rewrites: list[Any]) -> None:
    """Have the request name its files where they are now; other words stay as they are."""
    content = read_yaml(request).content
    pool = content.get("rights", {}).get("pool")
    if pool is not None:
        # Its secret stays with its owner; who withdrew is in no crate, for their data are not.
        init_pool(request.parent / "pool")
        rewrites = [*rewrites, [["rights", "pool"], "pool"]]
    if rewrites:
        text = yaml.safe_dump(rewritten(content, rewrites), sort_keys=False, allow_unicode=True)
        request.write_text(text, encoding="utf-8")


def _own_request(digest: str, data: Path | None, crate: Path) -> Path:
    """The request of data that stay inside, found by its digest where its owner keeps it."""
    if data is None:
        problem = "holds no data and no request, since they come from people"
        raise InputError(str(crate), problem, "name the folder that holds both by --data")
    for path in _files(data):
        if path.suffix in {".yaml", ".yml"} and digest_file(path) == digest:
            return path
    raise InputError(str(data), "does not hold the request of this crate", f"sha256 is {digest}")


def _found(crate: Path, file: dict[str, Any], elsewhere: dict[int, list[Path]]) -> Path | None:
    """Where a raw file is: in the crate, in the folder of data, or in an installed package."""
    if file["included"]:
        return crate / DATA / str(file["place"])
    near = package_file(file["package"]) if file["package"] else None
    for path in [*elsewhere.get(file["size"], []), *([near] if near else [])]:
        if digest_file(path) == file["sha256"]:
            return path
    return None


def _by_size(folder: Path | None) -> dict[int, list[Path]]:
    """The files below a folder by their size, so that few of them have to be read."""
    found: dict[int, list[Path]] = {}
    for path in _files(folder) if folder is not None else ():
        found.setdefault(path.stat().st_size, []).append(path)
    return found


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, in order."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if (path := Path(parent, name)).is_file():
                yield path
