"""What people see in the folder of a run: copies of the last report's files.

The report itself is a product like any other; `lumipipe.tasks.report` makes it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lumipipe.store.files import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

HTML = "report.html"
PDF = "report.pdf"
RESULT = "result.json"
TABLES = "tables"
REQUEST = "request.yaml"
BUNDLE = "bundle"
"""A folder that the verb of this name writes, unless another one is named."""
CRATE = "crate"
"""A folder that the output run_crate writes."""
DOSSIER = "dossier.json"
DOSSIER_HTML = "dossier.html"
OPTIONAL = (HTML, PDF, DOSSIER, DOSSIER_HTML)
"""Files that a request may go without, apart from tables: those of an earlier report go."""


def show(product: Path, out: Path) -> None:
    """Put the files of a report into the folder of the run, where people look for them."""
    tables = out / TABLES
    shutil.rmtree(tables, ignore_errors=True)
    for name in OPTIONAL:
        (out / name).unlink(missing_ok=True)
    if any(product.glob("*.parquet")):
        tables.mkdir()
    for file in sorted(product.iterdir()):
        place = tables if file.suffix == ".parquet" else out
        write_bytes(place / file.name, file.read_bytes())


def is_shown(product: Path, out: Path) -> bool:
    """Whether the report and the result that people see are those of the product."""
    return all(
        (out / name).is_file() and (out / name).read_bytes() == (product / name).read_bytes()
        for name in (RESULT, HTML)
        if (product / name).is_file()
    )


def shown_first(out: Path) -> Path:
    """What to read first in the folder of a run: the report, or the result where there is none."""
    return next((out / name for name in (HTML, RESULT) if (out / name).is_file()), out / HTML)
