"""Every file of the instrument containers is read whole, or refused for the reason known of it.

The numbers of rows are those of the data's README and of the formats' own libraries.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.config import Prepare, Source
from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.recording import read_recordings

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

pytestmark = [pytest.mark.real, pytest.mark.slow]

FOLDERS = ("tdms", "uff", "mf4", "ide", "mat73", "parquet", "scope", "mimii-sound")
NEEDED = {
    "hdf5": "h5py",
    "ide": "idelib",
    "mat73": "h5py",
    "mdf": "asammdf",
    "scope": "RigolWFM",
    "tdms": "nptdms",
    "uff": "pyuff",
}
J1939 = {"dbc": ["dbc/CSS-Electronics-SAE-J1939-DEMO.dbc"]}
GNSS = {"dbc": ["dbc/gnss.dbc"]}
BLANK_END = {"header": 2, "empty_trailing": True}

# File, format, options, and for each table: rows x columns, its time included.
READ: list[tuple[str, str, dict[str, Any], str]] = [
    ("tdms/raw1.tdms", "tdms", {}, "2000x7"),
    ("tdms/big_endian.tdms", "tdms", {}, "3500x2"),
    ("tdms/raw_timestamps.tdms", "tdms", {}, "128x1"),
    ("uff/Sample_UFF58_ascii.uff", "uff", {}, "79292x1"),
    ("uff/Sample_UFF58b_bin.uff", "uff", {}, "79292x1"),
    ("uff/sample_dataset58_psd.uff", "uff", {}, "3201x3"),
    ("uff/binary8byte.uff", "uff", {}, "250x1"),
    ("uff/non_ascii_header.uff", "uff", {}, "6x3"),
    ("uff/time-history-not-all-columns-filled.uff", "uff", {}, "13x1"),
    ("mf4/11111111_j1939_00000001.MF4", "mdf", {}, "11275x8 139136x8"),
    ("mf4/11111111_j1939_00000001.MF4", "mdf", J1939, "3993x2 3993x2"),
    ("mf4/17BD1DB7_00000170.MF4", "mdf", {}, "2010x10"),
    ("mf4/2F6913DB_00000001.MF4", "mdf", {}, "5588x11"),
    ("mf4/2F6913DB_63BEF5CD.MF4", "mdf", {}, "764x8 247x8 3013x8"),
    (
        "mf4/2F6913DB_63BEF5CD.MF4",
        "mdf",
        GNSS,
        "168x3 168x4 168x5 168x4 168x8 168x5 168x4 168x7 1669x8",
    ),
    ("mf4/2F6913DB_63BEFDF9.MF4", "mdf", {}, "234x8 70x8 3283x8"),
    ("mf4/94C49784_00000002.MF4", "mdf", {}, "9600x11"),
    ("mf4/mdfr_test_basic.mf4", "mdf", {}, "100000x2"),
    ("ide/SSX70065.IDE", "ide", {}, "37361x4 14x3"),
    ("ide/test.ide", "ide", {}, "7113x4 9070x4 20x3 1755x5 180x3 71x3"),
    ("ide/test1.IDE", "ide", {}, "49924x5 4968x4 31820x4 11x3 1006x4 99x4"),
    ("ide/test5.IDE", "ide", {}, "46317x2 29750x4 12x3 91x4 8x5"),
    ("mat73/testfile1.mat", "mat73", {}, "3x10 2x3 4x2 5x10"),
    ("mat73/testfile2.mat", "mat73", {}, "49x60"),
    ("mat73/testfile5.mat", "mat73", {}, "6x1 3x2"),
    ("mat73/testfile12.mat", "mat73", {}, "21x16"),
    ("mat73/testfile15.mat", "mat73", {}, "10x23"),
    ("parquet/byte_stream_split_extended.gzip.parquet", "parquet", {}, "200x12"),
    ("parquet/delta_binary_packed.parquet", "parquet", {}, "200x66"),
    ("parquet/float16_nonzeros_and_nans.parquet", "parquet", {}, "8x1"),
    ("parquet/int96_from_spark.parquet", "parquet", {}, "6x1"),
    ("parquet/nan_in_stats.parquet", "parquet", {}, "2x1"),
    ("parquet/damaged/ARROW-GH-43605.parquet", "parquet", {}, "21186x1"),
    ("scope/bin/DHO824-ch12.bin", "scope", {}, "10000x3"),
    ("scope/bin/agilent_1.bin", "scope", {}, "2000x2"),
    ("scope/bin/agilent_2.bin", "scope", {}, "20000x2"),
    ("scope/rs/rs_rtp_01.bin", "scope", {}, "4000x2"),
    ("scope/rs/rs_rtp_02.bin", "scope", {}, "4000x3"),
    ("scope/rs/rs_rtp_01.Wfm.csv", "csv", {"header": 0}, "4000x1"),
    ("scope/rs/rs_rtp_02.Wfm.csv", "csv", {"header": 0}, "4000x2"),
    ("scope/trc/lecroy_2.trc", "scope", {}, "100002x2"),
    ("scope/trc/lecroy_3.trc", "scope", {}, "10040x2"),
    ("scope/trc/trace1.000", "scope", {}, "5002x2"),
    ("scope/trc/trace2.000", "scope", {}, "5002x2"),
    ("scope/wfm/DHO824-ch12.wfm", "scope", {}, "10000x3"),
    ("scope/wfm/DS1054Z-A.wfm", "scope", {}, "278x5"),
    ("scope/wfm/DS1102D-A.wfm", "scope", {"model": "D"}, "1024x3"),
    ("scope/wfm/DS1204B-F.wfm", "scope", {}, "8192x3"),
    ("scope/wfm/DS2072A-5.wfm", "scope", {}, "14000x3"),
    ("scope/wfm/DS1054Z-A.csv", "csv", {**BLANK_END, "names": list("nabcd")}, "1200x5"),
    ("scope/wfm/DS1102D-A.csv", "csv", {}, "1024x3"),
    ("scope/wfm/DS1204B-F.csv", "csv", {"header": 2, "names": list("tabe")}, "8192x4"),
    ("scope/wfm/DS2072A-5.csv", "csv", {**BLANK_END, "names": list("nab")}, "1400x3"),
    ("mimii-sound/fan_normal.wav", "wav", {}, "160000x8"),
    ("mimii-sound/fan_abnormal.wav", "wav", {}, "160000x8"),
]

# File, format, options, reason.
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    # Geometry: the README names these sets.
    ("uff/1858.uff", "uff", {}, r"no function \(set 58\), only the sets 1858"),
    (
        "uff/Artemis_export_-_Geometry_RPBC_setup_05_14102016_105117.uff",
        "uff",
        {},
        "only the sets 15, 82, 2412",
    ),
    ("uff/TestLab_161_164_18_15_82.uff", "uff", {}, "only the sets 15, 18, 82, 151, 164"),
    ("uff/heat_engine_housing.uff", "uff", {}, "only the sets 151, 164, 2411, 2412, 2414"),
    # Its library gives the 42 points that are left; the README does not tell that it was cut.
    ("uff/dataset_milestone_in_header.uff", "uff", {}, "promises 2508876 points"),
    ("mat73/testfile13.mat", "mat73", {}, r"holds no vector; it has A \(sparse double\)"),
    ("mat73/testfile1.mat", "mat5", {"variables": {"x": "x"}}, "set format: mat73"),
    ("mat73/testfile1.mat", "hdf5", {}, "set format: mat73"),
    ("parquet/damaged/ARROW-GH-41317.parquet", "parquet", {}, "expected length 5 but got length 2"),
    ("parquet/damaged/ARROW-GH-45185.parquet", "parquet", {}, "neither numbers nor text, only x"),
    ("parquet/damaged/PARQUET-1481.parquet", "parquet", {}, "Invalid physical column type"),
    ("parquet/damaged/datapage_v1-corrupt-checksum.parquet", "parquet", {}, "CRC checksum"),
    ("scope/trc/lecroy_1.trc", "scope", {}, r"truncated\): requested 800800 bytes"),
    ("scope/wfm/DS1102D-A.wfm", "scope", {}, "set read.model to C, D or E"),
    # The samples of a Rohde & Schwarz file do not stand alone; the settings are no recording.
    ("scope/rs/rs_rtp_01.Wfm.bin", "scope", {}, "Unrecognised file signature"),
    ("scope/rs/rs_rtp_02.Wfm.bin", "scope", {}, "Unrecognised file signature"),
    ("scope/bin/agilent_1.txt", "scope", {}, "Unrecognised file signature"),
    ("scope/bin/agilent_2.txt", "scope", {}, "Unrecognised file signature"),
    ("scope/wfm/DS1054Z-A.txt", "scope", {}, "Unrecognised file signature"),
    ("scope/wfm/DS1102D-A.txt", "scope", {}, "Unrecognised file signature"),
    ("scope/wfm/DS1204B-F.txt", "scope", {}, "Unrecognised file signature"),
    ("scope/wfm/DS2072A-5.txt", "scope", {}, "Unrecognised file signature"),
    # Databases tell what the messages of a bus mean.
    *((f"mf4/dbc/{name}.dbc", "mdf", {}, "no MDF file") for name in ("tp_j1939", "tp_nmea")),
    *((f"mf4/dbc/{name}.dbc", "mdf", {}, "no MDF file") for name in ("tp_uds", "tp_uds_nissan")),
    ("mf4/dbc/gnss.dbc", "mdf", {}, "no MDF file"),
    ("mf4/dbc/CSS-Electronics-SAE-J1939-DEMO.dbc", "mdf", {}, "no MDF file"),
]


def load(data: Path, name: str, kind: str, options: dict[str, Any]) -> list[Table]:
    """The tables of a file; skipped where its library is not installed."""
    if kind in NEEDED:
        pytest.importorskip(NEEDED[kind], reason="instruments are an extra")
    reader = READERS[kind]
    return list(reader.read(data / name, reader.Options.model_validate(options)))


def test_no_file_is_passed_over(real_data: Path) -> None:
    found = {
        path.relative_to(real_data).as_posix()
        for folder in FOLDERS
        for path in (real_data / folder).rglob("*")
        if path.is_file()
    }
    assert found == {entry[0] for entry in (*READ, *REFUSED)}


@pytest.mark.parametrize(("name", "kind", "options", "shapes"), READ)
def test_it_is_read_whole(
    real_data: Path, name: str, kind: str, options: dict[str, Any], shapes: str
) -> None:
    tables = load(real_data, name, kind, options)
    rows = [{len(values) for values in table.columns.values()} for table in tables]
    assert all(len(lengths) == 1 for lengths in rows)
    found = [
        f"{max(length)}x{len(table.columns)}" for length, table in zip(rows, tables, strict=True)
    ]
    assert Counter(found) == Counter(shapes.split())


@pytest.mark.parametrize(("name", "kind", "options", "reason"), REFUSED)
def test_it_is_refused(
    real_data: Path, name: str, kind: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as error:
        load(real_data, name, kind, options)
    assert "\n" not in str(error.value)
    assert str(real_data) not in str(error.value)


def test_text_and_binary_universal_files_agree(real_data: Path) -> None:
    (text,) = load(real_data, "uff/Sample_UFF58_ascii.uff", "uff", {})
    (binary,) = load(real_data, "uff/Sample_UFF58b_bin.uff", "uff", {})
    assert text.attributes == binary.attributes
    (name,) = text.columns
    values, digits = (table.columns[name].astype(np.float64) for table in (binary, text))
    # Half of the sixth digit, and the rounding of both to single precision.
    sixth = 10.0 ** (np.floor(np.log10(np.abs(np.where(values == 0, 1, values)))) - 5)
    assert np.all(np.abs(digits - values) <= 0.5 * sixth + 2.0**-23 * np.abs(values))


def test_rigol_waveform_is_the_csv_that_the_instrument_wrote(real_data: Path) -> None:
    for name, options, columns in (
        ("DS1102D-A", {}, {"CH 1": "CH 1 (V)", "CH 2": "CH 2 (V)"}),
        ("DS1204B-F", {"header": 2, "names": list("tabe")}, {"CH 2": "a", "CH 4": "b"}),
    ):
        model = {"model": "D"} if name == "DS1102D-A" else {}
        (waveform,) = load(real_data, f"scope/wfm/{name}.wfm", "scope", model)
        (csv,) = load(real_data, f"scope/wfm/{name}.csv", "csv", options)
        for channel, column in columns.items():
            # Values of at most 15 V, computed in double precision from steps with 3 digits.
            np.testing.assert_allclose(
                waveform.columns[channel], csv.columns[column], rtol=0, atol=1e-12
            )


def test_rohde_schwarz_samples_are_those_of_its_csv(real_data: Path) -> None:
    (waveform,) = load(real_data, "scope/rs/rs_rtp_01.bin", "scope", {})
    (csv,) = load(real_data, "scope/rs/rs_rtp_01.Wfm.csv", "csv", {"header": 0})
    # The CSV has 8 digits of what is single precision.
    np.testing.assert_allclose(waveform.columns["CH 1"], csv.columns["c1"], rtol=2.0**-23)


def test_bus_messages_are_physical(real_data: Path) -> None:
    tables = load(real_data, "mf4/11111111_j1939_00000001.MF4", "mdf", J1939)
    engine = next(table for table in tables if "EngineSpeed" in table.columns)
    assert engine.attributes["unit:EngineSpeed"] == "rpm"
    assert engine.attributes["start"] == "2023-11-30T17:02:04Z"
    assert engine.attributes["finalized"] == "no"
    assert np.all(np.diff(engine.columns["time"]) > 0)
    assert len(engine.columns["EngineSpeed"]) == 3993
    assert np.all((engine.columns["EngineSpeed"] >= 0) & (engine.columns["EngineSpeed"] < 8032))


def test_recordings_of_a_request(real_data: Path) -> None:
    for needed in ("idelib", "nptdms"):
        pytest.importorskip(needed, reason="instruments are an extra")
    shock = Source.model_validate(
        {
            "id": "shock",
            "source": "ide/test1.IDE",
            "format": "ide",
            "read": {"table": "8 *"},
            "time": {"kind": "column", "column": "time", "unit": "s", "origin": "recording"},
            "channels": [
                {"name": "x", "column": "X (100g)", "quantity": "acceleration", "unit": "g"}
            ],
        }
    )
    (found,) = read_recordings(shock, real_data / shock.source, Prepare(), "r.yaml:1")
    assert found.id == "test1"
    assert found.streams["main"].rate_hz == pytest.approx(5000, rel=1e-3)
    assert found.streams["main"].units == ("m/s2",)
    daq = Source.model_validate(
        {
            "id": "daq",
            "source": "tdms/raw1.tdms",
            "format": "tdms",
            "time": {"kind": "regular", "rate_hz": 50_000},
            "channels": [
                {"name": "u", "column": "Second Chan", "quantity": "voltage", "unit": "V"}
            ],
        }
    )
    (found,) = read_recordings(daq, real_data / daq.source, Prepare(), "r.yaml:1")
    assert found.streams["main"].values.shape == (2000, 1)
    assert found.attributes["rate_hz"] == "50000"


def test_rates_and_units_of_the_readme(real_data: Path) -> None:
    (raw,) = load(real_data, "tdms/raw1.tdms", "tdms", {})
    assert raw.attributes["rate_hz"] == "50000"
    assert {raw.attributes[f"unit:{name}"] for name in raw.columns} == {"Volts"}
    shock = load(real_data, "ide/test1.IDE", "ide", {"table": "8 *"})[0]
    step = np.median(np.diff(shock.columns["time"]))
    assert step == pytest.approx(1 / 5000, rel=1e-3)
    (psd,) = load(real_data, "uff/sample_dataset58_psd.uff", "uff", {})
    assert psd.attributes["function"] == "power spectral density"
    (sound,) = load(real_data, "mimii-sound/fan_normal.wav", "wav", {})
    assert sound.columns["c1"].dtype == np.int16
