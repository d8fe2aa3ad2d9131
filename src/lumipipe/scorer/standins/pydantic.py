"""The names of Pydantic that bundled modules import: a bundle's settings were checked long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class ValidationError(ValueError):
    """Never raised."""


def Field(*_: object, **__: object) -> Any:  # noqa: N802  # the name in Pydantic
    """Nothing: no settings are made."""
    return None


def _unchanged(*_: object, **__: object) -> Callable[[Any], Any]:
    """A decorator that does nothing."""
    return lambda function: function


field_validator = model_validator = _unchanged
