"""Libraries that open instrument files: extras by name, what they raise or log as one line, sizes.

Which tables of a file are read is in `lumipipe.readers.containers`.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import ALWAYS_BYTES, MOST_RATIO, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AGAIN = "copy the file again from its source"
_MOST_WORDS = 160  # characters of a library's own message
# Bytes that a library may read: measured up to 5 times the file where it is whole.
_READ_ALWAYS = 2**20
_READ_RATIO = 16


def library(file: Path, module: str, package: str, extra: str = "instruments") -> Any:
    """A module of an optional requirement.

    Parameters
    ----------
    file : Path
        The file that needs it.
    module : str
        What is imported.
    package : str
        Its name in the package index.
    extra : str
        The extra of lumipipe that brings it.

    Returns
    -------
    module
        Untyped: these libraries publish no types.

    Raises
    ------
    InputError
        If it is not installed: install the extra.
    """
    try:
        with warnings.catch_warnings():
            # What a library warns its own makers of at its import is no matter of the user's.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return importlib.import_module(module)
    except ImportError as error:
        raise _missing(file, package, extra) from error


def installed(file: Path, module: str, package: str, extra: str = "instruments") -> None:
    """Refuse a format whose library is not installed, without loading it.

    Parameters
    ----------
    file : Path
        The file that needs it.
    module : str
        What would be imported.
    package : str
        Its name in the package index.
    extra : str
        The extra of lumipipe that brings it.

    Raises
    ------
    InputError
        If it is not installed: install the extra.
    """
    if module in sys.modules:
        found = sys.modules[module] is not None
    else:
        found = importlib.util.find_spec(module) is not None
    if not found:
        raise _missing(file, package, extra)


def _missing(file: Path, package: str, extra: str) -> InputError:
    return InputError(shown(file), f"this format needs {package}", f"install lumipipe[{extra}]")


@contextmanager
def damage(file: Path, kind: str, *loggers: str, harmless: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn whatever a library raises about a file, or logs as a warning, into one line.

    Parameters
    ----------
    file : Path
        The file that is read.
    kind : str
        What it should be, such as TDMS file.
    *loggers : str
        Names of the library's loggers, with all below them. They print nothing meanwhile.
    harmless : tuple of str
        Those of them whose warnings tell of no damage.

    Raises
    ------
    RecordingError
        In place of any exception but an `InputError`; and for the first warning that was logged.
    """
    said: list[str] = []
    try:
        with warnings.catch_warnings(), _listening(loggers, harmless, said):
            warnings.simplefilter("ignore")  # of NumPy and Python; damage is raised or logged
            yield
    except InputError:
        raise
    except Exception as error:  # what is raised depends on the byte at which the damage starts
        reason = _words(file, str(error) or type(error).__name__)
        raise RecordingError(shown(file), f"is damaged or no {kind} ({reason})", _AGAIN) from error
    if said:
        raise RecordingError(
            shown(file), f"is truncated or damaged ({_words(file, said[0])})", _AGAIN
        )


def refuse_size(
    file: Path, claimed: int, held: int, *, packed: bool = False, most_bytes: int | None = None
) -> None:
    """Refuse a file whose headers promise more than it can hold, before memory is taken.

    Parameters
    ----------
    file : Path
        The file.
    claimed : int, bytes
        What the headers promise.
    held : int, bytes
        Size of the file.
    packed : bool
        Whether the content may be compressed: then 64 MiB, or 100 times the file, are allowed.
    most_bytes : int or None, bytes
        What is allowed instead where the content may be compressed: `read.most_bytes`.

    Raises
    ------
    RecordingError
        If the promise cannot be true.
    """
    most = max(ALWAYS_BYTES, MOST_RATIO * held) if packed else held
    if packed and most_bytes is not None:
        most = most_bytes
    if not 0 <= claimed <= most:
        raise RecordingError(
            shown(file),
            f"its headers promise {claimed} bytes, the file has {held}",
            "check where it is from; if you trust it, set read.most_bytes to what it unpacks to"
            if packed
            else _AGAIN,
        )


class _Budget:
    """Counts what is read from a file of `size` bytes, and ends what would never end."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = _READ_ALWAYS + _READ_RATIO * size

    def most(self, size: int | None) -> int:
        """How much of `size` bytes to ask for: never memory for more than there are."""
        return self.size if size is None or size < 0 else min(size, self.size)

    def spend(self, found: bytes) -> bytes:
        """The bytes, after they were counted."""
        self._left -= max(len(found), 1)
        if self._left < 0:
            raise ValueError("its blocks point at one another in a ring")
        return found


class Bounded(io.BufferedReader):
    """A stream for libraries that follow addresses in a file, which may form a ring.

    Parameters
    ----------
    raw : BinaryIO
        A seekable stream; it is closed with this one.
    """

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(raw)  # type: ignore[arg-type]  # a buffered stream will do
        self._budget = _Budget(self.seek(0, 2))
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        return self._budget.spend(super().read(self._budget.most(size)))


class BoundedMemory(io.BytesIO):
    """As `Bounded`, in memory, for libraries that mend a file while they read it.

    Parameters
    ----------
    content : bytes
        The whole file.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._budget = _Budget(len(content))

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        return self._budget.spend(super().read(self._budget.most(size)))


@contextmanager
def _listening(
    names: tuple[str, ...], harmless: tuple[str, ...], said: list[str]
) -> Iterator[None]:
    """Collect warnings of loggers, on this thread alone, in place of printing them."""
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        if record.levelno >= logging.WARNING and record.name not in harmless:
            said.append(record.getMessage())
        return False

    known = [
        logging.getLogger(logger)
        for logger in list(logging.root.manager.loggerDict)
        if any(logger == name or logger.startswith(f"{name}.") for name in names)
    ]
    for logger in known:
        logger.addFilter(keep)
    try:
        yield
    finally:
        for logger in known:
            logger.removeFilter(keep)


def _words(file: Path, text: str) -> str:
    """A library's message in one short line, without the path of this machine."""
    line = " ".join(text.replace(str(file), shown(file)).split())
    return line if len(line) <= _MOST_WORDS else f"{line[:_MOST_WORDS]}..."
