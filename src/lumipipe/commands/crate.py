"""``lumipipe crate`` and ``lumipipe rerun``: a run that another person checks and repeats."""

from __future__ import annotations

from pathlib import Path

import click

from lumipipe.commands.options import say


@click.command("crate")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Crate to write.")
@click.option("--with-data", is_flag=True, help="Put the raw files in, where they are open.")
@click.option("--zip", "as_zip", is_flag=True, help="One ZIP file instead of a folder.")
def crate_command(run: Path, out: Path, *, with_data: bool, as_zip: bool) -> int:
    """Write a run as a crate that another person can re-run.

    The crate is an RO-Crate of the profile Provenance Run Crate.
    """
    from lumipipe.tasks.crate import crate

    return crate(run, out, say, with_data=with_data, as_zip=as_zip)


@click.command("rerun")
@click.argument("crate", metavar="CRATE", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the raw files that the crate lacks; they are told by their digests.",
)
@click.option("--digest", metavar="SHA256", help="Digest of the crate, as its maker was told.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the new run, which must not be there yet.",
)
def rerun_command(crate: Path, data: Path | None, digest: str | None, out: Path) -> int:
    """Check a crate, run its steps again, say what differs.

    It needs no network.
    """
    from lumipipe.tasks.rerun import rerun

    return rerun(crate, data, out, digest, say)
