"""``lumipipe request``: a request, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lumipipe.commands.options import (
    MACHINE,
    OUT,
    REQUEST,
    folder_of,
    pairs,
    placed,
    refuse_alone,
    say,
    say_aside,
)


@click.group("request")
def request_group() -> None:
    """Begin, check and price a request without running it."""


@request_group.command("check")
@REQUEST
@MACHINE
def check_command(request_file: Path, machine: Path | None) -> int:
    """Check a request and that its files are there; nothing is written."""
    from lumipipe.readers.files import find_files
    from lumipipe.tasks.before import check_before, check_deadline
    from lumipipe.tasks.deciding import check_terms
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    check_before(loaded, machine)
    check_deadline(loaded)
    decision = check_terms(loaded)
    with placing(loaded):
        for source in loaded.request.data:
            say(f"  {source.id}: {len(find_files(source, loaded.base))} file(s), {source.format}")
    for line in decision.lines() if decision is not None else ():
        say(f"  {line}")
    say(f"{request_file}: the request is well formed ({loaded.family.title})")
    return 0


@request_group.command("quote")
@REQUEST
@OUT
@MACHINE
@placed
def quote_command(request_file: Path, out: Path | None, **place: Any) -> int:
    """Say what a run would take and cost, from a sample of its data."""
    from lumipipe.tasks.quoted import quote_request
    from lumipipe.tasks.starting import Place

    if place["machine"] is None:
        refuse_alone(place, "--machine")
    for line in quote_request(
        request_file, folder_of(request_file, out), Place(**place), say_aside
    ):
        say(line)
    return 0


@request_group.command("schema")
def schema_command() -> int:
    """Print the JSON schema of a request."""
    from lumipipe.tasks.request import request_schema

    say(json.dumps(request_schema(), indent=2, sort_keys=True))
    return 0


@request_group.command("new")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--family", required=True, help="The analysis, such as monitoring.")
@click.option("--format", "format", metavar="FORMAT", help="Format of all files; told from each.")
@click.option(
    "--read",
    metavar="KEY=VALUE",
    multiple=True,
    callback=pairs,
    help="Key of the reader, as in a request's section read, such as delimiter=; (text or JSON).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the request, never overwritten; printed where absent.",
)
def new_command(files: tuple[str, ...], out: Path | None, **asked: Any) -> int:
    """Begin a request: a commented skeleton in which "?" is what only you can know."""
    from lumipipe.tasks.inspect import Asked
    from lumipipe.tasks.new import new

    return new(Asked(files, **asked), out, say)
