"""What each verb's product depends on, as one digest a verb, before anything runs.

A product's file name carries the digest, so a changed section of the request, a changed byte
of an input or changed code give another name, and time stamps decide nothing.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.readers.files import check_digest, find_files, glob_root, relative_name
from lumipipe.readers.labelfiles import label_digests
from lumipipe.readers.recording import beside_digests
from lumipipe.store.manifest import digest_of, is_published
from lumipipe.tasks.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.config import Source
    from lumipipe.tasks.request import Loaded

_KEY_DIGITS = 20
_THREADS = 4
_LARGE_BYTES = 10**9
# What shows an answer or brings a job to its place changes no number: nothing is computed anew.
_COMPUTES = ("prepare", "reading", "labelling", "train", "score", "folding", "request", "plan")
_SHOWS_ONLY = ("cli.py", "machine/", "reporting/", "scheduler/")


def plan_run(loaded: Loaded, out: Path, log: Callable[[str], None]) -> dict[str, Stage]:
    """The stages of a run, each with its key and why it has to run.

    Parameters
    ----------
    loaded : Loaded
        The request.
    out : Path
        Folder of the run.
    log : callable of str
        Progress.

    Returns
    -------
    dict of str to Stage
        In the order of verbs.

    Raises
    ------
    InputError
        If an input file is missing or is not the one that the request declares.
    """
    stages: dict[str, Stage] = {}
    earlier = ""
    for verb, ingredients in _ingredients(loaded, log).items():
        digests = {name: digest_of(content) for name, content in ingredients.items()}
        if earlier:
            digests[f"product of {stages[earlier].verb}"] = stages[earlier].key
        key = digest_of({"verb": verb, **digests})[:_KEY_DIGITS]
        manifest = out / verb / f"{key}.json"
        stages[verb] = Stage(verb, key, digests, manifest, _reason(manifest, digests))
        earlier = verb
    return stages


def _ingredients(loaded: Loaded, log: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """What each verb depends on by itself, apart from the product before it."""
    request = loaded.request
    form = request.model_dump(mode="json")
    inputs = {source.id: _digests(source, loaded.base, log) for source in request.data}
    split = {name: form["evaluation"][name] for name in ("split", "interval", "seed")}
    declared = {
        source["id"]: {name: value for name, value in source.items() if name != "source"}
        for source in form["data"]
    }
    texts = {name: form[name] for name in ("id", "title", "language", "question", "rights")}
    compute = {"code": code_digest(shown=False)}
    return {
        "prepare": {
            **{f"files of {name}": digests for name, digests in inputs.items()},
            **{f"data: {name}": declared[name] for name in declared},
            "prepare": form["prepare"],
            **compute,
        },
        "train": {
            "family": request.question.family,
            "train": loaded.train.model_dump(mode="json"),
            "asset": loaded.asset.model_dump(mode="json"),
            "evaluation": split,
            "compute.backend": form["compute"]["backend"],
            **compute,
        },
        "score": {
            "score": loaded.score.model_dump(mode="json"),
            "evaluation.metrics": form["evaluation"]["metrics"],
            **_limits(loaded),
            **compute,
        },
        "report": {
            **texts,
            "evaluation.baseline": form["evaluation"]["baseline"],
            "report": form["report"],
            "code": code_digest(shown=True),
        },
    }


def _limits(loaded: Loaded) -> dict[str, Any]:
    """The rows of the table of limits, where the request has one; the file may lie anywhere."""
    if loaded.rules is None:
        return {}
    return {"rules": [row.model_dump(mode="json") for row in loaded.rules.rows]}


def _digests(source: Source, base: Path, log: Callable[[str], None]) -> dict[str, str]:
    """Name of each file of a source to its digest."""
    files = find_files(source, base)
    size = sum(file.stat().st_size for file in files)
    if size > _LARGE_BYTES:
        log(f"{source.id}: digests of {len(files)} files, {size / 1e9:.1f} GB")
    with ThreadPoolExecutor(_THREADS) as pool:
        digests = list(pool.map(lambda file: check_digest(file, source), files))
    root = glob_root(source, base)
    found = {
        relative_name(source, file, root): digest
        for file, digest in zip(files, digests, strict=True)
    }
    for file in files:
        found |= beside_digests(source, file)
    return found | label_digests(source, base)


def code_digest(*, shown: bool) -> str:
    """The digest of the package's source.

    Parameters
    ----------
    shown : bool
        Whether files that only show answers count.

    Returns
    -------
    str
        SHA-256 over names and contents.
    """
    folder = Path(lumipipe.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in {".py", ".j2", ".cu"} or (not shown and _shows_only(name)):
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _shows_only(name: str) -> bool:
    """Whether a file of the package has no part in what is computed."""
    if name.startswith("tasks/"):
        return Path(name).stem not in _COMPUTES
    return name.startswith(_SHOWS_ONLY)


def _reason(manifest: Path, ingredients: dict[str, str]) -> str:
    """Why the stage has to run: first time, a damaged product, or what has changed."""
    if manifest.exists():
        return "done" if is_published(manifest) else "its product is damaged or incomplete"
    others = sorted(manifest.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not others:
        return "it has not run yet"
    try:
        record = json.loads(others[-1].read_text(encoding="utf-8"))["content"]["record"]
        before: dict[str, str] = record["ingredients"]
    except (ValueError, KeyError):
        return "an earlier product cannot be read"
    changed = [
        name
        for name in sorted({*before, *ingredients})
        if before.get(name) != ingredients.get(name)
    ]
    return f"changed: {', '.join(changed)}"
