"""Arrays that depend on settings alone, computed once for each array library and device."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import ModuleType

Result = TypeVar("Result")

_MOST = 8  # results that are kept; the oldest goes first


def remembered(
    compute: Callable[..., Result],
) -> Callable[..., Result]:
    """`compute` of (namespace, device, further hashable arguments), with its last results kept."""
    kept: dict[Hashable, Result] = {}

    @wraps(compute)
    def of(xp: ModuleType, where: Any, *key: Hashable) -> Result:
        # By name: the devices of some libraries have no hash.
        name = (compute.__qualname__, xp.__name__, str(where), *key)
        if name not in kept:
            if len(kept) >= _MOST:
                kept.pop(next(iter(kept)))
            kept[name] = compute(xp, where, *key)
        return kept[name]

    return of
