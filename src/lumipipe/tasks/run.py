"""The user's one command: check the request, plan, run the workflow, say what came out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.store.files import write_json
from lumipipe.store.manifest import is_published, read_manifest
from lumipipe.tasks.plan import VERBS, drop_damaged, plan_json, plan_run
from lumipipe.tasks.request import load_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.tasks.plan import Stage

    Log = Callable[[str], None]

PLAN = "plan.json"
_VERDICTS = {
    "supported": "SUPPORTED by the data",
    "not_supported": "NOT SUPPORTED by the data",
    "inconclusive": "INCONCLUSIVE",
}


def run(request: Path, out: Path, profile: str, log: Log) -> int:
    """Run a request from its files to its report.

    Parameters
    ----------
    request : Path
        The YAML file.
    out : Path
        Folder of the run.
    profile : str
        Name of a profile beside the workflow, or a path to one.
    log : callable of str
        Progress.

    Returns
    -------
    int
        0, or 3 when recordings were left out.

    Raises
    ------
    InputError
        If the request or its data are wrong; a folder that this run made is removed again.
    """
    loaded = load_request(request)
    log(f"{request}: the request is well formed ({loaded.family.title})")
    stages = plan_run(loaded, out.resolve(), log)
    fresh = not out.exists()
    for stage in stages.values():
        log(f"  {stage.verb:8s}{stage.reason}")
    todo = [stage for stage in stages.values() if stage.reason != "done"]
    if todo:
        drop_damaged(stages)
        out.mkdir(parents=True, exist_ok=True)
        ranks = loaded.request.compute.ranks
        plan = plan_json(stages, request.resolve(), out.resolve(), ranks)
        write_json(out / PLAN, plan)
        for stage in todo:
            log_path(out, stage.verb).unlink(missing_ok=True)
        code = _snakemake(out, profile, ranks)
        _raise_failure(out, stages, code, fresh=fresh)
    else:
        log("everything is done; nothing runs")
    return _summary(out, stages, log)


def log_path(out: Path, verb: str) -> Path:
    """Where the log of a verb stands."""
    return out / "logs" / f"{verb}.log"


def _snakemake(out: Path, profile: str, ranks: int) -> int:
    """The exit code of the workflow."""
    folder = workflow_folder()
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(folder / "Snakefile")),
        *("--directory", str(out), "--profile", _profile_path(folder, profile)),
        *("--quiet", "all"),
        *("--config", f"plan={out.resolve() / PLAN}", f"lumipipe={sys.executable} -m lumipipe"),
    ]
    if ranks > 1:
        launcher = Path(sys.executable).parent / "mpiexec"
        command.append(f"launcher={launcher} -n {ranks}")
    environment = os.environ | {"PYTHONNOUSERSITE": "1"}
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


def _profile_path(workflow: Path, profile: str) -> str:
    """A profile beside the workflow, in a checkout or in the package, or as it was given."""
    for folder in (workflow.parent / "config" / "profiles", workflow / "profiles"):
        if (folder / profile).is_dir():
            return str(folder / profile)
    return profile


def workflow_folder() -> Path:
    """The folder with the Snakefile: in a checkout, or in the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "workflow", package.parents[1] / "workflow"):
        if (folder / "Snakefile").is_file():
            return folder
    raise InputError(str(package), "the workflow is not installed", "install lumipipe again")


def _raise_failure(out: Path, stages: dict[str, Stage], code: int, *, fresh: bool) -> None:
    """Raise what stopped the workflow; return when all manifests stand."""
    if all(is_published(stage.manifest) for stage in stages.values()):
        return
    failure = next((found for verb in VERBS if (found := _failure(log_path(out, verb)))), None)
    if failure is None:
        raise RuntimeError(f"the workflow ended with code {code}; see {out / 'logs'}")
    status, line = failure
    if fresh and not any(out.glob("*/*.json")):
        shutil.rmtree(out, ignore_errors=True)
    if status == InputError.exit_code:
        place, _, rest = line.partition(": ")
        problem, _, remedy = rest.partition("; ")
        error = InputError(place, problem, remedy)
        error.told = True
        raise error
    raise RuntimeError(f"a step ended with code {status}: {line}")


def _failure(path: Path) -> tuple[int, str] | None:
    """Exit code and line with which a verb ended, from its log; None where it ended well."""
    if not path.is_file():
        return None
    found = re.findall(r"^exit (\d+): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if not found or found[-1][0] in {"0", "3"}:
        return None
    return int(found[-1][0]), found[-1][1]


def _summary(out: Path, stages: dict[str, Stage], log: Log) -> int:
    """Say the verdict and where the report is; 3 when recordings were left out."""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    log("")
    log(result["request"]["title"])
    log(f"verdict: {_VERDICTS[result['verdict']]}")
    log(result["answer"])
    for item in result["not_answered"]:
        log(f"not answered: {item['question']} ({item['reason']})")
    left_out = read_manifest(stages["prepare"].manifest).record["left_out"]
    for item in left_out:
        log(f"left out: {item.get('id') or item['file']} ({item['reason']})")
    log(f"report: {out / 'report.html'}")
    return 3 if left_out else 0
