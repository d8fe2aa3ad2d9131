"""MDF: groups, conversions, bus messages through a database, damage."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.mdf import Options, read, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

asammdf = pytest.importorskip("asammdf", reason="MDF is the extra instruments")
pytestmark = pytest.mark.slow  # a process for each file

STAMPS = np.arange(5) * 0.1
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATABASE = """VERSION ""
BS_:
BU_: X
BO_ 291 Engine: 8 X
 SG_ Speed : 0|16@1+ (0.5,-1) [0|100] "rpm" X
"""


def write(file: Path, *groups: list[Any], start: datetime = START, **keys: Any) -> Path:
    """A file with groups of signals."""
    with asammdf.MDF(version="4.10") as store:
        store.start_time = start
        for signals in groups:
            store.append(signals, common_timebase=True, acq_name=f"group of {signals[0].name}")
        store.save(file, overwrite=True, **keys)
    return file


def signal(name: str, samples: np.ndarray, **keys: Any) -> Any:
    """A signal on the common stamps."""
    return asammdf.Signal(samples, STAMPS[: len(samples)], name=name, **keys)


def bus(file: Path) -> Path:
    """A file with five frames of the message 291, as a bus logger writes them."""
    from asammdf.blocks import v4_constants  # noqa: PLC0415 (an extra)
    from asammdf.blocks.source_utils import Source  # noqa: PLC0415

    fields = {"BusChannel": "u1", "ID": "<u4", "IDE": "u1", "DLC": "u1", "DataLength": "u1"}
    kinds = [(f"CAN_DataFrame.{name}", kind) for name, kind in fields.items()]
    frames = np.zeros(5, [*kinds, ("CAN_DataFrame.DataBytes", "(8,)u1")])
    for name, value in (("BusChannel", 1), ("ID", 291), ("DLC", 8), ("DataLength", 8)):
        frames[f"CAN_DataFrame.{name}"] = value
    frames["CAN_DataFrame.DataBytes"][:, 0] = np.arange(5) * 10
    source = Source("CAN", "CAN1", "", Source.SOURCE_BUS, Source.BUS_TYPE_CAN)
    with asammdf.MDF(version="4.10") as store:
        store.append(
            [signal("CAN_DataFrame", frames, source=source)],
            acq_source=source,
            acq_name="CAN1",
            common_timebase=True,
        )
        store.groups[0].channel_group.flags |= v4_constants.FLAG_CG_BUS_EVENT
        store.save(file, overwrite=True)
    (file.parent / "x.dbc").write_text(DATABASE, encoding="utf-8")
    return file


@pytest.fixture(params=[read, tables], ids=["isolated", "here"])
def reader(request: pytest.FixtureRequest) -> Callable[[Path, Options], Iterator[Table]]:
    """Both ways to read a file."""
    return request.param


def test_groups_with_units_time_and_start(tmp_path: Path, reader: Any) -> None:
    file = write(
        tmp_path / "run.mf4",
        [
            signal("speed", np.arange(5, dtype=np.uint16), unit="rpm"),
            signal(
                "gear", np.array([b"first", b"first", b"two", b"two", b"two"]), encoding="utf-8"
            ),
        ],
        [signal("speed", np.arange(3.0))],
    )
    first, second = reader(file, Options())
    assert (first.name, second.name) == ("group of speed", "group of speed#2")
    assert first.columns["speed"].dtype == np.uint16
    np.testing.assert_array_equal(first.columns["time"], STAMPS)
    assert first.columns["gear"].tolist() == ["first", "first", "two", "two", "two"]
    assert first.attributes["start"] == "2026-01-02T03:04:05Z"
    assert first.attributes["unit:speed"] == "rpm"
    assert "finalized" not in first.attributes
    (table,) = reader(file, Options(table="*#2").for_columns({"speed"}, set()))
    assert (table.name, list(table.columns)) == ("run", ["speed"])


def test_invalid_readings_are_nan(tmp_path: Path) -> None:
    invalid = np.array([0, 1, 0, 0, 1], bool)
    file = write(
        tmp_path / "run.mf4",
        [signal("x", np.arange(5, dtype=np.int16), invalidation_bits=invalid)],
    )
    (table,) = tables(file, Options())
    np.testing.assert_array_equal(table.columns["x"], [0.0, np.nan, 2.0, 3.0, np.nan])


def test_bus_messages_are_bytes_without_a_database(tmp_path: Path) -> None:
    (table,) = tables(bus(tmp_path / "can.mf4"), Options())
    assert table.columns["CAN_DataFrame.ID"].tolist() == [291] * 5
    assert table.columns["CAN_DataFrame.DataBytes"][1] == "0a00000000000000"


def test_a_database_gives_physical_values(tmp_path: Path, reader: Any) -> None:
    file = bus(tmp_path / "can.mf4")
    options = Options(dbc=["*.dbc"])
    assert options.beside(file) == [tmp_path / "x.dbc"]
    (table,) = reader(file, options)
    assert table.columns["Speed"].tolist() == [-1.0, 4.0, 9.0, 14.0, 19.0]
    assert table.attributes["unit:Speed"] == "rpm"
    np.testing.assert_allclose(table.columns["time"], STAMPS)


def test_databases_that_do_not_fit(tmp_path: Path) -> None:
    file = bus(tmp_path / "can.mf4")
    with pytest.raises(InputError, match=r"no database y\.dbc lies there"):
        list(read(file, Options(dbc=["y.dbc"])))
    (tmp_path / "y.dbc").write_text(DATABASE.replace("291", "292"), encoding="utf-8")
    with pytest.raises(InputError, match="none of its messages are in the databases"):
        list(tables(file, Options(dbc=["y.dbc"])))
    (tmp_path / "y.dbc").write_bytes(b"\0\xff no database")
    with pytest.raises(InputError, match=r"y\.dbc"):
        list(tables(file, Options(dbc=["y.dbc"])))


@pytest.mark.parametrize("compression", [0, 2])
def test_a_cut_file_is_refused(tmp_path: Path, compression: int) -> None:
    samples = np.random.default_rng(1).normal(size=5)
    file = write(tmp_path / "run.mf4", [signal("x", samples)], compression=compression)
    content = file.read_bytes()
    for end in (10, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError, match=r"run\.mf4"):
            list(read(file, Options()))


def test_data_groups_in_a_ring_end(tmp_path: Path) -> None:
    file = write(tmp_path / "run.mf4", [signal("x", np.arange(5.0))])
    content = bytearray(file.read_bytes())
    group = content.index(b"##DG")
    content[group + 24 : group + 32] = struct.pack("<Q", group)  # the next one is itself
    file.write_bytes(content)
    with pytest.raises(RecordingError, match="its blocks point at one another in a ring"):
        list(read(file, Options()))


def test_a_number_of_records_that_the_file_cannot_hold(tmp_path: Path) -> None:
    file = write(tmp_path / "run.mf4", [signal("x", np.arange(5.0))])
    content = bytearray(file.read_bytes())
    group = content.index(b"##CG")
    at = content.index(struct.pack("<Q", 5), group)
    content[at : at + 8] = struct.pack("<Q", 2**40)
    file.write_bytes(content)
    with pytest.raises(RecordingError, match="its headers promise"):
        list(tables(file, Options()))
