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
from lumipipe.families.money_period import seconds_told
from lumipipe.language import catalogue_text, speaking
from lumipipe.readers.certificatefiles import certificate_digests
from lumipipe.readers.files import check_digest, find_files, glob_root, relative_name
from lumipipe.readers.labelfiles import label_digests
from lumipipe.readers.recording import beside_digests
from lumipipe.store.manifest import digest_of, is_published
from lumipipe.tasks.registered import standing
from lumipipe.tasks.stages import Stage
from lumipipe.tasks.withdrawn import withdrawn_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.config import Request, Source
    from lumipipe.tasks.request import Loaded

_KEY_DIGITS = 20
_THREADS = 4
_LARGE_BYTES = 10**9
# What shows an answer or brings a job to its place changes no number: nothing is computed anew.
_COMPUTES = (
    "prepare",
    "reading",
    "labelling",
    "train",
    "score",
    "folding",
    "request",
    "plan",
    "withdrawn",
    "leaves",
)
_SHOWS_ONLY = ("cli.py", "commands/", "machine/", "reporting/", "scheduler/", "scorer/")


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
        if verb == "report":
            digests |= _registered(loaded, stages, out)
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
    declared = {source.id: source.deciding() for source in request.data}
    texts = {name: form[name] for name in ("id", "title", "question", "rights")}
    # English needs no catalogue, so that its answers stay what they are when one grows.
    language = request.language
    spoken = {} if language == "en" else {"language": catalogue_text(language)}
    compute = {"code": code_digest(shown=False)}
    costs = _costs(request)
    return {
        "prepare": {
            **{f"files of {name}": digests for name, digests in inputs.items()},
            **{f"data: {name}": declared[name] for name in declared},
            "prepare": form["prepare"],
            **withdrawn_from(request, loaded.base).ingredient(),
            **compute,
        },
        "train": {
            "family": request.question.family,
            "train": loaded.train.model_dump(mode="json"),
            "asset": loaded.asset.model_dump(mode="json"),
            "evaluation": split,
            "compute.backend": form["compute"]["backend"],
            "of persons": request.rights.personal_data != "none",  # then no least and greatest
            **({"leaves": "kept"} if request.rights.pool is not None else {}),
            **({"rights.site": request.rights.site} if request.rights.site is not None else {}),
            **costs,
            **compute,
        },
        "score": {
            "score": loaded.score.model_dump(mode="json"),
            "evaluation.metrics": form["evaluation"]["metrics"],
            **_limits(loaded),
            **costs,
            **(_decided_each(request) if costs else {}),
            **_alarm(request),
            **spoken,
            **compute,
        },
        "report": {
            **texts,
            **spoken,
            "requester": form["requester"],
            "approver": form["approver"],
            "remarks on data": [_remarks(source) for source in request.data],
            "outputs": form["outputs"],
            "compute.deadline": form["compute"]["deadline"],
            "evaluation.baseline": form["evaluation"]["baseline"],
            "report": form["report"],
            "code": code_digest(shown=True),
        },
    }


def _costs(request: Request) -> dict[str, Any]:
    """What sets the limit that somebody acts on; nothing where no costs are stated."""
    form = request.question.model_dump(mode="json")
    names = ("cost_of_miss", "cost_of_false_alarm", "currency", "event", "will_act_if")
    if form["cost_of_miss"] is None and form["cost_of_false_alarm"] is None:
        return {}
    return {f"question.{name}": form[name] for name in names}


def _decided_each(request: Request) -> dict[str, Any]:
    """The time that is decided on, from which the cost of a year follows; none of other units."""
    seconds = seconds_told(request.question.unit_of_decision)
    return {} if seconds is None else {"question.unit_of_decision, s": seconds}


def _alarm(request: Request) -> dict[str, Any]:
    """The alarm of today that is tried on the same rows, where there is one."""
    today = request.evaluation.baseline
    if today is None or today.alarm is None:
        return {}
    return {"evaluation.baseline.alarm": today.alarm.model_dump(mode="json")}


def _registered(loaded: Loaded, stages: dict[str, Stage], out: Path) -> dict[str, str]:
    """What a report tells of the registered plan, where the run has one: its history counts."""
    with speaking("en"):  # one digest, whatever the language of the report
        found = standing(loaded, stages, out)
    if found is None:
        return {}
    told = [found.plan.model_dump(), [item.model_dump() for item in found.deviations]]
    return {"registered plan": digest_of(told)}


def _remarks(source: Source) -> dict[str, Any]:
    """What a source says for the report alone."""
    form, deciding = source.model_dump(mode="json"), source.deciding()
    return {n: form[n] for n in form if n != "source" and form[n] != deciding.get(n)}


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
    return found | label_digests(source, base) | certificate_digests(source, base)


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
