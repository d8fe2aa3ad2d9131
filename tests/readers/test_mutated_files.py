"""Files of every format with some bytes changed: a table or one line, never a traceback or a hang.

500 changes are tried here, more by ``make fuzz``.
"""

from __future__ import annotations

import importlib.util
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.readers import READERS
from readers import fuzz
from readers.mutations import mutated
from readers.whole_files import WHOLE, WITHOUT, form_of

COUNT = 500
# A library that is absent costs the files of its own format alone.
ABSENT = {
    form_of(name): whole.needs
    for name, whole in WHOLE.items()
    if whole.needs is not None and importlib.util.find_spec(whole.needs) is None
}


def test_every_format_is_changed() -> None:
    whole = {form_of(name) for name in WHOLE}
    missing = set(READERS) - whole - set(WITHOUT)
    assert not missing, f"add a line for each to tests/readers/whole_files.py: WHOLE: {missing}"
    assert not whole & set(WITHOUT)
    if ABSENT:
        pytest.skip(f"the extras of readers are not all installed: {ABSENT}")
    tried = {fuzz.format_of(case.name) for case in fuzz.cases(COUNT)}
    assert tried >= set(READERS) - set(WITHOUT)


@pytest.mark.parametrize("form", ["sc2replay", "gt3x"])
def test_a_format_that_is_not_changed_says_why(form: str) -> None:
    assert set(WITHOUT) <= {"sc2replay", "gt3x"}  # all others can be made, or add them here
    if form in WITHOUT:
        pytest.skip(f"{form} files are not changed here: {WITHOUT[form]}")
    assert form in WHOLE


@pytest.mark.parametrize("name", WHOLE)
def test_the_files_are_whole_before_they_are_changed(name: str) -> None:
    whole = WHOLE[name]
    if whole.needs is not None:
        pytest.importorskip(whole.needs, reason="its library is an extra")
    reader = READERS[form_of(name)]
    for way in whole.ways:
        with tempfile.TemporaryDirectory() as folder:
            file = whole.make(Path(folder))
            assert list(reader.read(file, reader.Options.model_validate(way)))


@given(st.binary(max_size=2000), st.integers(0, 2**32))
def test_a_change_depends_on_the_draw_alone(content: bytes, seed: int) -> None:
    first, second = (mutated(content, random.Random(seed)) for _ in range(2))
    assert first == second


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_changed_files_end_in_a_table_or_one_line() -> None:
    forms = {form_of(name) for name in WHOLE} - set(ABSENT)
    found = list(fuzz.outcomes(fuzz.cases(COUNT, forms=forms)))
    assert len(found) >= COUNT - len(READERS)
    assert fuzz.defects(found) == []
    ways = {outcome.what for outcome in found}
    assert ways == {"read", "refused"}


def test_a_defect_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader lets through is an exception of the case, and named as a traceback's end."""

    def broken(file: Path, options: object) -> object:
        raise KeyError("not mended")

    monkeypatch.setattr(fuzz, "READERS", {"csv": READERS["csv"]._replace(read=broken)})
    with pytest.raises(KeyError, match="not mended"):
        fuzz.read_changed(fuzz.Case("csv", 1))
    outcome = fuzz.Outcome(fuzz.Case("csv", 1), "traceback", 0.1, "KeyError")
    assert fuzz.defects([outcome]) == [outcome]
    assert "csv              1       0        0        1" in fuzz.table([outcome])
