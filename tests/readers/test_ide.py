"""IDE files of shock recorders: calibration, time, sessions' start, damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.ide import Options, read

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("idelib", reason="IDE is the extra instruments")
ebmlite = pytest.importorskip("ebmlite")

TICKS = 32768  # of the recorder's clock in a second


def axis(number: int, name: str) -> dict[str, Any]:
    """An axis of the sensor, in g."""
    return {
        "SubChannelID": number,
        "SubChannelName": name,
        "SubChannelLabel": "Acceleration",
        "SubChannelUnits": "g",
        "SubChannelCalibrationIDRef": 1,
        "SubChannelSensorRef": 8,
    }


SENSOR = {
    "RecorderInfo": {"ProductName": "Test Stick"},
    "SensorList": {"Sensor": {"SensorID": 8, "SensorName": "sensor"}},
    "ChannelList": {
        "Channel": {
            "ChannelID": 8,
            "ChannelName": "Acceleration",
            "ChannelFormat": "<HH",
            "TimeCodeScale": "1.0/32768",
            "TimeCodeModulus": 2**24,
            "SubChannel": [axis(0, "X"), axis(1, "Y")],
        }
    },
}
# Half a g for a count, from count 100 on.
CALIBRATION = {
    "UnivariatePolynomial": {
        "CalID": 1,
        "CalReferenceValue": 100.0,
        "PolynomialCoef": [0.5, 0.0],
    }
}


def write(file: Path, *, described: bool = True) -> Path:
    """A file with ten samples of two axes in one second."""
    schema = ebmlite.loadSchema("mide_ide.xml")
    head = {"DocType": "mide", "DocTypeVersion": 2, "DocTypeReadVersion": 2}
    samples = np.arange(20, dtype="<u2") + 100
    block = {
        "ChannelIDRef": 8 if described else 0,
        "StartTimeCodeAbs": TICKS,
        "EndTimeCodeAbs": 2 * TICKS,
        "ChannelDataPayload": samples.tobytes(),
    }
    elements: list[dict[str, Any]] = [{"EBML": head}]
    if described:
        elements += [{"CalibrationList": CALIBRATION}, {"RecordingProperties": SENSOR}]
    elements += [{"TimeBaseUTC": 1_600_000_000}, {"ChannelDataBlock": block}]
    file.write_bytes(b"".join(schema.encodes(element) for element in elements))
    return file


def test_calibrated_samples_with_their_time(tmp_path: Path) -> None:
    (table,) = read(write(tmp_path / "a.ide"), Options())
    np.testing.assert_allclose(table.columns["X"], np.arange(10.0))
    np.testing.assert_allclose(table.columns["Y"], np.arange(10.0) + 0.5)
    # Ten samples from the first second on; the block ends with the last one.
    np.testing.assert_allclose(table.columns["time"], 1 + np.arange(10) / 9, atol=1e-6)
    assert table.attributes == {
        "table": "8 Acceleration",
        "start": "2020-09-13T12:26:40Z",
        "recorder": "Test Stick",
        "unit:time": "s",
        "unit:X": "g",
        "unit:Y": "g",
    }


def test_a_channel_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ide")
    (table,) = read(file, Options(table="8 *").for_columns({"Y", "time"}, set()))
    assert list(table.columns) == ["time", "Y"]
    with pytest.raises(InputError, match="table 8 Acceleration: has no column Z"):
        list(read(file, Options(columns=["Z"])))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ide")
    content = file.read_bytes()
    for end in (0, 3, 40, len(content) // 2, len(content) - 20, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError, match=r"a\.ide"):
            list(read(file, Options()))


def test_counts_of_a_sensor_that_is_not_described_are_no_g(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="does not describe its sensors"):
        list(read(write(tmp_path / "a.ide", described=False), Options()))
