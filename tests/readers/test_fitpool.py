"""FIT files of swimmers: a strap's heart rate and pool lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers.fit import Options, read
from readers.activity_files import (
    ENUM,
    START,
    UINT8,
    UINT16,
    UINT32,
    Message,
    file_id,
    fit_file,
    fit_time,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.readers.tables import Table

pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")

HR, LENGTH = 132, 101
BYTE = 0x0D
TICKS = 1024  # of the strap's clock in a second


def load(folder: Path, messages: Sequence[Message], table: str) -> Table:
    """The one table of a file."""
    (folder / "a.fit").write_bytes(fit_file(messages))
    (found,) = read(folder / "a.fit", Options.model_validate({"table": table}))
    return found


def anchor(second: float, ticks: int, rate: int) -> Message:
    """The message that sets the strap's clock."""
    fields = [(253, UINT32, fit_time(second)), (6, UINT8, rate), (9, UINT32, ticks)]
    return Message(HR, [*fields, (0, UINT16, round(second % 1 * 32768))])


def packed(ticks: Sequence[int], rates: Sequence[int]) -> Message:
    """Eight beats, each in the lower twelve bits of its ticks."""
    content = b""
    for one, two in zip(ticks[::2], ticks[1::2], strict=True):
        content += ((one & 0xFFF) | (two & 0xFFF) << 12).to_bytes(3, "little")
    return Message(HR, [(6, UINT8, tuple(rates)), (10, BYTE, tuple(content))])


@pytest.fixture(autouse=True)
def _bytes_as_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    from readers import activity_files  # noqa: PLC0415

    monkeypatch.setitem(activity_files._FORMATS, BYTE, "B")


@pytest.mark.parametrize("first", [0, 3847, 4095, 226_991_879])
def test_beats_stand_where_the_strap_felt_them(tmp_path: Path, first: int) -> None:
    steps = np.random.default_rng(7).integers(300, 4000, 16)
    ticks = (first + np.concatenate([[0], np.cumsum(steps)])).tolist()
    rates = [120 + at for at in range(17)]
    messages = [
        file_id(),
        anchor(10.5, ticks[0], rates[0]),
        packed(ticks[1:9], rates[1:9]),
        packed(ticks[9:], rates[9:]),
    ]
    table = load(tmp_path, messages, "heart_rate")
    # float64 resolves 2.4e-7 s so long after 1970.
    expected = START + 10.5 + (np.array(ticks) - first) / TICKS
    np.testing.assert_allclose(table.columns["time"], expected, rtol=0, atol=1e-6)
    assert table.columns["heart_rate"].tolist() == rates


def test_a_second_setting_of_the_clock_starts_anew(tmp_path: Path) -> None:
    messages = [file_id()]
    expected = []
    for second, first in ((0.0, 1000), (100.0, 5_000_000)):
        ticks = [first + 700 * at for at in range(9)]
        messages += [anchor(second, ticks[0], 90), packed(ticks[1:], [90] * 8)]
        expected += [START + second + 700 * at / TICKS for at in range(9)]
    table = load(tmp_path, messages, "heart_rate")
    np.testing.assert_allclose(table.columns["time"], expected, rtol=0, atol=1e-6)


def length(second: float, duration: float, strokes: int, *, active: bool = True) -> Message:
    """One length of freestyle, or a rest at the wall."""
    fields = [
        (253, UINT32, fit_time(second + duration)),
        (2, UINT32, fit_time(second)),
        (3, UINT32, round(1000 * duration)),
        (12, ENUM, int(active)),
    ]
    if active:
        fields += [(5, UINT16, strokes), (6, UINT16, 1250), (7, ENUM, 0), (9, UINT8, 30)]
    return Message(LENGTH, fields)


def test_lengths_of_a_pool(tmp_path: Path) -> None:
    swum = [length(0, 20, 10), length(20, 15, 0, active=False), length(35, 20, 11)]
    table = load(tmp_path, [file_id(), *swum, record(0, heart_rate=120)], "lengths")
    assert (table.columns["time"] - START).tolist() == [0, 20, 35]
    assert table.columns["duration"].tolist() == [20, 15, 20]
    assert table.columns["active"].tolist() == [1, 0, 1]
    np.testing.assert_array_equal(table.columns["strokes"], [10, np.nan, 11])
    np.testing.assert_array_equal(table.columns["stroke"], [0, np.nan, 0])
    np.testing.assert_array_equal(table.columns["speed"], [1.25, np.nan, 1.25])
    assert table.columns["cadence"][0] == 30
    assert table.attributes["unit:duration"] == "s"


@pytest.mark.parametrize(
    ("table", "words"),
    [("lengths", "no pool lengths"), ("heart_rate", "no heart rate that a strap kept")],
)
def test_a_file_without_them_says_so(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        load(tmp_path, [file_id(), record(0, heart_rate=120)], table)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "legs"),
    [
        ("goldencheetah/GarminHRMswim.FIT", 2),
        ("garmin-fr935-cr.fit", 6),
        ("sample_mulitple_header.fit", 3),
    ],
)
def test_beats_of_a_strap_are_as_fast_as_it_says(real_data: Path, name: str, legs: int) -> None:
    found = list(read(real_data / "fit" / name, Options(table="heart_rate")))
    assert len(found) == legs
    for table in found:
        steps = np.diff(table.columns["time"])
        assert steps.min() > 0
        # The strap smooths: half of all beats, where it missed none, within 3 % of what it says.
        between = np.median(60.0 / steps[steps < 2.0])
        assert between == pytest.approx(np.median(table.columns["heart_rate"]), rel=0.03)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("GarminHRMswim.FIT", 33),
        ("2016-05-23_18-14-30_4_25.fit", 105),
        ("2024-10-20-104352-Pool_Swim-BingiWatch.fit", 130),  # the README's number
    ],
)
def test_pool_lengths_of_watches(real_data: Path, name: str, rows: int) -> None:
    (table,) = read(real_data / "fit/goldencheetah" / name, Options(table="lengths"))
    repeated = [int(note.split()[0]) for note in table.notes if "that repeat another" in note]
    assert len(table.columns["time"]) + sum(repeated) == rows
