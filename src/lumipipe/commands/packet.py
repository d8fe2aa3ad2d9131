"""``lumipipe packet``: one model of sites that may not share their data."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)
_OUT_FILE = click.option("--out", type=_FILE, required=True, help="File of the packet to write.")

_POOLS = click.option(
    "--pool",
    "pools",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="Pool that notes it, so that a withdrawal there names it; may be given again.",
)


@click.group("packet")
def packet_group() -> None:
    """Train one model of sites that may not share data."""


@packet_group.command("make")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option("--site", required=True, help="Name of the site; each is held out in turn later.")
@click.option(
    "--fewest",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Fewest units that the state may stand for; of persons at least three.",
)
@_OUT_FILE
def make_command(run: Path, site: str, fewest: int, out: Path) -> int:
    """Write the merged training state of a finished run as a packet."""
    from lumipipe.tasks.packet import make_packet

    return _said(make_packet(run, site, fewest, out))


@packet_group.command("merge")
@click.argument("files", metavar="PACKET...", nargs=-1, required=True, type=_FILE)
@_OUT_FILE
@_POOLS
def merge_command(files: tuple[Path, ...], out: Path, pools: tuple[Path, ...]) -> int:
    """Lay the sites of several packets side by side; the order of files does not matter."""
    from lumipipe.tasks.packet import merge_packets

    return _said(merge_packets(files, out, pools))


@packet_group.command("calibrate")
@click.argument("file", metavar="PACKET", type=_FILE)
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option("--site", required=True, help="Name of the site that the run is of.")
@_OUT_FILE
def calibrate_command(file: Path, run: Path, site: str, out: Path) -> int:
    """Add the scores of a site's rows by the models of all sites, which thresholds need."""
    from lumipipe.tasks.packet import calibrate_packet

    return _said(calibrate_packet(file, run, site, out))


@packet_group.command("inspect")
@click.argument("file", metavar="PACKET", type=_FILE)
def inspect_command(file: Path) -> int:
    """Say what a packet holds and whether it may cross the border; changes nothing."""
    from lumipipe.tasks.packet import inspect_packet

    return _said(inspect_packet(file))


@packet_group.command("fit")
@click.argument("file", metavar="PACKET", type=_FILE)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the model: model.npz and model.json.",
)
@_POOLS
def fit_command(file: Path, out: Path, pools: tuple[Path, ...]) -> int:
    """Fit the model of a packet's sites, each site held out in turn."""
    from lumipipe.tasks.packet import fit_packet

    return _said(fit_packet(file, out, pools))


def _said(lines: list[str]) -> int:
    """Print lines; 0."""
    for line in lines:
        print(line, flush=True)
    return 0
