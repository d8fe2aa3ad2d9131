"""Libraries that only some formats need: each comes with an extra, which is named where it lacks.

What a library gives is the business of the format's own reader.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.readers.compressed import shown

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def library(module: str, extra: str, file: Path) -> ModuleType:
    """A library that a file needs.

    Parameters
    ----------
    module : str
        Name under which it is imported.
    extra : str
        Extra of lumipipe that brings it.
    file : Path
        For the message.

    Returns
    -------
    ModuleType
        The library.

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
        package = module.partition(".")[0]
        raise InputError(
            shown(file), f"needs {package}, which is not here", f"install lumipipe[{extra}]"
        ) from error
