"""The verb ``bundle``: the model of a run as a folder that scores new rows with NumPy alone.

What computes in it is `lumipipe.scorer`; which modules it carries says
`lumipipe.tasks.bundle_parts`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from textwrap import fill
from typing import TYPE_CHECKING, Any

from lumipipe import __version__
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.pool.catalogue import Catalogue
from lumipipe.store.artifact import read_arrays, write_arrays
from lumipipe.store.files import remove_tree, write_json
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.bundle_parts import parts
from lumipipe.tasks.deciding import check_giving
from lumipipe.tasks.derived import register
from lumipipe.tasks.request import checked
from lumipipe.tasks.score import SCORER
from lumipipe.tasks.shown import BUNDLE, REQUEST, RESULT
from lumipipe.tasks.stages import read_plan
from lumipipe.tasks.status import check_folder
from lumipipe.tasks.train import MODEL
from lumipipe.tasks.workflow import PLAN
from lumipipe.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.config import Rights
    from lumipipe.store.manifest import Manifest
    from lumipipe.tasks.request import Loaded

FORM = 1
_ARRAYS, _CARD, _SUMS, _PARTS = "arrays", "card.json", "SHA256SUMS", "parts"

_NEEDS = (
    "This needs Python 3.11, NumPy 2 and nothing else. The first line of rows.csv, in any order; "
    "other columns may be there:"
)
_REFUSES = (
    "What is unlike the data that taught the model, or lacks a reading, is refused with the reason "
    "and has no answer. Exit code 0: all was answered; 2: the input is wrong, and one line says "
    "why; 3: some was refused."
)
_SUMS_TOLD = (
    "score.py compares every file with SHA256SUMS before it reads anything. That finds damage and "
    "changes, not a forgery that brings its own SHA256SUMS: compare the digest of that file with "
    "the one that the maker of the bundle was told."
)


def bundle(
    run: Path,
    out: Path | None,
    valid_until: str | None,
    log: Callable[[str], None],
    today: date | None = None,
) -> int:
    """Write the bundle of a run.

    Parameters
    ----------
    run : Path
        Folder of the run.
    out : Path, optional
        Folder of the bundle, which must not be there yet; ``bundle`` in that of the run.
    valid_until : str, optional
        Last day of the bundle, such as 2027-03-31, in UTC.
    log : callable of str
        Is told what was written.
    today : date, optional
        First day of the bundle; that of this machine's clock, in UTC, where absent.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        If there is no day until which it is valid, or the run has no model that answers new rows.
    StoreError
        If the run is not finished, or is damaged.
    """
    first = today or datetime.now(UTC).date()
    last = _day(valid_until, first)
    _check_learnt_here(run)
    check_folder(run)
    scored, reported = (_manifest(run, verb) for verb in ("score", "report"))
    result = json.loads((reported.product / RESULT).read_text(encoding="utf-8"))
    _check_scorer(run, scored, result)
    loaded = _request_of(run, reported)
    decision = check_giving(loaded, "model")
    folder = run / BUNDLE if out is None else out
    if folder.exists():
        raise InputError(str(folder), "is there already", "remove it, or name another by --out")
    arrays, model = read_arrays(scored.product / SCORER)
    card = _card(model, result, loaded.request.rights, reported, (first, last))
    if decision is not None:
        card |= {"terms": decision.as_json()}
    staging = folder.parent / f".{folder.name}.staging"
    remove_tree(staging)
    staging.mkdir(parents=True)
    write_arrays(staging / _ARRAYS, arrays, {})
    (staging / _ARRAYS).with_suffix(".json").unlink()
    write_json(staging / _CARD, card)
    _write_code(staging)
    (staging / "README.txt").write_text(_readme(card), encoding="utf-8")
    name = _write_sums(staging)
    staging.replace(folder)
    log(f"{folder}: scores {card['question']['unit_of_decision']} until {last} with NumPy alone")
    if card["verdict"] != "supported":
        log(f"its run said {card['verdict'].replace('_', ' ').upper()}, and so does its card")
    log(f"its name, to compare with what its receiver has: {name}")
    for line in decision.lines() if decision is not None else ():
        log(line)
    if loaded.request.rights.pool is not None:
        pool = Catalogue.at(loaded.base / loaded.request.rights.pool)
        register(pool, "bundle", name, folder, [scored.digest, reported.digest])
    return 0


def _request_of(run: Path, reported: Manifest) -> Loaded:
    """The request of a run as it was reported; its paths start where it lies."""
    path = read_plan(run / PLAN).request
    copy = read_yaml(reported.product / REQUEST)
    return checked(replace(copy, path=path))


def _day(text: str | None, first: date) -> date:
    """The last day of a bundle."""
    if text is None:
        raise InputError(
            "--valid-until", "is not given, and a model does not hold for ever", "give a last day"
        )
    try:
        last = date.fromisoformat(text)
    except ValueError as error:
        problem = "is no day"
        raise InputError(f"--valid-until {text}", problem, "write it like 2027-03-31") from error
    if last < first:
        raise InputError(f"--valid-until {text}", f"lies before {first}", "give a day to come")
    return last


def _check_learnt_here(run: Path) -> None:
    """Refuse the model of a packet."""
    if "packet" in (read_arrays(run / MODEL)[1] if (run / f"{MODEL}.npz").is_file() else {}):
        raise InputError(
            str(run),
            "its model comes from a packet, and nobody has put it to a test",
            "make a bundle of a run that has the data",
        )


def _manifest(run: Path, verb: str) -> Manifest:
    """The manifest of a stage, every digest compared; the folder may have moved."""
    planned = read_plan(run / PLAN).stages[verb].manifest
    return read_manifest(run / verb / planned.name, checksums=True)


def _check_scorer(run: Path, scored: Manifest, result: dict[str, Any]) -> None:
    """Refuse a run without a model that answers new rows."""
    if f"{SCORER}.npz" in scored.files:
        return
    family = result["request"]["family"]
    if hasattr(FAMILIES[family], "scorer"):
        raise InputError(str(run), "it fitted no model that answers new rows", "see its report")
    able = ", ".join(name for name in FAMILIES if hasattr(FAMILIES[name], "scorer"))
    raise InputError(
        str(run),
        f"the family {family} has no model with a guard for new rows",
        f"it goes for {able}",
    )


def _card(
    model: dict[str, Any],
    result: dict[str, Any],
    rights: Rights,
    reported: Manifest,
    days: tuple[date, date],
) -> dict[str, Any]:
    """What the bundle answers, for whom, how well and until when."""
    asked, run, coverage = result["request"], result["run"], result["coverage"]
    names = ("achieved", "lower", "upper", "count", "nominal")
    digests = {name: d for name, d in run["digests"].items() if name.startswith("product of")}
    request = (reported.product / REQUEST).read_bytes()
    return {
        "lumipipe_bundle": FORM,
        "id": asked["id"],
        "title": asked["title"],
        "family": asked["family"],
        "question": {name: asked[name] for name in ("decision", "unit_of_decision")},
        "not_to_be_used_for": asked["not_to_be_used_for"],
        "owner": rights.owner,
        "licence": rights.licence,
        "personal_data": rights.personal_data,
        "verdict": result["verdict"],
        "answer": result["answer"],
        "metrics": [
            {name: metric[name] for name in ("name", "label", "value", "lower", "upper", "count")}
            for metric in result["metrics"]
        ],
        "coverage": None if coverage is None else {name: coverage[name] for name in names},
        "split": result["split"]["sentence"],
        "valid_from": days[0].isoformat(),
        "valid_until": days[1].isoformat(),
        "digests": digests | {"request": hashlib.sha256(request).hexdigest()},
        "versions": {"lumipipe": __version__, **run["versions"]},
        "model": model,
    }


def _write_code(folder: Path) -> None:
    """Put what computes into a bundle."""
    entry = files("lumipipe.scorer").joinpath("entry.py").read_text(encoding="utf-8")
    (folder / "score.py").write_text(entry, encoding="utf-8")
    for name, text in parts().items():
        path = folder / _PARTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _write_sums(folder: Path) -> str:
    """List each file with its digest, as sha256sum does; the digest of the list."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in paths
    ]
    sums = "".join(lines).encode()
    (folder / _SUMS).write_bytes(sums)
    return hashlib.sha256(sums).hexdigest()


def _readme(card: dict[str, Any]) -> str:
    """What to do with a bundle, in plain text."""
    model, question = card["model"], card["question"]
    header = ",".join(f"{c['name']} [{c['unit']}]" for c in model["channels"])
    rate = f" --rate-hz {model['rate_hz']:g}" if model["is_timed"] else ""
    many = (
        "Rows must be neighbours in time without a gap; each answer takes "
        f"{model['window_rows']} of them and is told of the last."
    )
    rows = many if model["window_rows"] > 1 else "Each row is answered by itself."
    told = model.get("decision")
    acts = (
        f"Column act: yes where acting costs less, at {told['cost_of_miss']:g} {told['currency']} "
        f"a miss and {told['cost_of_false_alarm']:g} {told['currency']} a false alarm (limit: "
        f"{told['limits']['chosen']})."
        if told
        else ""
    )
    version = card["versions"]["lumipipe"]
    words = [
        card["title"],
        f"For: {question['decision']} (one answer is about {question['unit_of_decision']})",
        f"Not to be used for: {', '.join(card['not_to_be_used_for'])}",
        f"Owner: {card['owner']}. Licence: {card['licence'] or 'not stated'}.",
        f"Valid from {card['valid_from']} until {card['valid_until']} (UTC); then it refuses.",
        f"Its test: {card['verdict'].replace('_', ' ').upper()}. {card['answer']}",
        f"    python score.py rows.csv --out scored.csv{rate}",
        _NEEDS,
        f"    {header}",
        f"{rows} {_REFUSES}",
        *([acts] if acts else []),
        "In a program: from score import load; load().score(columns, units).columns",
        _SUMS_TOLD,
        (
            f"The code in {_PARTS}/ is that of lumipipe {version}, imports made relative, under "
            "the licence Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)."
        ),
    ]
    return "\n\n".join(w if w.startswith("    ") else fill(w, 88) for w in words) + "\n"
