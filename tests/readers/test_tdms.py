"""TDMS: groups, waveform properties, scalings that are known and unknown, damage."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.tdms import Options, read

if TYPE_CHECKING:
    from pathlib import Path

nptdms = pytest.importorskip("nptdms", reason="TDMS is the extra instruments")

WAVE = {
    "wf_start_time": np.datetime64("2026-01-02T03:04:05.250"),
    "wf_start_offset": 0.5,
    "wf_increment": 0.01,
    "unit_string": "g",
}
LINEAR = {
    "NI_Number_Of_Scales": 2,
    "NI_Scale[0]_Scale_Type": "Linear",
    "NI_Scale[0]_Linear_Slope": 2.0,
    "NI_Scale[0]_Linear_Y_Intercept": 1.0,
    "NI_Scale[0]_Linear_Input_Source": 0xFFFFFFFF,
    "NI_Scale[1]_Scale_Type": "Linear",
    "NI_Scale[1]_Linear_Slope": 10.0,
    "NI_Scale[1]_Linear_Y_Intercept": 0.0,
    "NI_Scale[1]_Linear_Input_Source": 0,
}


def write(file: Path, *channels: tuple[str, str, np.ndarray, dict[str, Any]]) -> Path:
    """A file with channels (group, name, samples, properties)."""
    with nptdms.TdmsWriter(file) as writer:
        root = nptdms.RootObject(properties={"Load": 2.0, "Author": "nobody"})
        writer.write_segment([root, *(nptdms.ChannelObject(*channel) for channel in channels)])
    return file


def test_a_group_is_a_table_with_unit_rate_and_start(tmp_path: Path) -> None:
    file = write(
        tmp_path / "run.tdms",
        ("Vibration", "x", np.arange(5, dtype=np.int16), WAVE),
        ("Vibration", "y", np.arange(5.0, dtype=np.float32), WAVE),
    )
    (table,) = read(file, Options(attributes={"load": "Load", "speed?": "Speed"}))
    assert table.name == "run"
    assert table.columns["x"].dtype == np.int16
    assert table.columns["y"].tolist() == [0, 1, 2, 3, 4]
    assert table.attributes == {
        "table": "Vibration",
        "rate_hz": "100",
        "start": "2026-01-02T03:04:05.75Z",
        "unit:x": "g",
        "unit:y": "g",
        "load": "2",
    }


def test_channels_of_another_rate_or_length_are_another_table(tmp_path: Path) -> None:
    slow = WAVE | {"wf_increment": 1.0}
    file = write(
        tmp_path / "run.tdms",
        ("g", "fast", np.zeros(8), WAVE),
        ("g", "slow", np.zeros(8), slow),
        ("g", "short", np.zeros(3), WAVE),
        ("h", "fast", np.zeros(2), {}),
    )
    tables = list(read(file, Options()))
    assert [(table.name, *table.columns) for table in tables] == [
        ("g", "fast"),
        ("g#2", "slow"),
        ("g#3", "short"),
        ("h", "fast"),
    ]
    (table,) = read(file, Options().for_columns({"slow"}, set()))
    assert (table.name, table.attributes["rate_hz"]) == ("run", "1")
    (table,) = read(file, Options(table="h"))
    assert len(table.columns["fast"]) == 2


def test_stamps_are_whole_nanoseconds_and_text_is_text(tmp_path: Path) -> None:
    stamps = np.array(["2026-01-01T00:00:00", "2026-01-01T00:00:01.5"], dtype="datetime64[us]")
    file = write(
        tmp_path / "run.tdms", ("g", "at", stamps, {}), ("g", "state", np.array(["on", "off"]), {})
    )
    (table,) = read(file, Options())
    assert (table.columns["at"] - table.columns["at"][0]).tolist() == [0, 1_500_000_000]
    assert table.attributes["unit:at"] == "ns since 1970"
    assert table.columns["state"].tolist() == ["on", "off"]


def test_chained_scales_are_applied(tmp_path: Path) -> None:
    file = write(tmp_path / "run.tdms", ("g", "x", np.arange(4, dtype=np.int32), LINEAR))
    (table,) = read(file, Options())
    np.testing.assert_array_equal(table.columns["x"], [10.0, 30.0, 50.0, 70.0])


def test_a_polynomial_is_applied_in_the_order_of_its_powers(tmp_path: Path) -> None:
    powers = [0.5, -2.0, 0.25, 1e-3]  # of x**0, x**1, ...: a case where the order shows
    said = {
        "NI_Number_Of_Scales": 1,
        "NI_Scale[0]_Scale_Type": "Polynomial",
        "NI_Scale[0]_Polynomial_Coefficients_Size": len(powers),
        "NI_Scale[0]_Polynomial_Input_Source": 0xFFFFFFFF,
    } | {f"NI_Scale[0]_Polynomial_Coefficients[{k}]": value for k, value in enumerate(powers)}
    raw = np.array([-3, 0, 2, 7], dtype=np.int16)
    file = write(tmp_path / "run.tdms", ("g", "x", raw, said))
    (table,) = read(file, Options())
    expected = [0.5 - 2.0 * x + 0.25 * x**2 + 1e-3 * x**3 for x in raw.tolist()]
    np.testing.assert_allclose(table.columns["x"], expected, rtol=1e-12)
    del said["NI_Scale[0]_Polynomial_Coefficients[2]"]
    file = write(tmp_path / "less.tdms", ("g", "x", raw, said))
    with pytest.raises(RecordingError, match="Coefficients"):
        list(read(file, Options()))


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (LINEAR | {"NI_Scale[1]_Scale_Type": "Magic"}, "Unsupported scale type: Magic"),
        (LINEAR | {"NI_Number_Of_Scales": 2**31 - 1}, "2147483647 scales"),
        ({"NI_Scale[99999999]_Scale_Type": "Linear"}, "100000000 scales"),
        (LINEAR | {"NI_Scale[1]_Linear_Input_Source": 1}, "recursion"),
    ],
)
def test_a_scaling_that_is_not_understood_is_refused(
    tmp_path: Path, properties: dict[str, Any], reason: str
) -> None:
    file = write(tmp_path / "run.tdms", ("g", "x", np.arange(4, dtype=np.int32), properties))
    with pytest.raises(RecordingError, match=reason):
        list(read(file, Options()))


@pytest.mark.parametrize("lost", [1, 7, 20, 27, 100])
def test_a_cut_file_is_refused(tmp_path: Path, lost: int) -> None:
    file = write(tmp_path / "run.tdms", ("g", "x", np.arange(100.0), WAVE))
    whole = file.read_bytes()
    for content in (whole[:-lost], whole + whole[:lost]):
        file.write_bytes(content)
        with pytest.raises(RecordingError, match=r"run\.tdms"):
            list(read(file, Options()))


def test_a_number_of_values_that_the_file_cannot_hold(tmp_path: Path) -> None:
    file = write(tmp_path / "run.tdms", ("g", "x", np.arange(100.0), {}))
    content = file.read_bytes()
    at = content.index(struct.pack("<Q", 100))
    file.write_bytes(content[:at] + struct.pack("<Q", 2**60) + content[at + 8 :])
    with pytest.raises(RecordingError):
        list(read(file, Options()))


def test_wrong_names_are_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "run.tdms", ("g", "speed", np.zeros(3), {}))
    for options, message in (
        (Options(table="h*"), r"has no table h\*; use one of g"),
        (Options(columns=["sped"]), "table g: has no column sped; did you mean speed"),
        (Options(attributes={"a": "B"}), "has no property B"),
    ):
        with pytest.raises(InputError, match=message):
            list(read(file, options))


def test_the_library_is_an_extra(tmp_path: Path) -> None:
    with (
        patch.dict("sys.modules", nptdms=None),
        pytest.raises(InputError, match=r"needs nptdms; install lumipipe\[instruments\]"),
    ):
        list(read(tmp_path / "x.tdms", Options()))
