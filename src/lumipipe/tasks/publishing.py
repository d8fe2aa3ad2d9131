"""What makes the outputs of a run; the registry of them is in `lumipipe.tasks.outputs`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.reporting.dossier import render_dossier
from lumipipe.reporting.html import render
from lumipipe.reporting.pdf import printed
from lumipipe.store.files import remove_tree, write_bytes, write_json
from lumipipe.tasks.bundle import bundle
from lumipipe.tasks.crate import crate
from lumipipe.tasks.dossier import dossier_of
from lumipipe.tasks.shown import BUNDLE, CRATE, DOSSIER, DOSSIER_HTML, HTML, PDF

if TYPE_CHECKING:
    from lumipipe.tasks.outputs import Making


def report_html(making: Making) -> None:
    """The report as one HTML file."""
    (making.folder / HTML).write_text(render(making.result), encoding="utf-8")


def report_pdf(making: Making) -> None:
    """The report as PDF, printed from the HTML file that people see."""
    with tempfile.TemporaryDirectory(prefix="lumipipe-page-") as folder:
        page = Path(folder) / HTML
        page.write_text(render(making.result), encoding="utf-8")
        write_bytes(making.folder / PDF, printed(page))


def tables_parquet(making: Making) -> None:
    """The tables of the scores."""
    for table in sorted(making.scored.glob("*.parquet")):
        shutil.copyfile(table, making.folder / table.name)


def dossier(making: Making) -> None:
    """The dossier of the model, to read and for programs."""
    content = dossier_of(making.loaded, making.stages, making.result)
    write_json(making.folder / DOSSIER, content.model_dump(mode="json"))
    (making.folder / DOSSIER_HTML).write_text(render_dossier(content), encoding="utf-8")


def model_bundle(making: Making) -> None:
    """The bundle of the model, in place of one of an earlier report.

    A run that fitted no model has none; that is told, and no error: its report says why.
    """
    remove_tree(making.folder / BUNDLE)
    until = making.loaded.request.report.bundle_until
    try:
        bundle(making.folder, None, None if until is None else until.isoformat(), making.log)
    except InputError as error:
        making.log(f"no bundle: {error}")


def run_crate(making: Making) -> None:
    """The crate of the run without its raw files, in place of one of an earlier report."""
    remove_tree(making.folder / CRATE)
    try:
        crate(making.folder, making.folder / CRATE, making.log)
    except InputError as error:
        making.log(f"no crate: {error}")
