"""``lumipipe pool``: datasets with cards and terms, who withdrew, and what may leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_POOL = click.argument("pool", metavar="POOL", type=click.Path(path_type=Path, file_okay=False))
_DATASET = click.argument("dataset", metavar="DATASET")


@click.group("pool")
def pool_group() -> None:
    """Publish, list, verify and withdraw datasets.

    And stage what may leave the pool.
    """


@pool_group.command("init")
@_POOL
@click.option(
    "--most-files",
    type=click.IntRange(min=1),
    help="Files that all its datasets together may have; 100000 where absent.",
)
def init_command(pool: Path, most_files: int | None) -> int:
    """Make a pool in a folder, with a secret of its own."""
    from lumipipe.pool.catalogue import MOST_FILES
    from lumipipe.tasks.pool import init_pool

    return _said(init_pool(pool, most_files or MOST_FILES))


@pool_group.command("add")
@_POOL
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option("--id", "dataset", required=True, help="Name of the dataset in the pool.")
@click.option("--title", help="Title; that of the request where absent.")
@click.option("--description", help="What the data are; from the request where absent.")
@click.option("--attribution", help="How users name the source; the owner where absent.")
def add_command(pool: Path, run: Path, **words: Any) -> int:
    """Publish the dataset of a finished run as a new version, with its card."""
    from lumipipe.tasks.pool import Words, add_dataset

    return _said(add_dataset(pool, run, Words(**words)))


@pool_group.command("list")
@_POOL
def list_command(pool: Path) -> int:
    """List all versions of all datasets."""
    from lumipipe.tasks.pool import list_pool

    return _said(list_pool(pool))


@pool_group.command("show")
@_POOL
@_DATASET
def show_command(pool: Path, dataset: str) -> int:
    """Show the newest card of a dataset and how it is cited."""
    from lumipipe.tasks.pool import show_dataset

    return _said(show_dataset(pool, dataset))


@pool_group.command("verify")
@_POOL
def verify_command(pool: Path) -> int:
    """Compare the log and every file of every dataset with its digest."""
    from lumipipe.tasks.pool import verify_pool

    return _said(verify_pool(pool))


@pool_group.command("withdraw")
@_POOL
@_DATASET
@click.argument("unit", metavar="PERSON")
def withdraw_command(pool: Path, dataset: str, unit: str) -> int:
    """Take a person out of the pool and of all that was made from it."""
    from lumipipe.tasks.withdrawing import withdraw

    return withdraw(pool, dataset, unit, lambda line: print(line, flush=True))


@pool_group.command("stage")
@click.argument("item", metavar="ITEM", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder outside, such as one that is sent to LUMI.",
)
def stage_command(item: Path, to: Path) -> int:
    """Copy a dataset's folder or a packet outside, if it may leave; else write nothing."""
    from lumipipe.tasks.pool import stage

    return _said(stage(item, to))


def _said(lines: list[str]) -> int:
    """Print lines; 0."""
    for line in lines:
        print(line, flush=True)
    return 0
