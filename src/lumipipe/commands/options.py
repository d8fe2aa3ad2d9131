"""What commands share: their arguments and options, and how they speak."""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REQUEST = click.argument("request_file", metavar="REQUEST", type=click.Path(path_type=Path))
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run; results/NAME of the request file where absent.",
)
FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Folder on the file system that is to be tried; this one where absent.",
)
RUN = click.argument("out", metavar="RUN", type=click.Path(path_type=Path))


def _machine_folder(_context: object, option: click.Parameter, name: str | None) -> Path | None:
    """The folder of a machine that was named."""
    from lumipipe.tasks.workflow import profile_folder

    return None if name is None else profile_folder(name, option.opts[0])


MACHINE = click.option(
    "--machine",
    callback=_machine_folder,
    help="Machine that is to run it: name or folder; this one where absent.",
)


def placed(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that say where a run computes; they change no number of the answer."""
    for option in (
        click.option("--account", help="Whom the scheduler bills; never guessed."),
        click.option("--ranks", type=click.IntRange(min=1), help="Instead of compute.ranks."),
        click.option("--target", help="Instead of compute.target, such as lumi-small."),
    ):
        command = option(command)
    return command


def refuse_alone(place: Mapping[str, object], option: str) -> None:
    """Refuse what only a machine has a use for."""
    for name in ("target", "account"):
        if place[name] is not None:
            raise InputError(
                f"--{name} {place[name]}", "no machine is named", f"add {option} NAME or FOLDER"
            )


def pairs(_context: object, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Words NAME=VALUE of an option as a mapping, none twice; keys of a reader may be empty."""
    pairs: dict[str, str] = {}
    for word in given:
        name, sign, value = word.partition("=")
        is_given = bool(value) or option.name == "read"  # thousands= says that there is no mark
        if not (name and sign and is_given) or name in pairs:
            problem = f"{name} is given twice" if name in pairs else "is not NAME=VALUE"
            raise InputError(f"{option.opts[0]} {word}", problem, "write each once as NAME=VALUE")
        pairs[name] = value
    return pairs


def numbers(context: object, option: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """Words NAME=NUMBER of an option as a mapping."""
    numbers = {}
    for name, text in pairs(context, option, given).items():
        try:
            numbers[name] = float(text)
        except ValueError as error:
            place = f"{option.opts[0]} {name}={text}"
            raise InputError(place, "is no number", "write NAME=NUMBER with a point") from error
    return numbers


@contextmanager
def room(out: Path | None) -> Iterator[None]:
    """Say in one line that a disk is full: that is nothing that a traceback explains."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        place = str(error.filename or out or "the file system")
        problem = "no space is left, or the quota is used up"
        raise InputError(place, problem, "free some; the same command goes on") from error


def say(line: str) -> None:
    """Print a line, at once."""
    print(line, flush=True)


def say_aside(line: str) -> None:
    """Print a line where results do not go."""
    print(line, file=sys.stderr, flush=True)


def folder_of(request_file: Path, out: Path | None) -> Path:
    """The folder of the run: as asked, or named after the request file."""
    return out if out is not None else Path("results") / request_file.stem
