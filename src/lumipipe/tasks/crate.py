"""The verb ``crate``: a finished run as a folder that another person checks and re-runs.

What goes in is in `lumipipe.tasks.crate_parts`, its metadata in `lumipipe.tasks.crate_graph`; how
it is checked and re-run in `lumipipe.tasks.crate_check` and `lumipipe.tasks.rerun`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.store.files import digest_file, digest_files, remove_tree, write_bytes, write_json
from lumipipe.tasks.crate_inputs import layout_of
from lumipipe.tasks.crate_parts import CONTENTS, DATA, INPUTS, Finished, write_parts, write_zip
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.registered import standing
from lumipipe.tasks.request import load_request, placing
from lumipipe.tasks.shown import REQUEST
from lumipipe.tasks.stages import read_plan
from lumipipe.tasks.status import check_folder
from lumipipe.tasks.withdrawn import withdrawn_from
from lumipipe.tasks.workflow import PLAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.config import Source

    Log = Callable[[str], None]

METADATA, SUMS, README = "ro-crate-metadata.json", "SHA256SUMS", "README.md"
MOST_DATA_BYTES = 256 * 2**20
"""Raw files that a crate takes; more is handed over beside it."""
_OPEN = re.compile(
    r"(cc0|cc[- ]by([- ]sa)?([- ]\d|$)|public domain|pddl|odc-by|odbl|mit\b|bsd|apache|isc\b)",
    re.IGNORECASE,
)


def crate(run: Path, out: Path, log: Log, *, with_data: bool = False, as_zip: bool = False) -> int:
    """Write the crate of a finished run.

    Parameters
    ----------
    run : Path
        Folder of the run.
    out : Path
        Folder of the crate, or its ZIP file; must not be there yet.
    log : callable of str
        Is told what is in it and what is not.
    with_data : bool
        Whether the raw files go in.
    as_zip : bool
        Whether it is one ZIP file.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        If the run is not finished, or its request, files or code have changed since: run the same
        command again. If raw files may not go in; leave them out, they are there as digests. If
        nobody could run it again to the same answer from what they would have.
    """
    from lumipipe.tasks.crate_graph import metadata_of  # noqa: PLC0415 - needs an extra

    if out.exists():
        raise InputError(str(out), "is there already", "remove it, or name another by --out")
    finished = finished_run(run)
    check_repeatable(finished)
    if with_data:
        check_open(finished)
    staging = out.parent / f".{out.name}.staging"
    remove_tree(staging)
    staging.mkdir(parents=True)
    try:
        write_parts(finished, staging, with_data=with_data)
        (staging / README).write_text(_readme(finished, with_data=with_data), encoding="utf-8")
        write_json(staging / METADATA, metadata_of(finished, staging))
        name = write_sums(staging)
        content = digest_file(staging / CONTENTS)
        if as_zip:
            write_zip(staging, out)
            remove_tree(staging)
        else:
            staging.rename(out)
    except BaseException:
        remove_tree(staging)
        raise
    for line in _told(finished, with_data=with_data):
        log(line)
    log(f"content digest, as in its report: {content}")
    log(f"{out}: the crate; its digest, to be told apart from it: {name}")
    return 0


def finished_run(out: Path) -> Finished:
    """The run in a folder, once it is sure that all in it is of its request, files and code.

    Raises
    ------
    InputError
        If a stage would run again; run the same command again.
    """
    check_folder(out)
    loaded = load_request(read_plan(out / PLAN).request)
    with placing(loaded):
        stages = plan_run(loaded, out.resolve(), lambda _: None)
        layout = layout_of(loaded)
    for stage in stages.values():
        if not stage.is_done:
            problem = f"{stage.verb} is not up to date ({stage.reason})"
            again = f"run it again: lumipipe run {loaded.file.path} --out {out}"
            raise InputError(str(out), problem, again)
    found = Finished(out, loaded, stages, layout, standing(loaded, stages, out.resolve()))
    if (found.report / REQUEST).read_bytes() != loaded.file.path.read_bytes():
        # Its meaning is the same, or the report would be another; the bytes are what is digested.
        remedy = "take the new words back, or remove the report's product and run it again"
        raise InputError(str(loaded.file.path), "its comments changed since the report", remedy)
    return found


def check_repeatable(run: Finished) -> None:
    """Refuse a run that others could not repeat, for it rests on what stays with its owner.

    Raises
    ------
    InputError
        If somebody has withdrawn from its pool. Who withdrew is in no crate, so a repetition
        would bring them back with their files. Of data of people nothing is handed over: their
        owner repeats it with the pool at hand.
    """
    gone = withdrawn_from(run.loaded.request, run.loaded.base).digests
    if gone and not run.is_private:
        raise InputError(
            run.loaded.file.place(("rights", "pool")),
            f"rights.pool: {len(gone)} withdrew from it, and who runs the crate again would read "
            "their files",
            "remove their raw files and rights.pool, and run it again",
        )


def check_open(run: Finished) -> None:
    """Refuse raw files that may not be handed over.

    Raises
    ------
    InputError
        If they come from people, their owner has not opened them, a licence is none that is
        known to be open, or they are large; make the crate without them.
    """
    request, place = run.loaded.request, run.loaded.file.place
    without = "leave out --with-data: the crate then holds their digests"
    if run.is_private:
        problem = f"--with-data: personal_data is {request.rights.personal_data}"
        raise InputError(place(("rights", "personal_data")), problem, without)
    if request.rights.publication.data != "open":
        problem = f"--with-data: publication.data is {request.rights.publication.data}"
        raise InputError(place(("rights",)), problem, f"{without}, or have the owner open them")
    for number, source in enumerate(request.data):
        licence = _licence(source, request.rights.licence)
        if licence is not None and not _OPEN.search(licence):
            problem = f"--with-data: the licence {licence} is not known to be open"
            raise InputError(place(("data", number)), problem, without)
    size = sum(file.path.stat().st_size for file in run.layout.files if file.is_data)
    if size > MOST_DATA_BYTES:
        problem = (
            f"--with-data: {size / 2**20:.0f} MiB of raw files; at most {MOST_DATA_BYTES >> 20}"
        )
        raise InputError(str(run.out), problem, f"{without}; hand the files over beside it")


def _licence(source: Source, common: str | None) -> str | None:
    """The licence of a source: its own, or that of all data of the request."""
    return source.licence or common


def write_sums(folder: Path) -> str:
    """List each file of a crate with its digest, as sha256sum does; the digest of the list."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [
        f"{digest}  {path.relative_to(folder).as_posix()}\n"
        for path, digest in zip(paths, digest_files(paths), strict=True)
    ]
    write_bytes(folder / SUMS, "".join(lines).encode())
    return digest_file(folder / SUMS)


def _told(run: Finished, *, with_data: bool) -> list[str]:
    """What a maker of a crate must know of it."""
    rights = run.loaded.request.rights
    if run.is_private:
        stays = "request, data, products, tables, report and plan stay here"
        return [
            f"personal_data is {rights.personal_data}: {stays}",
            "the crate holds their digests, and figures over all persons",
        ]
    reach = ", ".join(f"{what} {level}" for what, level in rights.publication.model_dump().items())
    data = [file for file in run.layout.files if file.is_data]
    kept = "are in it" if with_data else "are not in it, but by their digests"
    return [f"{len(data)} raw file(s) {kept}", f"what others may get, by its request: {reach}"]


def _readme(run: Finished, *, with_data: bool) -> str:
    """What a crate is and how it is re-run, in a few lines of Markdown."""
    data = "" if with_data else " --data FOLDER"
    if run.is_private:
        where = (
            "The data come from people, so they are not here, nor is the request. Who has both "
            "names the folder that holds them; the files are told by their digests."
        )
    elif with_data:
        where = f"The raw files are in {DATA}/."
    else:
        where = (
            f"The raw files are not here; {INPUTS} lists size and SHA-256 of each. Name a folder "
            "that holds them, whatever they are called there."
        )
    return (
        "# Run crate\n\n"
        "A finished run of lumipipe: what was asked, what it was made of, and what came out.\n"
        f"{METADATA} describes it (RO-Crate 1.1, Provenance Run Crate 0.5).\n\n"
        "To check it and re-run it, with no network:\n\n"
        f"    lumipipe rerun CRATE{data} --out FOLDER\n\n"
        f"{where} The code is in software/, the versions of packages are in requirements.txt.\n"
        f"{SUMS} finds damage and changes; a forgery that brings its own is found by --digest,\n"
        "with the digest that the maker of the crate was told.\n"
    )
