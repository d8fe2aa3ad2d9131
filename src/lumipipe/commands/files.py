"""``lumipipe inspect`` and ``lumipipe rata``: files, looked at without a request."""

from __future__ import annotations

import shutil
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from lumipipe.commands.options import numbers, pairs, say

_NARROWEST = 60  # signs in a line


@click.command("rata")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    metavar="FIELD=NAME",
    multiple=True,
    callback=pairs,
    help="Column of the file that holds a field; those of the EPA's records are known.",
)
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=pairs,
    help="Key of the reader, as in a request's section read, such as decimal=, (text or JSON).",
)
@click.option(
    "--tolerance",
    "tolerances",
    metavar="FIGURE=NUMBER",
    multiple=True,
    callback=numbers,
    help="Distance at which a figure still agrees, such as relative_accuracy=0.05.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for audits.csv, audits.parquet and audits.json; nothing is written where absent.",
)
def rata_command(file: Path, **asked: Any) -> int:
    """Recompute relative accuracy audits of emission monitors.

    Says which of the filed figures agree.
    """
    from lumipipe.tasks.rata import Asked, rata

    return rata(Asked(file, **asked), say)


@click.command("inspect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format", "format", metavar="FORMAT", help="Format of all files; told from each where absent."
)
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=pairs,
    help="Key of the reader, as in a request's section read, such as delimiter=; (text or JSON).",
)
@click.option("--family", help="Family of the request's skeleton; proposed where absent.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Trusted certificate, or list of revocations, for signed calibration certificates.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for inspect.html, inspect.json and request.yaml; nothing is written where absent.",
)
def inspect_command(files: tuple[str, ...], **asked: Any) -> int:
    """Say what is in files, and begin a request for them.

    Streams, rates, units, gaps and faults, with small plots; of a digital calibration certificate
    (XML) its results and the signature.
    """
    from lumipipe.tasks.inspect import Asked, inspect

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # plots are signs that not every terminal has
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    return inspect(Asked(files, width=width, **asked), say)
