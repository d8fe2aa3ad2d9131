"""The metadata of a run crate: RO-Crate 1.1 with the profile Provenance Run Crate 0.5.

Sources: RO-Crate Metadata Specification 1.1 (Sefton et al., 2020); Leo et al., Recording
provenance of workflow runs with RO-Crate (PLOS ONE, 2024), with the profiles Process, Workflow
and Provenance Run Crate 0.5 that it describes.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.errors import InputError
from lumipipe.store.files import digest_file
from lumipipe.tasks.crate_parts import (
    COMPUTING,
    CONTENTS,
    DATA,
    INPUTS,
    PRODUCTS,
    RECORD,
    REPORT,
    STEPS,
    SUMMARY,
)
from lumipipe.tasks.shown import HTML, REQUEST, RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lumipipe.tasks.crate_parts import Finished

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_TERMS = "https://w3id.org/ro/terms/workflow-run#"
_CONTEXT = {name: f"{_TERMS}{name}" for name in ("resourceUsage", "sha256")}
_BIOSCHEMAS = "https://bioschemas.org/profiles"
_DONE = "http://schema.org/CompletedActionStatus"
_MEDIA = {
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".npz": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".smk": "text/x-python",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
_DOES = {
    "prepare": "Turns raw files of instruments into one dataset",
    "train": "Fits the model on the data that teach",
    "score": "Tests the model on data that did not teach, and judges",
    "report": "Writes the report",
}
_NOT_MEASURED = "not measured"
_UNITS = {
    "seconds": "http://qudt.org/vocab/unit/SEC",
    "energy": "http://qudt.org/vocab/unit/J",
    "ranks": "http://qudt.org/vocab/unit/NUM",
}
WORKFLOW = "workflow/Snakefile"


def metadata_of(run: Finished, folder: Path) -> dict[str, Any]:
    """The metadata of a crate whose other files lie in `folder`.

    Parameters
    ----------
    run : Finished
        The run.
    folder : Path
        The crate so far.

    Returns
    -------
    dict
        JSON-LD; of two crates of one run the same.

    Raises
    ------
    InputError
        If rocrate is not installed; install the extra ``crate``.
    """
    try:
        from rocrate.rocrate import ROCrate  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'lumipipe[crate]'"
        raise InputError("lumipipe crate", "rocrate is not installed", remedy) from error
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms = dict(_CONTEXT)
    _Graph(run, folder, crate).build()
    found: dict[str, Any] = crate.metadata.generate()
    return found


def _compact(entities: list[Any]) -> Any:
    """One entity by itself, several as a list: so RO-Crate 1.1 wants its JSON-LD."""
    return entities[0] if len(entities) == 1 else entities


class _Graph:
    """The entities of one crate."""

    def __init__(self, run: Finished, folder: Path, crate: Any) -> None:
        self.run, self.folder, self.crate = run, folder, crate
        self.steps = json.loads((folder / STEPS).read_text(encoding="utf-8"))["steps"]
        self.files: dict[str, Any] = {}
        self.actions: list[Any] = []

    def build(self) -> None:
        """Add all entities to the crate."""
        self._root()
        self._files()
        tools = {verb: self._tool(verb) for verb in _DOES}
        agent = self._agent()
        self.crate.root_dataset["author"] = self.crate.root_dataset["publisher"] = agent
        workflow = self._workflow(tools)
        own = {verb: self._step_action(verb, tools[verb], agent) for verb in COMPUTING}
        own["report"] = self._report_action(tools["report"], agent)
        whole = self._workflow_action(workflow, agent, list(own.values()))
        self._engine(own, whole)
        # The engine's own action is told by what it controls; the run by what it made.
        self.crate.root_dataset["mentions"] = [whole, *own.values()]

    def _add(self, id_: str, kind: str | list[str], **properties: Any) -> Any:
        """A contextual entity."""
        from rocrate.model.contextentity import ContextEntity  # noqa: PLC0415 - an extra

        given = {name: value for name, value in properties.items() if value is not None}
        return self.crate.add(ContextEntity(self.crate, id_, properties={"@type": kind, **given}))

    def _root(self) -> None:
        """The crate itself."""
        root, run = self.crate.root_dataset, self.run
        rights = run.loaded.request.rights
        content = digest_file(self.folder / CONTENTS)
        title = f"Run of the family {run.loaded.family.name}"
        root["name"] = title if run.is_private else run.loaded.request.title
        private = "Made from data of persons; none of them is in it."
        root["description"] = private if run.is_private else run.result["answer"]
        root["datePublished"] = run.result["run"]["started"]
        licence = (None if run.is_private else rights.licence) or "not stated by the owner"
        told = "Terms under which the data may be used, in the words of the request"
        root["license"] = self._add("#licence", "CreativeWork", name=licence, description=told)
        root["identifier"] = f"urn:sha256:{content}"
        reach = rights.publication.model_dump()
        root["conditionsOfAccess"] = "; ".join(f"{what}: {level}" for what, level in reach.items())
        root["conformsTo"] = [
            self._add(url, "CreativeWork", name=name, version=url.rpartition("/")[2])
            for url, name in PROFILES.items()
        ]
        base = "https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
        self.crate.metadata["conformsTo"] = [{"@id": url} for url in base]

    def _files(self) -> None:
        """All files of the crate, each with its size and digest."""
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            place = path.relative_to(self.folder).as_posix()
            if place == WORKFLOW:
                continue
            properties = {
                "name": place,
                "contentSize": str(path.stat().st_size),
                "sha256": digest_file(path),
                "encodingFormat": _MEDIA.get(path.suffix, "application/octet-stream"),
            }
            self.files[place] = self.crate.add_file(path, place, properties=properties)
        self.files["README.md"]["about"] = self.crate.root_dataset

    def _tool(self, verb: str) -> Any:
        """One verb of lumipipe as an orchestrated tool."""
        return self._add(
            f"urn:lumipipe:verb:{verb}",
            "SoftwareApplication",
            name=f"lumipipe {verb}",
            description=_DOES[verb],
            softwareVersion=lumipipe.__version__,
            license="https://spdx.org/licenses/Apache-2.0",
        )

    def _agent(self) -> Any:
        """Whose run it is."""
        private = self.run.is_private
        name = "the owner of the data" if private else self.run.loaded.request.rights.owner
        return self._add("#owner", "Organization", name=name)

    def _workflow(self, tools: Mapping[str, Any]) -> Any:
        """The Snakefile with its steps and parameters."""
        path = self.folder / WORKFLOW
        language = self._add(
            "#snakemake-language",
            "ComputerLanguage",
            name="Snakemake",
            identifier={"@id": "https://doi.org/10.12688/f1000research.29032.1"},
            url={"@id": "https://snakemake.github.io"},
        )
        steps = []
        for position, (verb, tool) in enumerate(tools.items(), start=1):
            step = self._add(f"#step-{verb}", "HowToStep", position=str(position), name=verb)
            step["workExample"] = tool
            steps.append(step)
        workflow = self.crate.add_file(
            path,
            WORKFLOW,
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "prepare, train, score, report",
                "version": lumipipe.__version__,
                "sha256": digest_file(path),
                "contentSize": str(path.stat().st_size),
                "encodingFormat": "text/x-python",
            },
        )
        workflow["conformsTo"] = {"@id": f"{_BIOSCHEMAS}/ComputationalWorkflow/1.0-RELEASE"}
        workflow["programmingLanguage"] = language
        workflow["hasPart"] = list(tools.values())
        workflow["step"] = steps
        workflow["input"] = [
            self._parameter("request", self._asked()),
            self._parameter("data", self._data()),
        ]
        workflow["output"] = self._parameter("result", self._result())
        self.crate.root_dataset["mainEntity"] = workflow
        return workflow

    def _parameter(self, name: str, entity: Any) -> Any:
        """A parameter of the workflow, and what it was in this run."""
        is_file = "File" in entity["@type"]
        found = self._add(
            f"#parameter-{name}",
            "FormalParameter",
            name=name,
            additionalType="File" if is_file else "Dataset",
            conformsTo={"@id": f"{_BIOSCHEMAS}/FormalParameter/1.0-RELEASE"},
        )
        found["workExample"] = entity
        entity["exampleOfWork"] = found
        return found

    def _asked(self) -> Any:
        """The request, or what stands for it."""
        return self.files.get(REQUEST) or self.files[CONTENTS]

    def _data(self) -> Any:
        """The list of the raw files, with their digests."""
        return self.files[INPUTS]

    def _result(self) -> Any:
        """The answer, or what stands for it."""
        return self.files.get(f"{REPORT}/{RESULT}") or self.files[SUMMARY]

    def _below(self, *folders: str) -> list[Any]:
        """All files below some folders."""
        starts = tuple(f"{folder}/" for folder in folders)
        return [entity for place, entity in self.files.items() if place.startswith(starts)]

    def _step_action(self, verb: str, tool: Any, agent: Any) -> Any:
        """The run of one verb."""
        done = self.steps[verb]["run"]
        ended = datetime.fromisoformat(done["ended"])
        begun = ended - timedelta(seconds=done["seconds"] or 0)
        inputs = {
            "prepare": [self._asked(), self._data(), *self._below(DATA)],
            "train": [self._asked(), *self._product("prepare")],
            "score": [self._asked(), *self._product("train")],
        }
        return self._action(
            verb,
            tool,
            agent,
            times=(begun.isoformat(timespec="seconds"), done["ended"]),
            inputs=inputs[verb],
            outputs=self._product(verb),
            usage=self._usage(verb, done),
            environment=f"{done['backend'] or 'numpy'} on {done['device'] or 'the host'}",
        )

    def _product(self, verb: str) -> list[Any]:
        """The product of a verb; its digests where it is not in the crate."""
        return self._below(f"{PRODUCTS}/{verb}") or [self.files[STEPS]]

    def _report_action(self, tool: Any, agent: Any) -> Any:
        """The run of the verb that writes the report."""
        when = self.run.result["run"]["started"]
        outputs = self._below(REPORT) or [self.files[SUMMARY]]
        return self._action(
            "report",
            tool,
            agent,
            times=(when, when),
            inputs=self._product("score"),
            outputs=outputs,
            usage=[],
            environment="",
        )

    def _action(
        self,
        verb: str,
        tool: Any,
        agent: Any,
        *,
        times: tuple[str, str],
        inputs: list[Any],
        outputs: list[Any],
        usage: list[Any],
        environment: str,
    ) -> Any:
        """An action of one verb."""
        action = self._add(
            f"#run-{verb}",
            "CreateAction",
            name=f"lumipipe {verb}",
            description=f"{_DOES[verb]}{f' ({environment})' if environment else ''}",
            startTime=times[0],
            endTime=times[1],
            actionStatus=_DONE,
        )
        action["instrument"], action["agent"] = tool, agent
        action["object"], action["result"] = _compact(inputs), _compact(outputs)
        if usage:
            action["resourceUsage"] = _compact(usage)
        return action

    def _usage(self, verb: str, done: Mapping[str, Any]) -> list[Any]:
        """What a step took; energy by the scheduler's accounting, or that nobody measured it."""
        cost = self.run.result["run"]["cost"] or {"stages": []}
        billed: dict[str, Any] = next((one for one in cost["stages"] if one["name"] == verb), {})
        joules = billed.get("joules")
        told = {
            "seconds": done["seconds"],
            "ranks": done["ranks"],
            "energy": _NOT_MEASURED if joules is None else joules,
        }
        told |= {f"billed {name}": value for name, value in (billed.get("billed") or {}).items()}
        return [
            self._add(
                f"#{verb}-{name.replace(' ', '-')}",
                "PropertyValue",
                name=name,
                propertyID=f"lumipipe:{name.replace(' ', '-')}",
                unitCode=_UNITS.get(name, name.removeprefix("billed ")),
                value=str(value),
            )
            for name, value in told.items()
            if value is not None
        ]

    def _workflow_action(self, workflow: Any, agent: Any, actions: list[Any]) -> Any:
        """The run of the whole workflow."""
        action = self._add(
            "#run",
            "CreateAction",
            name="lumipipe run",
            description="From raw files to the report",
            startTime=min(one["startTime"] for one in actions),
            endTime=max(one["endTime"] for one in actions),
            actionStatus=_DONE,
        )
        action["instrument"], action["agent"] = workflow, agent
        action["object"] = [self._asked(), self._data(), *self._below(DATA)]
        outputs = [self.files.get(f"{REPORT}/{HTML}"), self._result(), *self._below(RECORD)]
        action["result"] = _compact([one for one in outputs if one is not None])
        return action

    def _engine(self, actions: Mapping[str, Any], whole: Any) -> None:
        """What orchestrated the steps."""
        try:
            number = version("snakemake")
        except PackageNotFoundError:
            number = "not installed here"
        engine = self._add(
            "https://snakemake.github.io",
            "SoftwareApplication",
            name="Snakemake",
            softwareVersion=number,
            url={"@id": "https://snakemake.github.io"},
        )
        controls = []
        for verb, action in actions.items():
            control = self._add(f"#control-{verb}", "ControlAction", name=f"orchestrate {verb}")
            control["instrument"] = {"@id": f"#step-{verb}"}
            control["object"] = action
            controls.append(control)
        organised = self._add("#engine", "OrganizeAction", name="Snakemake, or its verbs by hand")
        organised["instrument"], organised["object"] = engine, controls
        organised["result"] = whole
