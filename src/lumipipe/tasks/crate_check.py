"""Whether a run crate is as it was made: every file, product, plan and word of its metadata.

``SHA256SUMS`` finds what was damaged or changed. What it cannot find is a forgery with a list of
its own; for that the digests within the parts are compared with each other, and the digest of the
list with the one that the maker of the crate was told.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.store.files import digest_file, sizes_below
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.crate import METADATA, SUMS
from lumipipe.tasks.crate_parts import (
    COMPUTING,
    CONTENTS,
    DATA,
    INPUTS,
    PRODUCTS,
    REPORT,
    STEPS,
)
from lumipipe.tasks.plan_log import REGISTERED, verify_registered
from lumipipe.tasks.shown import REQUEST, RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FETCH = "fetch the crate again from who made it"
_MOST_UNPACKED_BYTES = 4 * 2**30
_KINDS = {DATA: "input", "products": "product", REGISTERED: "registered plan"}


def problems_of(crate: Path, digest: str | None = None) -> list[InputError]:
    """All that is wrong with a crate; empty where it is as it was made.

    Parameters
    ----------
    crate : Path
        Its folder.
    digest : str, optional
        SHA-256 of its list of digests, as its maker was told.

    Returns
    -------
    list of InputError
        One for each file that was changed, is gone, or is not listed; else one for each part whose
        digest is not the one that another part says.
    """
    try:
        listed = _listed(crate)
    except (OSError, ValueError) as error:
        return [InputError(str(crate / SUMS), f"is no list of digests ({error})", FETCH)]
    found = list(_changed_files(crate, listed))
    if digest is not None and digest != digest_file(crate / SUMS):
        problem = "is not the list of the crate whose digest was given"
        found.append(InputError(str(crate / SUMS), problem, FETCH))
    return found or list(_contradictions(crate, listed))


def unpacked(crate: Path, folder: Path) -> Path:
    """A crate as a folder: itself, or what a ZIP file holds, unpacked into `folder`.

    Raises
    ------
    InputError
        If it is neither, or leads out of the folder, or is too large.
    """
    if crate.is_dir():
        return crate
    try:
        with zipfile.ZipFile(crate) as archive:
            entries = archive.infolist()
            if any(_leads_out(entry.filename) for entry in entries):
                raise InputError(str(crate), "holds a path that leads out of it", FETCH)
            if sum(entry.file_size for entry in entries) > _MOST_UNPACKED_BYTES:
                raise InputError(str(crate), "unpacks to more than 4 GiB", "unpack it yourself")
            archive.extractall(folder)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        problem = f"is neither the folder of a crate nor a ZIP file ({error})"
        raise InputError(str(crate), problem, "name what lumipipe crate wrote") from error
    return folder


def read_part(crate: Path, name: str) -> dict[str, Any]:
    """A part of a crate that is a JSON file.

    Raises
    ------
    InputError
        If it is not there, or is no JSON.
    """
    try:
        content = json.loads((crate / name).read_text(encoding="utf-8"))
        return dict(content)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(str(crate / name), f"cannot be read ({error})", FETCH) from error


def _leads_out(name: str) -> bool:
    """Whether a path in an archive is not below where it is unpacked."""
    return PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name


def _listed(crate: Path) -> dict[str, str]:
    """Path of each file of a crate to its digest."""
    lines = (crate / SUMS).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("  ", 1) for line in lines]
    if any(len(pair) != 2 or _leads_out(pair[1]) for pair in pairs):  # noqa: PLR2004 - a pair
        raise ValueError("a line is not DIGEST  PATH")
    return {path: digest for digest, path in pairs}


def _changed_files(crate: Path, listed: dict[str, str]) -> Iterator[InputError]:
    """What is gone, was changed, or was added."""
    present = set(sizes_below(crate)) - {SUMS}
    for path in sorted({*listed, *present}):
        place = str(crate / path)
        if path not in present:
            yield InputError(place, f"this {_kind(path)} of the crate is gone", FETCH)
        elif path not in listed:
            yield InputError(place, f"this {_kind(path)} is no part of the crate", "remove it")
        elif digest_file(crate / path) != listed[path]:
            yield InputError(place, f"this {_kind(path)} was changed or damaged", FETCH)


def _kind(path: str) -> str:
    """What a file of a crate is, in words."""
    if path == METADATA:
        return "metadata"
    if path == REQUEST:
        return "request"
    parts = PurePosixPath(path).parts
    if parts[:2] == (PRODUCTS, "train"):
        return "model"
    return _KINDS.get(parts[0], "file")


def _contradictions(crate: Path, listed: dict[str, str]) -> Iterator[InputError]:
    """Parts that are as listed, and do not agree with each other: a forged list."""
    checks: list[Callable[[], Iterator[InputError]]] = [
        lambda: _metadata(crate, listed),
        lambda: _contents(crate),
        lambda: _products(crate),
        lambda: _inputs(crate, listed),
    ]
    for check in checks:
        try:
            yield from check()
        except InputError as error:
            yield error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            yield InputError(
                str(crate), f"its parts are not as lumipipe writes them ({error!r})", FETCH
            )


def _metadata(crate: Path, listed: dict[str, str]) -> Iterator[InputError]:
    """What the metadata say of files, against the list."""
    for entity in read_part(crate, METADATA)["@graph"]:
        digest, path = entity.get("sha256"), entity["@id"].removeprefix("./")
        if digest is not None and listed.get(path) != digest:
            problem = f"says another digest of {path} than the list"
            yield InputError(str(crate / METADATA), problem, FETCH)


def _contents(crate: Path) -> Iterator[InputError]:
    """Request, plan and report against the list of contents."""
    contents = read_part(crate, CONTENTS)
    if (crate / REQUEST).exists() and digest_file(crate / REQUEST) != contents["request"]:
        yield InputError(str(crate / REQUEST), "is not the request of these contents", FETCH)
    report = crate / REPORT / RESULT
    if report.exists():
        told = read_part(crate, f"{REPORT}/{RESULT}")["run"]["content_digest"]
        if told != digest_file(crate / CONTENTS):
            yield InputError(str(report), "tells of other contents", FETCH)
    if (crate / REGISTERED).exists():
        plans = [line["sha256"] for line in verify_registered(crate)]
        if contents["plan"] not in plans:
            yield InputError(str(crate / REGISTERED), "lacks the plan of these contents", FETCH)
    elif contents["plan"] is not None and report.exists():
        yield InputError(str(crate / REGISTERED), "the registered plan is gone", FETCH)


def _products(crate: Path) -> Iterator[InputError]:
    """Products against steps, and steps against contents."""
    contents, steps = read_part(crate, CONTENTS), read_part(crate, STEPS)["steps"]
    for verb in COMPUTING:
        step = steps[verb]
        if step["digest"] != contents["products"][verb]:
            yield InputError(str(crate / STEPS), f"{verb} is not that of these contents", FETCH)
        path = crate / PRODUCTS / verb / f"{step['key']}.json"
        if verb == "prepare" or not path.exists():
            continue
        manifest = read_manifest(path, checksums=True, patience_s=0)
        files = {name: [file.size, file.sha256] for name, file in manifest.files.items()}
        if manifest.digest != step["digest"] or files != step["files"]:
            yield InputError(str(path), f"is not the product of {verb} in {STEPS}", FETCH)


def _inputs(crate: Path, listed: dict[str, str]) -> Iterator[InputError]:
    """Raw files against what is said of them, and that against what prepare depended on."""
    for file in read_part(crate, INPUTS).get("files", []):
        if _leads_out(file["place"]):
            yield InputError(str(crate / INPUTS), "names a path that leads out", FETCH)
        if file["included"] and listed.get(f"{DATA}/{file['place']}") != file["sha256"]:
            yield InputError(str(crate / DATA / file["place"]), "is not the input listed", FETCH)
