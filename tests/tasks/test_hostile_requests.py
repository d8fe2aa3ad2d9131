"""Requests that someone made to do harm: one line that names the place, at once; nothing is run."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from readers.measured import MOST_BYTES, MOST_S, Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from readers.measured import Taken

pytestmark = pytest.mark.slow

NAMES = "abcdefghij"


def aliases(item: str, group: str) -> str:
    """Nine levels, each of ten times the one before."""
    ten = [
        "{}: &{} {}\n".format(one, one, group.format(",".join([f"*{before}"] * 10)))
        for before, one in pairwise(NAMES)
    ]
    return f"a: &a {item}\n" + "".join(ten)


REQUESTS = {
    "a tag that runs a command": (
        'lumipipe_request: 1\nid: !!python/object/apply:os.system ["touch owned"]\n',
        "not plain YAML",
    ),
    "a tag that builds an object": ("id: !!python/name:os.system\n", "not plain YAML"),
    "billion laughs": (aliases("[x, x]", "[{}]"), "aliases that never end"),
    "billion merges": (aliases("{k: 1}", "{{<<: [{}]}}"), "aliases that never end"),
    "an alias of itself": ("a: &a [*a]\n", "aliases that never end"),
    "lists in lists": ("[" * 50_000, "nested too deep"),
    "maps in maps": ("{a: " * 15_000, "nested too deep"),
    "levels without brackets": (
        "".join(f"{' ' * n}a:\n" for n in range(350)),
        "aliases that never end",
    ),
    "keys without end": (
        "".join(f"k{n}: 1\n" for n in range(300_000)),
        "has more than 65536 bytes",
    ),
    "as many keys as may be": ("".join(f"k{n}: 1\n" for n in range(5_600)), "unknown key"),
    "a text without end": ("x: '" + "y" * 2**24 + "'\n", "has more than 65536 bytes"),
    "a clock of a thousand digits": ("x: " + ":".join(["59"] * 20_000) + "\n", "a number of"),
    "a number without end": ("x: " + "9" * 60_000 + "\n", "a number of"),
    "controls": ("id: a\x1b[2J\n", "which YAML does not allow"),
    "a name that leads out": ("lumipipe_request: 1\nid: ../../x\n", "id: '../../x' does not fit"),
}


@pytest.fixture(scope="module")
def measure() -> Iterator[Callable[..., Taken]]:
    """What loading takes."""
    with Meter() as meter:
        yield meter.ask


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_ends_in_a_refusal_at_once(
    tmp_path: Path, name: str, measure: Callable[..., Taken]
) -> None:
    text, message = REQUESTS[name]
    file = tmp_path / "request.yaml"
    file.write_text(text, encoding="utf-8")
    taken = measure("request", file)
    assert taken.kind == "refused", taken
    assert re.search(re.escape(message), taken.said), taken
    assert taken.said.isprintable()
    assert taken.seconds < MOST_S, taken
    assert taken.grown < MOST_BYTES, taken
    assert [path.name for path in tmp_path.iterdir()] == ["request.yaml"]
