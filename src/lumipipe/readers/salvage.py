"""What of a damaged file can be read, where the request allows it: `read.salvage: true`.

A reader is always strict. Where it refuses a file, and its module has a function
``whole(file, content, options)`` that gives a content which is whole again, that is read, strictly,
and the tables are marked. The readers of activity files salvage row by row
(`lumipipe.readers.legs`); of those, only the compression around a file is this module's matter.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import is_packed, open_binary, refuse_bomb, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from lumipipe.readers.tables import ReaderOptions, Table

SALVAGED = "salvaged"
"""Attribute of a table that is a part of what its file should hold: how much, and why no more."""


class Whole(NamedTuple):
    """What can be read of a damaged file.

    Parameters
    ----------
    content : bytes
        A file that is whole: what stands before the damage, its headers mended to fit.
    read, total : int, bytes
        How much of the damaged file that is, without what was made up.
    fault : str
        What is wrong with the rest.
    """

    content: bytes
    read: int
    total: int
    fault: str


def salvaging(module: ModuleType) -> Callable[[Path, Any], Iterator[Table]]:
    """The function ``read`` of a module of readers, with salvage for those who ask for it.

    Parameters
    ----------
    module : module
        Of a format; its function ``whole`` may be absent.

    Returns
    -------
    callable
        As ``read``. With ``options.salvage``, a file that it refuses is read as far as it is whole.

    Raises
    ------
    RecordingError
        If nothing can be salvaged, or not for this format: copy the file again.
    """

    def read(file: Path, options: ReaderOptions) -> Iterator[Table]:
        if not options.salvage:
            yield from module.read(file, options)
            return
        try:
            tables = list(module.read(file, options))
        except InputError as error:
            tables = _salvaged(module, file, options, error)
        yield from tables

    return read


def whole_lines(content: bytes) -> Whole | None:
    r"""A text up to its last whole line, before the zeros that a lost end may be filled with.

    >>> whole_lines(b"1 2\n3 4\n5").content
    b'1 2\n3 4\n'
    """
    zero = content.find(b"\0")
    end = len(content) if zero < 0 else zero
    last = content.rfind(b"\n", 0, end) + 1
    if not last or last == len(content):
        return None
    fault = finding("its last line is cut short" if zero < 0 else f"zeros from byte {zero} on")
    return Whole(content[:last], last, len(content), fault)


def marked(table: Table, words: str) -> Table:
    """A table that says of itself that it was salvaged."""
    words = "; ".join(filter(None, [words, table.attributes.get(SALVAGED)]))
    own = f"{SALVAGED}: "
    notes = (
        finding(f"salvaged: {words}"),
        *(note for note in table.notes if not note.startswith(own)),
    )
    return replace(table, attributes=table.attributes | {SALVAGED: words}, notes=notes)


def _salvaged(
    module: ModuleType, file: Path, options: ReaderOptions, error: InputError
) -> list[Table]:
    """The tables of what is whole of a file, which was refused with an error."""
    content, packing = _content(file, options)
    found = _whole(module, file, content, options)
    if found is None and packing is None:
        if not isinstance(error, RecordingError):
            raise error
        raise RecordingError(
            error.place, error.problem, f"copy the file again; {_why_not(module, options)}"
        ) from error
    said = []
    if found is not None:
        said = [finding(f"{found.read} of {found.total} bytes read, {found.fault}")]
    words = "; ".join([*filter(None, [packing]), *said])
    try:
        with _copy(file, content if found is None else found.content) as copy:
            tables = list(module.read(copy, options.placed(file)))
    except InputError as second:
        raise type(second)(
            error.place,
            error.problem,
            f"copy the file again; what is whole of it ({words}) is refused, too: {second.problem}",
        ) from second
    return [marked(table, words) for table in tables]


def _whole(module: ModuleType, file: Path, content: bytes, options: ReaderOptions) -> Whole | None:
    """What is whole of a content, where the format's module can tell."""
    whole: Callable[..., Whole | None] | None = getattr(module, "whole", None)
    if whole is None:
        return None
    try:
        return whole(file, content, options)
    except Exception:  # noqa: BLE001 (depends on the byte at which the damage starts)
        return None


def _why_not(module: ModuleType, options: ReaderOptions) -> str:
    """Why nothing was salvaged."""
    from lumipipe.readers.legs import ActivityOptions

    own = "salvage" in vars(type(options)).get("__annotations__", {})  # its reader salvages itself
    if own or hasattr(module, "whole") or isinstance(options, ActivityOptions):
        return "read.salvage finds no part of it that is whole"
    form = module.__name__.rpartition(".")[2]
    return f"salvage is not possible for this format ({form})"


def _content(file: Path, options: ReaderOptions) -> tuple[bytes, str | None]:
    """The content of a file; of a compressed one what unpacks, and what is wrong with the rest."""
    if not is_packed(file):
        with open_binary(file) as stream:
            return stream.read(), None
    content = bytearray()
    with file.open("rb") as source:
        try:
            for piece in unpacked(file, source):
                content += piece
                refuse_bomb(file, len(content), source.tell(), options.most_bytes)
        except RecordingError as error:
            if not content or "unpack to more" in error.problem:
                raise
            size = file.stat().st_size
            read = min(source.tell(), size)
            words = finding(
                f"at most {read} of {size} packed bytes unpack, to {len(content)} bytes"
            )
            return bytes(content), f"{words}, {error.problem}"
    return bytes(content), None


@contextmanager
def _copy(file: Path, content: bytes) -> Iterator[Path]:
    """A plain file with a content, called as the file, among links to what lies beside that."""
    name = file.with_suffix("").name if is_packed(file) else file.name
    with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
        place = Path(folder) / (file.absolute().parent.name or "files")
        place.mkdir()
        for other in file.parent.glob(f"{Path(name).stem}.*"):
            if other.name not in {name, file.name}:
                (place / other.name).symlink_to(other.absolute())
        (place / name).write_bytes(content)
        yield place / name
