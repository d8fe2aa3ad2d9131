"""Which raw files a sample of a request takes, and where they are put.

The files are taken evenly over each source, so that persons, machines and classes whose names
stand side by side are all met. What is done with them is in `lumipipe.tasks.quoting.sampling`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lumipipe.pool.card import read_card
from lumipipe.readers import PUBLISHED, READERS
from lumipipe.readers.files import find_files, glob_root, relative_name, source_digest
from lumipipe.tasks.adopting import is_adopted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.config import Source
    from lumipipe.tasks.request import Loaded

# Formats whose files are lines, so that the first lines of a file are a file; and published
# datasets, of which `lumipipe.tasks.quoting.storesample` takes a part.
_LINES = frozenset({"csv", "text", "ts", PUBLISHED})
_PACKED = frozenset({".gz", ".xz"})


@dataclass(frozen=True)
class RawFile:
    """A raw file of a source, or its first bytes.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name below the source's folder.
    size : int
        Bytes that are taken.
    whole : bool
        Whether that is all of it.
    """

    path: Path
    name: str
    size: int
    whole: bool = True


def raw_files(loaded: Loaded) -> list[list[RawFile]]:
    """All raw files of each source of a request; of published data the card, with their bytes."""
    if is_adopted(loaded.request):
        return _published(loaded)
    found = []
    for source in loaded.request.data:
        root = glob_root(source, loaded.base)
        found.append(
            [
                RawFile(path, relative_name(source, path, root), path.stat().st_size)
                for path in find_files(source, loaded.base)
            ]
        )
    return found


def _published(loaded: Loaded) -> list[list[RawFile]]:
    """The card of a published dataset for each source; all bytes stand with the first."""
    (path,) = find_files(loaded.request.data[0], loaded.base)
    sizes = [read_card(path).size, *[0] * (len(loaded.request.data) - 1)]
    return [[RawFile(path, path.name, size)] for size in sizes]


def size_of(files: Sequence[Sequence[RawFile]]) -> int:
    """Bytes of the files of all sources."""
    return sum(file.size for source in files for file in source)


def sample_of(
    sources: Sequence[Source], files: Sequence[Sequence[RawFile]], share: float
) -> list[list[RawFile]]:
    """About a share of the raw files, evenly over each source.

    Parameters
    ----------
    sources : sequence of Source
        The sources.
    files : sequence of sequence of RawFile
        All files of each.
    share : float
        Part of the bytes that is wanted, up to 1.

    Returns
    -------
    list of list of RawFile
        At least one file of each source; sources with equally many files give files of the same
        positions, for these may belong to one recording. Of a file of lines that alone would
        exceed the share, the first lines.
    """
    chosen = []
    for source, every in zip(sources, files, strict=True):
        count = min(len(every), ceil(share * len(every)))
        picked = [every[number * len(every) // count] for number in range(count)]
        part = share * len(every) / count
        chosen.append([_cut(file, part, source.format) for file in picked])
    return chosen


def _cut(file: RawFile, part: float, form: str) -> RawFile:
    """The file, or the first `part` of it where it is lines and that is less than half."""
    if 2 * part >= 1 or form not in _LINES or file.path.suffix in _PACKED:
        return file
    return replace(file, size=ceil(part * file.size), whole=False)


def is_all(chosen: Sequence[Sequence[RawFile]], files: Sequence[Sequence[RawFile]]) -> bool:
    """Whether a sample has taken everything."""
    return [list(source) for source in chosen] == [list(source) for source in files]


def linked(
    sources: Sequence[Source], chosen: Sequence[Sequence[RawFile]], folder: Path
) -> list[dict[str, object]]:
    """What each source of a request has to say to be about the chosen files alone.

    Parameters
    ----------
    sources : sequence of Source
        The sources.
    chosen : sequence of sequence of RawFile
        Files of each.
    folder : Path
        Where links to them are put, and the first lines of those that are cut.

    Returns
    -------
    list of dict
        New values of the keys ``source``, ``sha256`` and ``labels`` of each source. The digests
        are those of what is there: the plan has compared the whole files with the request's own.
        Files of labels are taken whole; what they say of recordings not chosen is left out.
    """
    found = []
    for number, (source, files) in enumerate(zip(sources, chosen, strict=True)):
        place = folder / str(number)
        pattern = f"{place}/**/*"
        for file in files:
            _put(file, place / file.name)
            if companions := [part for part in _parts(source, file) if part != file.path]:
                pattern = f"{place}/**/*{file.path.suffix}"  # they lie beside it, unasked for
                for part in companions:
                    _put(RawFile(part, part.name, 0), (place / file.name).with_name(part.name))
        update: dict[str, object] = {"source": pattern}
        if source.sha256 is not None:
            digests = {f.name: source_digest(place / f.name, source) for f in files}
            update["sha256"] = _of_label_files(source) | digests
        if _label_files(source):
            update["labels"] = _lenient(source)
        found.append(update)
    return found


def _label_files(source: Source) -> list[str]:
    """Files that hold labels of a source; each is taken whole."""
    return [label.file for label in source.labels.values() if label.file is not None]


def _of_label_files(source: Source) -> dict[str, str]:
    """What the source declares of its files of labels, where it declares each file by name."""
    declared = source.sha256 if isinstance(source.sha256, dict) else {}
    files = [PurePosixPath(file) for file in _label_files(source)]
    return {name: digest for name, digest in declared.items() if any(f.match(name) for f in files)}


def _lenient(source: Source) -> dict[str, object]:
    """The labels of a source, where a file of labels may tell of more recordings than there are."""
    labels: dict[str, object] = {}
    for name, label in source.labels.items():
        told = {} if label.file is None else {"spare": "leave_out"}
        labels[name] = label.model_dump(mode="json", exclude_unset=True) | told
    return labels


def _parts(source: Source, file: RawFile) -> list[Path]:
    """A file and those that its reader looks into besides."""
    return READERS[source.format].parts(file.path) if source.format in READERS else [file.path]


def _put(file: RawFile, place: Path) -> None:
    """Link a file to a place, or write its first lines there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if file.whole:
        place.symlink_to(file.path.resolve())
        return
    with file.path.open("rb") as whole:
        place.write_bytes(whole.read(file.size) + whole.readline())
