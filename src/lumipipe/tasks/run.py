"""The user's one command: check the request, plan, run the workflow, say what came out."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.store.files import missing_folders, remove_empty, write_json
from lumipipe.store.manifest import is_published, read_manifest
from lumipipe.tasks.plan import VERBS, drop_damaged, plan_json, plan_run
from lumipipe.tasks.report import is_shown, show
from lumipipe.tasks.request import load_request, placing

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.tasks.plan import Stage

    Log = Callable[[str], None]

PLAN, LOGS = "plan.json", "logs"
LOCK = ".lock"  # workflow/rules/common.smk takes it
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
        0; 3 when recordings were left out; another code after a defect, which was shown.

    Raises
    ------
    InputError
        If the request or its data are wrong; a folder that this run made is removed again.
    """
    loaded = load_request(request)
    log(f"{request}: the request is well formed ({loaded.family.title})")
    with placing(loaded):
        stages = plan_run(loaded, out.resolve(), log)
    for stage in stages.values():
        log(f"  {stage.verb:8s}{stage.reason}")
    todo = [stage for stage in stages.values() if stage.reason != "done"]
    if todo:
        ranks = loaded.request.compute.ranks
        launcher = _launcher(ranks, loaded.file.place(("compute", "ranks")))
        command = _command(out, todo, profile, launcher)
        _refuse_second_run(out)
        made = missing_folders(out)
        drop_damaged(stages)
        (out / LOGS).mkdir(parents=True, exist_ok=True)
        write_json(out / PLAN, plan_json(stages, request.resolve(), out.resolve(), ranks))
        for stage in todo:
            log_path(out, stage.verb).unlink(missing_ok=True)
        code = _snakemake(command, log_path(out, "workflow"))
        if not all(is_published(stage.manifest) for stage in stages.values()):
            return _failed(out, code, made)
    else:
        log("everything is done; nothing runs")
    product = stages["report"].manifest.with_suffix("")
    if not is_shown(product, out):
        show(product, out)
    return _summary(out, stages, log)


def log_path(out: Path, verb: str) -> Path:
    """Where the log of a verb stands."""
    return out / LOGS / f"{verb}.log"


def _command(out: Path, todo: list[Stage], profile: str, launcher: str) -> list[str]:
    """The command line of the workflow.

    All that is to be done is named: Snakemake by itself makes no model for scores that stand.
    """
    folder = workflow_folder()
    python = shlex.quote(sys.executable)
    return [
        *(sys.executable, "-m", "snakemake", *(str(stage.manifest) for stage in todo)),
        *("--snakefile", str(folder / "Snakefile")),
        *("--directory", str(out), "--profile", _profile_path(folder, profile)),
        *("--quiet", "all"),
        *("--config", f"plan={out.resolve() / PLAN}", f"lumipipe={python} -m lumipipe"),
        *([f"launcher={launcher}"] if launcher else []),
    ]


def _launcher(ranks: int, place: str) -> str:
    """What starts a verb on some ranks; nothing for one rank."""
    if ranks == 1:
        return ""
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    if launcher is None:
        raise InputError(
            place, f"{ranks} ranks need mpiexec", "install it (pip install mpich), or ask for 1"
        )
    return f"{shlex.quote(launcher)} -n {ranks}"


def _refuse_second_run(out: Path) -> None:
    """Refuse a folder whose lock another run holds; the workflow takes it when it starts."""
    with suppress(FileNotFoundError), (out / LOCK).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                str(out), "another run writes to this folder", "wait for it or end it"
            ) from error


def _snakemake(command: list[str], log: Path) -> int:
    """The exit code of the workflow; what it and its steps say on stderr goes to `log`."""
    environment = os.environ | {"PYTHONNOUSERSITE": "1"}
    with log.open("wb") as file:
        return subprocess.run(command, env=environment, check=False, stderr=file).returncode


def _profile_path(workflow: Path, profile: str) -> str:
    """A profile beside the workflow, in a checkout or in the package, or as it was given."""
    for folder in (workflow.parent / "config" / "profiles", workflow / "profiles"):
        if (folder / profile).is_dir():
            return str(folder / profile)
    if not Path(profile).exists():
        known = sorted(path.name for path in (workflow.parent / "config" / "profiles").glob("*"))
        raise InputError(
            f"--profile {profile}",
            "there is no such profile",
            f"use {', '.join(known)} or a path to one",
        )
    return str(Path(profile).resolve())


def workflow_folder() -> Path:
    """The folder with the Snakefile: in a checkout, or in the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "workflow", package.parents[1] / "workflow"):
        if (folder / "Snakefile").is_file():
            return folder
    raise InputError(str(package), "the workflow is not installed", "install lumipipe again")


def _failed(out: Path, code: int, made: list[Path]) -> int:
    """Raise what the user must mend; a defect is shown whole, and its exit code returned."""
    failure = next((found for verb in VERBS if (found := _failure(log_path(out, verb)))), None)
    if failure is None or failure[0] != InputError.exit_code:
        print(log_path(out, "workflow").read_text("utf-8", "replace"), file=sys.stderr)
        print(f"lumipipe: a step failed; {out / LOGS} tells more", file=sys.stderr)
        return failure[0] if failure is not None else code or 1
    if out in made and not any(out.glob("*/*.json")):
        shutil.rmtree(out, ignore_errors=True)
        remove_empty(made[1:])
    place, _, rest = failure[1].partition(": ")
    raise InputError(place, *rest.rsplit("; ", 1))


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
