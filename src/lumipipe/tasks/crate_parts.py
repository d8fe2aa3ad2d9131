"""What goes into a run crate, as files below a folder; what may not go in is there as digests.

Of data that come from people no row, name or pseudonym enters a crate, as none crosses the border
of a pool (`lumipipe.pool.border`): request, products, tables, report and registered plan stay
inside, and a summary of figures over all persons stands for them.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.errors import InputError
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.log import entries
from lumipipe.store.dataset import open_dataset
from lumipipe.store.files import canonical_json, digest_file, digest_of, write_bytes, write_json
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.contents import contents
from lumipipe.tasks.deciding import DECISIONS
from lumipipe.tasks.plan import code_digest
from lumipipe.tasks.plan_log import REGISTERED
from lumipipe.tasks.shown import REQUEST, RESULT
from lumipipe.tasks.workflow import workflow_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.store.manifest import Manifest
    from lumipipe.tasks.crate_inputs import Layout
    from lumipipe.tasks.registered import Standing
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

CONTENTS, STEPS, INPUTS = "contents.json", "steps.json", "inputs.json"
ENVIRONMENT, PACKAGES, SUMMARY = "environment.json", "requirements.txt", "summary.json"
DATA, PRODUCTS, REPORT, RECORD = "inputs", "products", "report", "record"
FORM = 1
COMPUTING = ("prepare", "train", "score")
_RECORDS = ("quote.json", "accounting.json")
_FIGURES = ("name", "value", "lower", "upper", "confidence", "count", "of", "condition", "met")
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first day of a ZIP file: no time enters the bytes
_OF_A_SOURCE = ("files of ", "data: ")
_TOLD = (STEPS, INPUTS, SUMMARY, f"{RECORD}/*")  # parts whose words come from the run


@dataclass(frozen=True)
class Finished:
    """A finished run, of which a crate is made.

    Parameters
    ----------
    out : Path
        Folder of the run.
    loaded : Loaded
        Its request.
    stages : dict of str to Stage
        Its stages, all done.
    layout : Layout
        The files that it reads.
    plan : Standing or None
        Its registered plan.
    """

    out: Path
    loaded: Loaded
    stages: Mapping[str, Stage]
    layout: Layout
    plan: Standing | None

    @property
    def is_private(self) -> bool:
        """Whether the data come from people, so that nothing of them may go in."""
        return self.loaded.request.rights.personal_data != "none"

    @property
    def report(self) -> Path:
        """Folder of the report's product."""
        return self.stages["report"].manifest.with_suffix("")

    @property
    def result(self) -> dict[str, Any]:
        """What ``result.json`` says."""
        found: dict[str, Any] = json.loads((self.report / RESULT).read_text(encoding="utf-8"))
        return found


def write_parts(run: Finished, folder: Path, *, with_data: bool) -> None:
    """Write all parts of a crate but its metadata and its list of digests.

    Parameters
    ----------
    run : Finished
        The run.
    folder : Path
        An empty folder.
    with_data : bool
        Whether the raw files go in, which must be allowed.

    Raises
    ------
    InputError
        If a pseudonym would enter, with the part that holds it.
    """
    steps = steps_of(run)
    write_json(folder / STEPS, steps)
    products = {verb: step["digest"] for verb, step in steps["steps"].items()}
    listed = contents(run.report / REQUEST, products, run.plan)
    # Canonical, so that the digest of the file's bytes is the content digest of the report.
    write_bytes(folder / CONTENTS, canonical_json(listed).encode())
    write_json(folder / ENVIRONMENT, environment_of(run))
    (folder / PACKAGES).write_text(_packages(steps), encoding="utf-8")
    write_json(folder / INPUTS, _write_inputs(run, folder, with_data=with_data))
    _copy_workflow(folder)
    _write_software(folder)
    _copy_records(run, folder)
    if run.is_private:
        write_json(folder / SUMMARY, summary_of(run.result))
        _check_no_names(run, folder)
    else:
        _copy_open(run, folder)


def steps_of(run: Finished) -> dict[str, Any]:
    """What each stage depended on, made, and ran with."""
    steps = {}
    for verb in COMPUTING:
        path = run.stages[verb].manifest
        manifest = read_manifest(path, checksums=True)
        written = json.loads(path.read_text(encoding="utf-8"))["written"]
        names = ("backend", "device", "ranks", "seconds", "versions")
        steps[verb] = {
            "key": manifest.key,
            "digest": manifest.digest,
            "ingredients": ingredients_of(run.loaded, run.stages[verb]),
            "files": files_of(run.loaded, manifest),
            "run": {name: manifest.run.get(name) for name in names} | {"ended": written},
        }
    return {"lumipipe_steps": FORM, "family": run.loaded.family.name, "steps": steps}


def ingredients_of(loaded: Loaded, stage: Stage) -> dict[str, str]:
    """What a stage depended on; of persons, without the names of sources."""
    if loaded.request.rights.personal_data == "none":
        return dict(stage.ingredients)
    named = [(s.id, f"source {n}") for n, s in enumerate(loaded.request.data, start=1)]
    other = {f"{kind}{name}": f"{kind}{told}" for name, told in named for kind in _OF_A_SOURCE}
    return {other.get(name, name): digest for name, digest in stage.ingredients.items()}


def files_of(loaded: Loaded, manifest: Manifest) -> dict[str, list[int | str]]:
    """Size and digest of each file of a product; of persons, numbered instead of named.

    Streams and channels are called as the request wants, which may be a name.
    """
    files = sorted(manifest.files.items())
    named = loaded.request.rights.personal_data == "none"
    return {
        name if named else f"file {number}": [file.size, file.sha256]
        for number, (name, file) in enumerate(files, start=1)
    }


def environment_of(run: Finished) -> dict[str, Any]:
    """Which lumipipe it was; what each step ran with stands in `steps_of`."""
    shown = run.stages["report"].ingredients["code"]
    return {
        "lumipipe": lumipipe.__version__,
        "code": code_digest(shown=False),
        "code_with_reports": code_digest(shown=True),
        "report_was_of_this_code": shown == digest_of(code_digest(shown=True)),
    }


def summary_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Of an answer about persons, what holds for all of them together.

    Figures are left out where a single person or recording stands behind them.
    """
    figures = [m for m in result["metrics"] if (m["count"] or 0) > 1]
    return {
        "lumipipe_summary": FORM,
        "family": result["request"]["family"],
        "verdict": result["verdict"],
        "metrics": [{name: metric[name] for name in _FIGURES} for metric in figures],
        "split": result["split"]["kind"],
        "deviations": [item["name"] for item in result["deviations"]],
        "withheld": "request, data, products, tables, report and plan: data of persons",
    }


def write_zip(folder: Path, file: Path) -> None:
    """Write all files below a folder as a ZIP file; the same files give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EARLIEST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    write_bytes(file, content.getvalue())


def _packages(steps: Mapping[str, Any]) -> str:
    """The packages of this environment, with the versions that the run had where it tells."""
    named = [(d.metadata["Name"], d.version) for d in distributions()]
    found = {name.lower().replace("_", "-"): number for name, number in named if name}
    for step in steps["steps"].values():
        found |= {name: v for name, v in (step["run"]["versions"] or {}).items() if name in found}
    found.pop("lumipipe", None)
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found))


def _write_inputs(run: Finished, folder: Path, *, with_data: bool) -> dict[str, Any]:
    """What the request reads, with digests; of persons, how many files each source has."""
    layout = run.layout
    if run.is_private:
        return {"lumipipe_inputs": FORM, "withheld": len(layout.files)}
    listed = []
    for file in sorted(layout.files, key=lambda item: item.place):
        goes_in = with_data or not file.is_data
        if goes_in:
            copy = folder / DATA / file.place
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, copy)
        listed.append(
            {
                "place": file.place,
                "of": file.of,
                "size": file.path.stat().st_size,
                "sha256": digest_file(file.path),
                "package": file.package,
                "included": goes_in,
            }
        )
    return {"lumipipe_inputs": FORM, "files": listed, "rewrites": layout.rewrites}


def _copy_workflow(folder: Path) -> None:
    """The workflow as it is."""
    origin = workflow_folder()
    for file in [origin / "Snakefile", *sorted((origin / "rules").glob("*.smk"))]:
        copy = folder / "workflow" / file.relative_to(origin)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _write_software(folder: Path) -> None:
    """The code of lumipipe, which is under Apache-2.0, as a ZIP file of the package."""
    package = Path(lumipipe.__file__).parent
    staged = folder / ".code"
    kept = shutil.ignore_patterns("__pycache__", "workflow", "slurm")
    shutil.copytree(package, staged / "lumipipe", ignore=kept)
    (folder / "software").mkdir()
    write_zip(staged, folder / "software" / f"lumipipe-{lumipipe.__version__}.zip")
    shutil.rmtree(staged)


def _copy_records(run: Finished, folder: Path) -> None:
    """What the scheduler billed, and what was decided about the terms of use."""
    decisions, record = _decisions(run), folder / RECORD
    there = [name for name in _RECORDS if (run.out / name).is_file()]
    if there or decisions:
        record.mkdir()
    for name in there:
        shutil.copyfile(run.out / name, record / name)
    if decisions:
        write_json(record / "decisions.json", {"lumipipe_decisions": FORM, "log": decisions})


def _decisions(run: Finished) -> list[dict[str, Any]]:
    """Lines about this request in the log of its pool, or of the run."""
    rights = run.loaded.request.rights
    log = run.out / DECISIONS
    if rights.pool is not None:
        log = Catalogue.at(run.loaded.base / rights.pool).log
    if not log.is_file():
        return []
    own = digest_of(run.loaded.request.model_dump(mode="json"))
    return [line for line in entries(log) if line.get("request") == own]


def _copy_open(run: Finished, folder: Path) -> None:
    """Request, plan, model, scores and report of data that do not come from people."""
    shutil.copyfile(run.report / REQUEST, folder / REQUEST)
    for verb in ("train", "score"):
        manifest = run.stages[verb].manifest
        target = folder / PRODUCTS / verb
        shutil.copytree(manifest.with_suffix(""), target / manifest.stem)
        shutil.copyfile(manifest, target / manifest.name)
    manifest = run.stages["prepare"].manifest
    (folder / PRODUCTS / "prepare").mkdir()
    shutil.copyfile(manifest, folder / PRODUCTS / "prepare" / manifest.name)
    shutil.copytree(run.report, folder / REPORT, ignore=shutil.ignore_patterns(REQUEST))
    if (run.out / REGISTERED).is_dir():
        shutil.copytree(run.out / REGISTERED, folder / REGISTERED)


def _check_no_names(run: Finished, folder: Path) -> None:
    """Refuse a crate in which a pseudonym of the data, or the name of a raw file, stands."""
    rows = open_dataset(run.stages["prepare"].manifest).recordings
    names = {row.unit for row in rows} | {row.id for row in rows}
    names |= {Path(file.place).name for file in run.layout.files if file.is_data}
    for path in sorted(path for pattern in _TOLD for path in folder.glob(pattern)):
        if found := names & _words(path.read_text(encoding="utf-8")):
            # The name is not told: the message may be sent to others.
            digest = hashlib.sha256(min(found).encode()).hexdigest()[:8]
            raise InputError(
                path.relative_to(folder).as_posix(),
                f"would hold a pseudonym of the data (its SHA-256 begins with {digest})",
                "call what the request names so by another name",
            )


def _words(text: str) -> set[str]:
    """What stands in quotation marks in a JSON text, and its single words that are no numbers."""
    return {*re.findall(r'"([^"]*)"', text), *re.findall(r"[\w.-]*[^\W\d_][\w.-]+", text)}
