"""The registry of outputs: what a request may ask a run to leave beside its result.

``result.json`` and the copy of the request are always there: other verbs need them. What makes an
output is named here and imported when it is asked for; those of this package are in
`lumipipe.tasks.publishing`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.reporting.pdf import find_browser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.config import Request
    from lumipipe.reporting.result import Result
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage
    from lumipipe.yamlfile import YamlFile


@dataclass(frozen=True)
class Making:
    """What an output is made from.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : dict of str to Stage
        The plan.
    result : Result
        The answer.
    scored : Path
        Folder of the product of ``score``, with the tables.
    folder : Path
        Where its files go: those of the product of ``report``; of a late one, those of the run.
    log : callable of str
        Progress.
    """

    loaded: Loaded
    stages: dict[str, Stage]
    result: Result
    scored: Path
    folder: Path
    log: Callable[[str], None]


@dataclass(frozen=True)
class Output:
    """One entry of the registry.

    Parameters
    ----------
    about : str
        What it is, in a few words.
    maker : str
        ``module:function``; the function takes a `Making`.
    is_late : bool
        Whether it is made of the run once its report is published, and no part of that product.
    """

    about: str
    maker: str
    is_late: bool = False

    def make(self, making: Making) -> None:
        """Write its files."""
        module, _, function = self.maker.partition(":")
        getattr(import_module(module), function)(making)


_HERE = "lumipipe.tasks.publishing"
OUTPUTS: dict[str, Output] = {
    "report_html": Output("the report, one HTML file", f"{_HERE}:report_html"),
    "report_pdf": Output(
        "the report as PDF, printed by Chromium", f"{_HERE}:report_pdf", is_late=True
    ),
    "tables_parquet": Output("every window, row or diagnosis", f"{_HERE}:tables_parquet"),
    "dossier": Output("the model along Annex IV", f"{_HERE}:dossier"),
    "model_bundle": Output(
        "the model, for new rows with NumPy alone", f"{_HERE}:model_bundle", is_late=True
    ),
    "run_crate": Output(
        "all of it, for another person to check and re-run", f"{_HERE}:run_crate", is_late=True
    ),
}
"""Name to entry; a new output is a line here, a function that takes a `Making`, and the names of
its files in `lumipipe.tasks.shown.OPTIONAL`."""


def make_outputs(making: Making, *, late: bool = False) -> None:
    """Make what the request asks for.

    Parameters
    ----------
    making : Making
        What they are made from.
    late : bool
        Whether to make those of the published run, or those of the product.
    """
    for name in making.loaded.request.outputs:
        if OUTPUTS[name].is_late == late:
            OUTPUTS[name].make(making)


def check_outputs(file: YamlFile, request: Request) -> None:
    """Refuse outputs that nobody makes, or that lack what they need.

    Parameters
    ----------
    file : YamlFile
        The file, for lines.
    request : Request
        The form.

    Raises
    ------
    InputError
        With the line of the output.
    """
    for number, name in enumerate(request.outputs):
        place = file.place(("outputs", number))
        if name not in OUTPUTS:
            near = difflib.get_close_matches(name, OUTPUTS, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"use {', '.join(OUTPUTS)}"
            raise InputError(place, f"outputs: no output {name}", remedy)
        if name in request.outputs[:number]:
            raise InputError(place, f"outputs: {name} stands twice", "name it once")
        if name == "model_bundle":
            _check_bundle(place, request)
        if name == "report_pdf":
            find_browser(place)
    if request.report.bundle_until is not None and "model_bundle" not in request.outputs:
        raise InputError(
            file.place(("report", "bundle_until")),
            "report.bundle_until is set, and outputs have no model_bundle",
            "add it to outputs, or take the day out",
        )


def _check_bundle(place: str, request: Request) -> None:
    """Refuse a bundle without a last day, or of a family whose model answers no new rows."""
    family = request.question.family
    if not hasattr(FAMILIES[family], "scorer"):
        able = ", ".join(name for name in FAMILIES if hasattr(FAMILIES[name], "scorer"))
        raise InputError(
            place,
            f"outputs: the family {family} has no model with a guard for new rows",
            f"take model_bundle out; it goes for {able}",
        )
    if request.report.bundle_until is None:
        raise InputError(
            place,
            "outputs: model_bundle has no last day, and a model does not hold for ever",
            "add report: {bundle_until: 2027-03-31}, your own day",
        )
