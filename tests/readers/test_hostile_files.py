"""Files that someone made to do harm: a named refusal, within a second and 200 MB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lumipipe.readers import READERS
from readers.attacks import ATTACKS, FORMS
from readers.measured import MOST_BYTES, MOST_S, Meter
from readers.whole_files import WHOLE, WITHOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from readers.measured import Taken

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measure() -> Iterator[Callable[..., Taken]]:
    """What reading takes."""
    with Meter() as meter:
        yield meter.ask


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_a_refusal_at_once(
    tmp_path: Path, name: str, measure: Callable[..., Taken]
) -> None:
    found = ATTACKS[name]
    if (needs := WHOLE[found.form].needs) is not None:
        pytest.importorskip(needs, reason="its library is an extra")
    taken = measure(found.form, found.make(tmp_path), found.options)
    assert taken.kind == "refused", taken
    assert re.search(found.message, taken.said), taken
    assert "\n" not in taken.said
    assert len(taken.said) < 7000
    assert taken.said.isprintable()
    assert str(tmp_path) not in taken.said
    assert taken.seconds < MOST_S, taken
    assert taken.grown < MOST_BYTES, taken


def test_every_format_is_attacked() -> None:
    assert set(FORMS) == set(READERS) - set(WITHOUT)


def test_the_measure_sees_memory_and_time(tmp_path: Path, measure: Callable[..., Taken]) -> None:
    """Of a true file of 40 MB, which is read: the parsed columns alone are 24 MB."""
    file = tmp_path / "a.csv"
    file.write_text("t,x,y\n" + "1234567.25,7654321.5,0.125\n" * 10**6, encoding="ascii")
    taken = measure("csv", file, {"delimiter": ",", "decimal": "."})
    assert taken.kind == "read", taken
    assert taken.grown > 24e6
    assert taken.seconds > 0.05
