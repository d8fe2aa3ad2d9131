"""What differs between a run and its repetition: bytes of steps, surroundings, numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.store.files import digest_of
from lumipipe.tasks.crate_check import read_part
from lumipipe.tasks.crate_parts import COMPUTING, ENVIRONMENT, REPORT, SUMMARY, summary_of
from lumipipe.tasks.plan import code_digest
from lumipipe.tasks.shown import RESULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ABSENT = "absent"
_MOST_TOLD = 40
_DIGITS = 16


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was.

    Parameters
    ----------
    what : str
        Its name.
    before, after : str
        As the crate has it, and as it is now.
    """

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Compared:
    """A run beside its repetition.

    Parameters
    ----------
    steps : dict of str to list of Difference
        Verb to the files of its product that have other bytes; empty where all are equal.
    incomparable : tuple of str
        Verbs that a device computed, then or now: equal bytes are not promised of them.
    surroundings : list of Difference
        Versions, backend, device, ranks and code.
    numbers : list of Difference
        Places of the answer, both values.
    digests : tuple of str
        Content digest then and now.
    """

    steps: dict[str, list[Difference]]
    incomparable: tuple[str, ...]
    surroundings: list[Difference]
    numbers: list[Difference]
    digests: tuple[str, str]

    @property
    def is_equal(self) -> bool:
        """Whether steps that NumPy computed have the same bytes, and the answer says the same."""
        on_host = [found for verb, found in self.steps.items() if verb not in self.incomparable]
        return not any(on_host) and (bool(self.incomparable) or not self.numbers)

    def lines(self) -> list[str]:
        """What to tell people."""
        told = []
        for verb, found in self.steps.items():
            device = " (a device computed it)" if verb in self.incomparable else ""
            state = f"{len(found)} file(s) of its product differ" if found else "equal digests"
            told.append(f"{verb:8}{state}{device}")
        told += _listed("deviation", self.surroundings)
        for verb, found in self.steps.items():
            told += _listed(f"{verb} differs", found)
        told += _listed("result differs", self.numbers)
        same = self.digests[0] == self.digests[1]
        told.append(f"content digest {'equal' if same else 'differs'}: {self.digests[1]}")
        return told

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "lumipipe_rerun": 1,
            "equal": self.is_equal,
            "steps": {verb: _plain(found) for verb, found in self.steps.items()},
            "computed_by_a_device": list(self.incomparable),
            "surroundings": _plain(self.surroundings),
            "result": _plain(self.numbers),
            "content_digest": {"before": self.digests[0], "after": self.digests[1]},
        }


def compare(
    crate: Path,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    digests: tuple[str, str],
    out: Path,
) -> Compared:
    """A run in a crate beside the one in a folder.

    Parameters
    ----------
    crate : Path
        The crate.
    before, now : mapping
        Verb to digest, files, ingredients and how it ran.
    digests : tuple of str
        Content digest then and now.
    out : Path
        Folder of the new run.

    Returns
    -------
    Compared
        Each difference by name.
    """
    steps = {verb: _files(before[verb]["files"], now[verb]["files"]) for verb in COMPUTING}
    computed = [
        (verb, side[verb]["run"].get("backend")) for side in (before, now) for verb in COMPUTING
    ]
    devices = tuple(dict.fromkeys(verb for verb, name in computed if name not in {None, "numpy"}))
    result = json.loads((out / RESULT).read_text(encoding="utf-8"))
    if (crate / REPORT / RESULT).exists():
        answers = [read_part(crate, f"{REPORT}/{RESULT}"), result]
        for answer in answers:
            answer.pop("run")
    else:
        answers = [read_part(crate, SUMMARY), summary_of(result)]
    return Compared(
        steps,
        devices,
        [*_code(crate), *_surroundings(before, now)],
        list(places(*answers)),
        digests,
    )


def places(before: Any, after: Any, name: str = "") -> Iterator[Difference]:
    """Each place where two JSON values differ, with both.

    Examples
    --------
    >>> [str(d) for d in places({"a": [1, 2], "b": 3}, {"a": [1, 5], "b": 3})]
    ['a.1: 2 -> 5']
    """
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {k: (before.get(k, _ABSENT), after.get(k, _ABSENT)) for k in {**before, **after}}
    elif isinstance(before, list) and isinstance(after, list):
        most = max(len(before), len(after))
        sides = [[*side, *[_ABSENT] * (most - len(side))] for side in (before, after)]
        pairs = dict(enumerate(zip(*sides, strict=True)))
    else:
        if before != after:
            yield Difference(name, _words(before), _words(after))
        return
    for key, (old, new) in pairs.items():
        yield from places(old, new, f"{name}.{key}" if name else str(key))


def _files(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Files of two products that differ."""
    sides = [{name: entry[1] for name, entry in files.items()} for files in (before, now)]
    pairs = ((name, *(side.get(name, _ABSENT) for side in sides)) for name in {**before, **now})
    return [
        Difference(name, old[:_DIGITS], new[:_DIGITS])
        for name, old, new in sorted(pairs)
        if old != new
    ]


def _code(crate: Path) -> list[Difference]:
    """Whether lumipipe computes with the code of then."""
    then = read_part(crate, ENVIRONMENT)
    now = code_digest(shown=False)
    if then["code"] == now:
        return []
    return [Difference("code digest", then["code"][:_DIGITS], now[:_DIGITS])]


def _surroundings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """What steps ran with, each difference once, and what they depended on."""
    found: dict[tuple[str, str, str], Difference] = {}
    for verb in COMPUTING:
        old, new = before[verb]["run"], now[verb]["run"]
        pairs = [(name, old.get(name), new.get(name)) for name in ("backend", "device", "ranks")]
        versions = [side.get("versions") or {} for side in (old, new)]
        pairs += [
            (f"version of {name}", versions[0].get(name, _ABSENT), versions[1].get(name, _ABSENT))
            for name in sorted({*versions[0], *versions[1]})
        ]
        pairs += [
            (f"{verb} depends on {name}", _short(a), _short(b))
            for name, a, b in _depends(before[verb]["ingredients"], now[verb]["ingredients"])
        ]
        for what, a, b in pairs:
            if a != b:
                found.setdefault((what, str(a), str(b)), Difference(what, str(a), str(b)))
    return list(found.values())


def _depends(
    old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Ingredients that differ by themselves; what follows from an earlier step is not told."""
    for name in sorted({*old, *new}):
        if name != "code" and not name.startswith("product of") and old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _short(digest: str | None) -> str:
    """The beginning of a digest."""
    return _ABSENT if digest is None else digest[:_DIGITS]


def _words(value: Any) -> str:
    """A value in a line; a long one by its digest."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"sha256 {digest_of(value)[:_DIGITS]}"  # noqa: PLR2004


def _listed(what: str, found: list[Difference]) -> list[str]:
    """Differences as lines, the first ones where there are many."""
    told = [f"{what}: {item}" for item in found[:_MOST_TOLD]]
    more = len(found) - _MOST_TOLD
    return told if more <= 0 else [*told, f"{what}: {more} more, in rerun.json"]


def _plain(found: list[Difference]) -> list[dict[str, str]]:
    """Differences as JSON values."""
    return [vars(item).copy() for item in found]
