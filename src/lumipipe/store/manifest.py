"""Manifests: what a stage has finished, and the one way to finish it.

A stage's output is a *product* (a folder) and a small JSON manifest beside it that lists
every file with size and digest. The manifest is written last and in one step, so a product
without one does not exist. What is in a dataset's files is in `lumipipe.store.dataset`.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError, StoreError
from lumipipe.store.files import (
    digest_files,
    digest_of,
    missing_folders,
    remove_empty,
    remove_tree,
    sizes_below,
    sync,
    sync_tree,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Log = Callable[[str], None]

__all__ = [
    "Manifest",
    "digest_of",
    "is_published",
    "publishing",
    "read_manifest",
    "staging_of",
    "write_json",
]

FORM = 1
PATIENCE_S = 2.0
_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True)
class StoredFile:
    """Size in bytes and SHA-256 of one file of a product."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What one stage has finished.

    Parameters
    ----------
    kind : str
        The stage.
    key : str
        Digest of all that the product depends on.
    product : Path
        The folder beside the manifest.
    files : dict of str to StoredFile
        Every file of the product by its path in it.
    record : dict
        What the stage says about its product.
    digest : str
        SHA-256 of the five above, the same wherever and whenever the product was made.
    run : dict
        How it was made: ranks, seconds, versions; not a part of the digest.
    """

    kind: str
    key: str
    product: Path
    files: dict[str, StoredFile]
    record: dict[str, Any]
    digest: str
    run: dict[str, Any]


def read_manifest(
    path: Path, *, checksums: bool = False, patience_s: float = PATIENCE_S, log: Log | None = None
) -> Manifest:
    """The manifest at `path`, with its product's files checked.

    Parameters
    ----------
    path : Path
        The JSON file.
    checksums : bool
        Whether to read every file and compare its digest; presence and size are always
        compared.
    patience_s : float
        Seconds to wait for a listed file that the file system does not show yet.
    log : callable of str, optional
        Is told when and how long the reader waited.

    Returns
    -------
    Manifest
        What the stage has finished.

    Raises
    ------
    StoreError
        If there is no manifest, it was changed by hand, or a file is missing, has another size
        or (with `checksums`) other content; run the stage again.
    """
    manifest = _parsed(path)
    problem, waited_s = _wait_for_files(manifest, patience_s)
    if problem is not None:
        name, what = problem
        raise StoreError(
            str(manifest.product / name), f"{what} after {waited_s:.1f} s", _again(manifest.kind)
        )
    if log is not None and waited_s:
        log(f"waited {waited_s:.1f} s for the files of {manifest.product.name} to appear")
    if checksums:
        _compare_digests(manifest)
    return manifest


def _parsed(path: Path) -> Manifest:
    """The manifest at `path`, without a look at the product."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        body = content["content"]
        files = {name: StoredFile(*entry) for name, entry in body["files"].items()}
        manifest = Manifest(
            body["kind"],
            body["key"],
            path.parent / body["product"],
            files,
            body["record"],
            content["digest"],
            content["run"],
        )
    except FileNotFoundError as error:
        raise StoreError(
            str(path), "there is no manifest, so no finished product", "run the stage first"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            str(path), f"is no manifest ({error!r})", "remove it and run the stage again"
        ) from error
    if content.get("lumipipe_manifest") != FORM or digest_of(body) != manifest.digest:
        raise StoreError(
            str(path),
            "the manifest's content does not agree with its digest",
            "remove it and run the stage again",
        )
    return manifest


def _again(kind: str) -> str:
    """The remedy for a damaged product."""
    return f"run {kind} again; it rebuilds what is damaged"


def _wait_for_files(manifest: Manifest, patience_s: float) -> tuple[tuple[str, str] | None, float]:
    """The first file that is wrong after waiting, and the seconds waited."""
    started, pause_s = time.monotonic(), _FIRST_WAIT_S
    waited_s = 0.0
    while (problem := _first_problem(manifest)) is not None and waited_s < patience_s:
        time.sleep(min(pause_s, patience_s - waited_s))
        pause_s = min(2 * pause_s, _LONGEST_WAIT_S)
        waited_s = time.monotonic() - started
    return problem, waited_s


def _first_problem(manifest: Manifest) -> tuple[str, str] | None:
    """The first file, in order of names, that is missing or has a wrong size."""
    present = sizes_below(manifest.product)
    for name, file in sorted(manifest.files.items()):
        if name not in present:
            return name, "this file of the product is missing"
        if present[name] != file.size:
            return name, f"this file has {present[name]} bytes, not {file.size},"
    return None


def _compare_digests(manifest: Manifest) -> None:
    """Read every file and refuse the first whose digest is another."""
    names = sorted(manifest.files)
    found = digest_files(manifest.product / name for name in names)
    for name, digest in zip(names, found, strict=True):
        if digest != manifest.files[name].sha256:
            raise StoreError(
                str(manifest.product / name),
                "the content of this file was changed or damaged",
                _again(manifest.kind),
            )


def is_published(manifest: Path, key: str | None = None) -> bool:
    """Whether a whole product with this key stands beside `manifest`.

    Parameters
    ----------
    manifest : Path
        The JSON file.
    key : str, optional
        The key it must have; the file's stem where absent.

    Returns
    -------
    bool
        False where the manifest is absent or a file of its product is missing or cut.

    Raises
    ------
    StoreError
        If a whole product with another key stands there.
    """
    if not manifest.exists():
        return False
    try:
        found = read_manifest(manifest, patience_s=0)
    except StoreError:
        return False
    if found.key != (key or manifest.stem):
        raise StoreError(
            str(manifest),
            f"a product with another key ({found.key}) is published here",
            "published products are never changed; write to another place",
        )
    return True


def staging_of(product: Path) -> Path:
    """The folder in which `product` is built."""
    return product.parent / f".{product.stem}.staging"


@contextmanager
def publishing(
    manifest: Path,
    product: Path,
    record: dict[str, Any],
    *,
    key: str | None = None,
    run: dict[str, Any] | None = None,
    resume: bool = False,
    digests: dict[str, str] | None = None,
    log: Log | None = None,
) -> Iterator[Path]:
    """A folder to build a product in; leaving the block publishes it.

    Parameters
    ----------
    manifest : Path
        The JSON file to write last; the name of its folder is the stage.
    product : Path
        The folder beside it.
    record : dict
        What the stage says about the product; may be filled until the block ends.
    key : str, optional
        Digest of all that the product depends on; the manifest's stem where absent.
    run : dict, optional
        How it is made; may be filled until the block ends, and is not a part of the digest.
    resume : bool
        Whether what a killed run left in the folder is kept for the caller to go on with;
        removed otherwise. The log says which.
    digests : dict of str to str, optional
        SHA-256 of files, by path in the product, that the caller knows already.
    log : callable of str, optional
        Is told what was found, kept or removed.

    Yields
    ------
    Path
        The folder, which exists.

    Raises
    ------
    StoreError
        If a whole product with another key is published here. With the same key the block
        runs and its folder is thrown away: the first product stays.

    Notes
    -----
    *Method*: all files and folders are flushed, listed and digested, the folder is renamed, and
    the manifest follows, so a crash at any point leaves either no manifest or a whole product.
    An `InputError` in the block removes the folder and the folders made for it, but for a
    `StoreError` with `resume`; that and any other end leave it for the next run.
    """
    tell = log if log is not None else _nothing
    staging = staging_of(product)
    made = missing_folders(staging.parent)
    if is_published(manifest, key):
        remove_tree(staging)
    else:
        _clear_remains(manifest, product, staging, resume=resume, log=tell)
    staging.mkdir(parents=True, exist_ok=True)
    try:
        yield staging
    except InputError as error:
        if not (resume and isinstance(error, StoreError)):
            remove_tree(staging)
            remove_empty(made)
        raise
    if is_published(manifest, key):
        tell(f"{manifest.name}: was published before; nothing changes")
        remove_tree(staging)
        return
    _publish(
        manifest,
        product,
        staging,
        _Body(key or manifest.stem, record, digests or {}, run or {}),
        tell,
    )


@dataclass(frozen=True)
class _Body:
    """What a manifest says besides its files."""

    key: str
    record: dict[str, Any]
    digests: dict[str, str]
    run: dict[str, Any]


def _nothing(_: str) -> None:
    """Ignore a line of the log."""


def _clear_remains(manifest: Path, product: Path, staging: Path, *, resume: bool, log: Log) -> None:
    """Remove what no manifest vouches for, or keep it for a run that resumes."""
    if manifest.exists():
        log(f"{manifest.name}: its product is damaged; removed, to be built again")
        manifest.unlink()
        sync(manifest.parent)
        remove_tree(product)
    if product.exists():
        # Killed between the two last steps: nothing says that the folder is whole.
        log(f"{product.name}: a product without a manifest was found; removed")
        remove_tree(product)
    if staging.exists():
        if resume:
            log(f"{staging.name}: left by a killed run; resumed")
        else:
            log(f"{staging.name}: left by a killed run; removed")
            remove_tree(staging)


def _publish(manifest: Path, product: Path, staging: Path, body: _Body, log: Log) -> None:
    """Flush, list, rename, and write the manifest."""
    sync_tree(staging)
    sizes = sizes_below(staging)
    unknown = sorted(set(sizes) - set(body.digests))
    digests = body.digests | dict(
        zip(unknown, digest_files(staging / name for name in unknown), strict=True)
    )
    content = {
        "kind": manifest.parent.name,
        "key": body.key,
        "product": product.name,
        "record": body.record,
        "files": {name: [size, digests[name]] for name, size in sorted(sizes.items())},
    }
    digest = digest_of(content)
    log(f"{product.name}: {len(sizes)} files, {sum(sizes.values())} bytes; publishing")
    staging.rename(product)
    sync(product.parent)
    written = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(
        manifest,
        {
            "lumipipe_manifest": FORM,
            "content": content,
            "digest": digest,
            "written": written,
            "run": body.run,
        },
    )
    log(f"{manifest.name}: published")
