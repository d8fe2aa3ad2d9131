"""Features as plain values, and back: what a model needs of them where no request is at hand."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.features import FEATURES
from lumipipe.kernels.convolution import ConvolutionParameters

if TYPE_CHECKING:
    from lumipipe.features.interface import Feature

_MADE: list[Any] = [*FEATURES.values(), ConvolutionParameters]
_CLASSES = {made.__name__: made for made in _MADE}
_CLASS, _FIELDS = "class", "fields"


def described(feature: Feature) -> dict[str, Any]:
    """A feature as JSON values.

    Parameters
    ----------
    feature : Feature
        From `lumipipe.features.build_features`.

    Returns
    -------
    dict
        Its class and fields, from which `restored` makes an equal one.

    Examples
    --------
    >>> from lumipipe.features.trend import Trend
    >>> described(Trend(("slope of a",), (2.0,)))["fields"]
    {'names': ['slope of a'], 'scales': [2.0]}
    """
    found: dict[str, Any] = _plain(feature)
    return found


def restored(content: dict[str, Any]) -> Feature:
    """The feature in what `described` gave.

    Raises
    ------
    InputError
        If it is of a class that this version does not have.
    """
    feature: Feature = _made(content)
    return feature


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if is_dataclass(value):
        own = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {_CLASS: type(value).__name__, _FIELDS: own}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _made(value: Any) -> Any:
    """The value that `_plain` gave."""
    if isinstance(value, dict):
        name = value[_CLASS]
        if name not in _CLASSES:
            raise InputError("features", f"no class {name}", f"use {', '.join(_CLASSES)}")
        return _CLASSES[name](**{key: _made(part) for key, part in value[_FIELDS].items()})
    return tuple(_made(part) for part in value) if isinstance(value, list) else value
