"""The verb ``inspect``: what is in files, and a skeleton of a request for them.

How files are opened and measured is in `lumipipe.tasks.inspecting`, the skeleton in
`lumipipe.tasks.skeleton`.
"""

from __future__ import annotations

import glob
import json
import textwrap
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers import READERS
from lumipipe.readers.compressed import shown
from lumipipe.readers.dcc import is_certificate
from lumipipe.readers.recognise import Recognised, recognise
from lumipipe.tasks.inspecting.certificates import certificate_lines
from lumipipe.tasks.inspecting.copies import copies_among
from lumipipe.tasks.inspecting.figures import plain
from lumipipe.tasks.inspecting.kinds import kinds_of, proposal_for, source_of
from lumipipe.tasks.inspecting.seen import Refused
from lumipipe.tasks.inspecting.tables import file_seen
from lumipipe.tasks.inspecting.told import lines_of
from lumipipe.tasks.inspecting.written import write
from lumipipe.tasks.skeleton import fault_of, request_text, to_fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.tasks.inspecting.kinds import Kind
    from lumipipe.tasks.inspecting.seen import FileSeen

_LEFT_OUT = 3
_WRAPPER = partial(
    textwrap.TextWrapper,
    subsequent_indent=" " * 9,
    break_long_words=False,
    break_on_hyphens=False,
)


@dataclass(frozen=True)
class Asked:
    """What is to be looked at, and how.

    Parameters
    ----------
    files : tuple of str
        Paths, or globs that the shell left alone.
    format : str or None
        Format of all files; told from each where None.
    read : dict of str to str
        Options of the reader, with their values as text or JSON.
    family : str or None
        Family of the skeleton; proposed where None.
    trust : tuple of Path
        Trusted certificates and lists of revocations, for signatures of calibration certificates.
    out : Path or None
        Folder for page, record and skeleton; nothing is written where None.
    width : int
        Signs in a line of the terminal.
    """

    files: tuple[str, ...]
    format: str | None = None
    read: dict[str, str] = field(default_factory=dict)
    family: str | None = None
    trust: tuple[Path, ...] = ()
    out: Path | None = None
    width: int = 80


def inspect(asked: Asked, tell: Callable[[str], None]) -> int:
    """Tell what is in files, and write page, record and skeleton if asked.

    Parameters
    ----------
    asked : Asked
        Files and options.
    tell : callable
        Takes the lines.

    Returns
    -------
    int
        Exit code 0; 3 where some files could not be read.

    Raises
    ------
    InputError
        If no file could be read, or an option is wrong.
    """
    _check(asked)
    others, certificates, refused = _certificates(asked, tell)
    seen, unread = _look(others, asked.format, _given(asked))
    refused += unread
    if not seen and not certificates:
        raise _none(refused, tell)
    if not seen:
        return _left_out(refused, tell)
    kinds = kinds_of(seen)
    copies = copies_among(seen)
    for line in lines_of(kinds, refused, copies, asked.width):
        tell(line)
    text, words = _skeleton(kinds, asked)
    for word in words:
        for line in _WRAPPER(asked.width).wrap(word):
            tell(line)
    if asked.out is not None:
        for name in write(asked.out, kinds, refused, copies, text):
            tell(f"written: {asked.out / name}")
    else:
        tell("written: nothing; --out FOLDER writes request.yaml, inspect.html and inspect.json")
    return _LEFT_OUT if refused else 0


def found_in(asked: Asked) -> list[Kind]:
    """The kinds of files that were named, all of which must be readable; none without files.

    Parameters
    ----------
    asked : Asked
        Files and options.

    Returns
    -------
    list of Kind
        The kind with most readings first.

    Raises
    ------
    InputError
        If a file cannot be read, or an option is wrong.
    """
    _check(asked)
    seen, refused = _look(_files(asked.files), asked.format, _given(asked))
    for item in refused:
        raise InputError(plain(item.place), plain(item.problem), plain(item.remedy))
    return kinds_of(seen)


def _given(asked: Asked) -> dict[str, Any]:
    """Options of the reader with their values."""
    return {key: _value(text) for key, text in asked.read.items()}


def _certificates(
    asked: Asked, tell: Callable[[str], None]
) -> tuple[list[Path], int, list[Refused]]:
    """Tell what calibration certificates say: the other files, how many were told, the refused."""
    files = _files(asked.files)
    certificates = [file for file in files if is_certificate(file)]
    refused: list[Refused] = []
    for file in certificates:
        try:
            lines = list(certificate_lines(file, asked.trust))
        except InputError as error:
            refused.append(Refused(file, error.place, error.problem, error.remedy))
            continue
        for line in lines:
            tell(line)
    others = [file for file in files if file not in certificates]
    return others, len(certificates) - len(refused), refused


def _check(asked: Asked) -> None:
    """Refuse unknown names, and a folder that holds something."""
    for option, name, known in (
        ("--format", asked.format, READERS),
        ("--family", asked.family, FAMILIES),
    ):
        if name is not None and name not in known:
            raise InputError(f"{option} {name}", "is not known", f"use one of {', '.join(known)}")
    if asked.out is not None and asked.out.exists() and any(asked.out.iterdir()):
        raise InputError(
            f"--out {asked.out}", "is there and not empty", "name another folder, or remove it"
        )


def _value(text: str) -> Any:
    """A value of an option: JSON where it is some, and a tab where it is written so."""
    try:
        return json.loads(text)
    except ValueError:
        return "\t" if text == r"\t" else text


def _files(words: tuple[str, ...]) -> list[Path]:
    """The files that were named, each once."""
    found: list[Path] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            raise InputError(word, "is a folder", f"name its files: {word.rstrip('/')}/*")
        if path.is_file():
            found.append(path)
            continue
        names = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 (** goes into folders)
        matched = [Path(name) for name in names if Path(name).is_file()]
        if not matched:
            raise InputError(word, "no such file", "check the path")
        found += matched
    return list(dict.fromkeys(found))


def _look(
    files: list[Path], name: str | None, given: dict[str, Any]
) -> tuple[list[FileSeen], list[Refused]]:
    """What is in each file, and which were refused; parts of others are neither."""
    seen: list[FileSeen] = []
    refused: list[Refused] = []
    for file in files:
        try:
            told = recognise(file) if name is None else Recognised(name, "--format")
            seen.append(file_seen(file, told.format, told.told, given))
        except InputError as error:
            if error.place.startswith("--read"):
                raise
            refused.append(Refused(file, error.place, error.problem, _remedy(error.remedy)))
    parts = {part.resolve() for file in seen for part in _parts(file)}
    return seen, [item for item in refused if item.path.resolve() not in parts]


def _parts(file: FileSeen) -> list[Path]:
    """Other files that belong to one."""
    reader = READERS[file.format]
    options = reader.Options.model_validate(file.read)
    return [*reader.parts(file.path), *options.beside(file.path)]


def _remedy(text: str) -> str:
    """A remedy of a reader with the option to type here."""
    return text.replace("set read.", "set --read ").replace("give read.", "give --read ")


def _none(refused: list[Refused], tell: Callable[[str], None]) -> InputError:
    """The error where no file was read: its own line for one, a list and a line for several."""
    first = refused[0]
    if len(refused) == 1:
        return InputError(plain(first.place), plain(first.problem), plain(first.remedy))
    for item in refused:
        tell(plain(str(item)))
    return InputError(
        shown(first.path), f"is one of {len(refused)} files, none of which can be read", "see above"
    )


def _left_out(refused: list[Refused], tell: Callable[[str], None]) -> int:
    """Tell what was refused where certificates were all that was read, and return the exit code."""
    for item in refused:
        tell(plain(str(item)))
    return _LEFT_OUT if refused else 0


def _skeleton(kinds: list[Kind], asked: Asked) -> tuple[str, list[str]]:
    """The skeleton for the kind of files that is most, and what to say of it."""
    kind = kinds[0]
    proposal, table = proposal_for(kind, asked.family)
    source = source_of(kind, table, asked.out or Path())
    text = request_text(source, proposal.family, proposal.because)
    words = [f"request: family {proposal.family}, {proposal.because}; --family takes another"]
    if len(kinds) > 1:
        words.append(f"         for the {len(kind.files)} file(s) of format {kind.format} only")
    if open_keys := to_fill(text):
        places = "place" if len(open_keys) == 1 else "places"
        words.append(f"         {len(open_keys)} {places} to fill in, the first is {open_keys[0]}")
    elif fault := fault_of(text):
        words.append(f"         to be mended: {fault.partition(': ')[2]}")
    else:
        words.append("         accepted as it is; read every line all the same")
    return text, words
