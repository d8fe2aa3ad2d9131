"""Lists of times between heartbeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.rr import Options, read

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table


def table(folder: Path, text: str, **options: object) -> Table:
    (folder / "a.txt").write_text(text, encoding="latin-1")
    (found,) = read(folder / "a.txt", Options.model_validate(options))
    return found


@pytest.mark.parametrize("text", ["800\r\n1000\r\n900\r\n", "0.8\n1.0\n0.9", "800\n1000\n900\n\n"])
def test_ms_and_s_are_told_apart(tmp_path: Path, text: str) -> None:
    found = table(tmp_path, text)
    np.testing.assert_allclose(found.columns["rr"], [800, 1000, 900])
    np.testing.assert_allclose(found.columns["time"], [0.8, 1.8, 2.7])
    assert "start" not in found.attributes


def test_the_time_passed_tells_of_missing_beats(tmp_path: Path) -> None:
    found = table(tmp_path, "0.8 0.8\n1.6 0.8\n9.6 0.8\n10.4 0.8\n")
    np.testing.assert_array_equal(found.columns["time"], [0.8, 1.6, 9.6, 10.4])
    assert found.breaks == {2: "missing beats"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("800\nfast\n", "line 2 is no number"),
        ("0.1 800\n0.2\n", "line 2 is no pair of numbers"),
        ("800\n0\n900\n", "line 2 holds no time"),
        ("2.0 0.8\n1.0 0.8\n", "time goes back at line 2"),
        ("\n\n", "has no rows"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        table(tmp_path, text)


def test_a_unit_that_is_not_clear_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give read\.unit"):
        table(tmp_path, "60\n70\n80\n")
    assert table(tmp_path, "60\n70\n80\n", unit="ms").columns["rr"][0] == 60


def test_a_damaged_list_is_salvaged(tmp_path: Path) -> None:
    found = table(tmp_path, "800\n810\nx\n820\n", salvage=True)
    np.testing.assert_array_equal(found.columns["rr"], [800, 810])
    assert found.attributes["salvaged"] == "2 of 4 lines read, line 3 is no number"
