"""A small whole file of each format: what is changed, cut and attacked in tests starts from these.

A new format is one line in `WHOLE`; a test says which one has none. Those whose files cannot be
made here, and whose real file or library is absent, are in `WITHOUT`, with the reason.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from conftest import REAL_DATA
from readers.activity_files import (
    NEW_SEGMENT,
    fit_file,
    gpx,
    hrm,
    hrv,
    lap,
    ride,
    session,
    tcx,
    timer,
    trackpoint,
    trkpt,
    wfdb_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Whole(NamedTuple):
    """How a whole file is made and read.

    `make` writes the file, and what lies beside it, into a folder and gives its path; `needs` is
    the module that reads it; `ways` are options; `also` are suffixes of files beside it that decide
    what it gives; a file takes `cost` times as long as a simple one to read.
    """

    make: Callable[[Path], Path]
    needs: str | None = None
    ways: tuple[dict[str, Any], ...] = ({},)
    also: tuple[str, ...] = ()
    cost: int = 1


SHOWN: Final = {"positions": True, "hide_ends_m": 0}


def _tests_of(name: str) -> Any:
    """The test module of a format, which makes such files; needs the library."""
    return importlib.import_module(f"readers.test_{name}")


def _put(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _written(name: str, content: bytes | str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return _put(folder / name, content if isinstance(content, bytes) else content.encode())

    return make


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _fit() -> bytes:
    stop, start = timer(7, starts=False), timer(9, starts=True)
    rows = ride(20)
    described = _tests_of("fit").DESCRIBED
    legs = [
        *described,
        *rows[:9],
        hrv(0.8, 0.7),
        stop,
        start,
        *rows[11:],
        session("running", 15, 9),
    ]
    return fit_file(legs) + fit_file(rows)


def _gpx() -> str:
    hr = "<extensions><g:TrackPointExtension><g:hr>140</g:hr></g:TrackPointExtension></extensions>"
    space = 'xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
    first, second = "".join(trkpt(t, hr) for t in range(4)), "".join(map(trkpt, range(6, 9)))
    return gpx(first + NEW_SEGMENT + second, space)


def _tcx() -> str:
    tracks = ("".join(map(trackpoint, range(3))), "".join(map(trackpoint, range(5, 7))))
    return tcx(lap(0, 4, *tracks))


def _mat5(folder: Path) -> Path:
    from scipy.io import savemat  # noqa: PLC0415

    columns = {"x": np.arange(40.0), "y": np.arange(40, dtype=np.int16), "rpm": 1772.0}
    savemat(folder / "a.mat", columns)
    return folder / "a.mat"


def _packed_mat5(folder: Path) -> Path:
    from scipy.io import savemat  # noqa: PLC0415

    savemat(folder / "a.mat", {"x": np.arange(400.0), "y": np.ones(400)}, do_compression=True)
    return folder / "a.mat"


def _wav() -> bytes:
    samples = np.arange(200, dtype="<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 1000, 4000, 4, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _excel(folder: Path) -> Path:
    rows = [["time", "speed", "note"], *([n, n / 7, f"n {n}"] for n in range(20))]
    return _tests_of("excel").workbook(folder / "a.xlsx", runs=rows)


def _hdf5(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    with h5py.File(folder / "a.h5", "w") as store:
        store["run/x"] = np.arange(40.0)
        store["run/name"] = np.array([b"a", b"b"] * 20)
        store["matrix"] = np.arange(12, dtype=np.int16).reshape(6, 2)
        store.create_dataset("run/packed", data=np.arange(40), chunks=(8,), compression="gzip")
        store["run"].attrs["load"] = 2.5
    return folder / "a.h5"


def _mat73(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    put = _tests_of("mat73").put
    with h5py.File(folder / "a.mat", "w", userblock_size=512) as store:
        put(store, "data", {"acc": np.arange(12.0).reshape(4, 3), "fs": 100.0})
        put(store, "states", ["a", "", "c", "d"])
    return folder / "a.mat"


def _parquet(folder: Path, **how: Any) -> Path:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = {"x": np.arange(40.0), "n": np.arange(40), "name": ["a", "b"] * 20}
    pq.write_table(pa.table(columns), folder / "a.parquet", **how)
    return folder / "a.parquet"


def _tdms(folder: Path) -> Path:
    made = _tests_of("tdms")
    content = []
    for part in range(2):
        samples = np.arange(20.0) + part
        file = made.write(
            folder / "a.tdms", ("g", "x", samples, made.WAVE), ("g", "y", samples, {})
        )
        content.append(file.read_bytes())
    file.write_bytes(b"".join(content))
    return file


def _uff(binary: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = _tests_of("uff")
        function = made.function
        return made.write(
            folder / "a.uff", function(binary=binary), function(binary=binary, rsp_dir=2)
        )

    return make


def _mdf(folder: Path) -> Path:
    made = _tests_of("mdf")
    speed = made.signal("speed", np.arange(5, dtype=np.uint16), unit="rpm")
    return made.write(folder / "a.mf4", [speed], [made.signal("load", np.arange(3.0))])


def _tracab(folder: Path) -> Path:
    made = _tests_of("pitch")
    file = made.tracab(folder, [*made.FRAMES, made.frame(201)])
    (folder / "meta.xml").rename(folder / "match.xml")
    return file


def _epts(folder: Path) -> Path:
    return _tests_of("pitch").epts(folder)


def _pulse() -> str:
    return json.dumps(_tests_of("fitbit").pulse(*range(60, 72)))


def _sleep() -> str:
    made = _tests_of("fitbit")
    stages = (("2020-09-13T01:00:00.000", "light", 60), ("2020-09-13T01:01:00.000", "deep", 90))
    return json.dumps([made.night(*stages), made.night(*stages[1:], shortData=[{}])])


def _cheetah() -> str:
    made = _tests_of("goldencheetah")
    samples = ({**made.SAMPLE, "SECS": at, "LAT": 60.1, "LON": 25.7, "NM": 3} for at in range(9))
    return json.dumps(made.ride(*samples))


def _monitor(form: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        getattr(importlib.import_module("readers.monitor_files"), form)(folder / f"a.{form}")
        return folder / f"a.{form}"

    return make


WHOLE: dict[str, Whole] = {
    "csv": Whole(_written("a.csv", "t,x,name\n" + "".join(f"{n},{n / 7},a\n" for n in range(30)))),
    "csv/semicolon": Whole(_written("a.csv", "t;x\n" + "".join(f"{n};1,5\n" for n in range(30)))),
    "text": Whole(_written("a.txt", "".join(f"{n} {n / 7}\n" for n in range(30)))),
    "npy": Whole(_written("a.npy", _npy(np.arange(60.0).reshape(20, 3)))),
    "npy/records": Whole(_written("a.npy", _npy(np.ones(9, [("a", "<f4"), ("b", "<i2")])))),
    "mat5": Whole(_mat5, ways=({"variables": {"x": "x"}, "scalars": {"rpm": "rpm"}},)),
    "mat5/packed": Whole(_packed_mat5, ways=({"variables": {"x": "x", "y": "y"}},)),
    "ts": Whole(
        _written("a.ts", "@classLabel true a b\n@data\n" + "1,2,3:4,5,6:a\n7,8,9:1,2,?:b\n" * 3)
    ),
    "excel": Whole(_excel, "python_calamine", cost=25),
    "fit": Whole(lambda folder: _put(folder / "a.fit", _fit()), "fitdecode", ({}, {"table": "rr"})),
    "gpx": Whole(_written("a.gpx", _gpx()), "gpxpy", ({}, SHOWN)),
    "tcx": Whole(_written("a.tcx", _tcx()), ways=({}, SHOWN)),
    "hrm": Whole(_written("a.hrm", hrm("95\t166\t76\t285\n" * 4))),
    "hrm/beats": Whole(
        _written("b.hrm", hrm("800\n900\n810\n", interval=238, length="00:00:02.5"))
    ),
    "rr": Whole(_written("a.txt", "800\n810\n820\n")),
    "rr/passed": Whole(_written("b.txt", "0.8 0.8\n1.6 0.8\n9.6 0.8\n")),
    "wfdb": Whole(wfdb_record, "wfdb", ({}, {"table": "signals"}), (".atr", ".dat")),
    "hdf5": Whole(_hdf5, "h5py"),
    "ide": Whole(lambda folder: _tests_of("ide").write(folder / "a.ide"), "idelib", cost=2),
    "mat73": Whole(_mat73, "h5py"),
    "mdf": Whole(_mdf, "asammdf", cost=60),
    "parquet": Whole(_parquet),
    "parquet/plain": Whole(
        lambda folder: _parquet(folder, compression="none", use_dictionary=False)
    ),
    "scope": Whole(lambda folder: _tests_of("scope").write(folder / "a.bin"), "RigolWFM", cost=4),
    "tdms": Whole(_tdms, "nptdms"),
    "uff": Whole(_uff(0), "pyuff", cost=2),
    "uff/binary": Whole(_uff(1), "pyuff", cost=2),
    "wav": Whole(_written("a.wav", _wav())),
    "cwa": Whole(_monitor("cwa"), "cwa_reader_rs", cost=60),
    "geneactiv": Whole(_monitor("geneactiv")),
    "goldencheetah": Whole(
        lambda folder: _put(folder / "a.json", _cheetah().encode()),
        ways=({}, SHOWN),
    ),
    "fitbit": Whole(
        lambda folder: _put(
            folder / "a.json", json.dumps(_tests_of("fitbit").pulse(*range(60, 72))).encode()
        )
    ),
    "fitbit/sleep": Whole(lambda folder: _put(folder / "a.json", _sleep().encode())),
    "epts": Whole(_epts, "kloppy", ({"metadata": "match.xml"},), (".xml",), cost=2),
    "tracab": Whole(_tracab, "kloppy", ({"metadata": "match.xml"},), (".xml",), cost=2),
}
"""Format, or format/kind, to its file."""

WITHOUT: dict[str, str] = {}
"""Formats without a whole file here, to the reason."""


def _from_real(form: str, pattern: str, needs: str) -> None:
    """Take the smallest real file of a format that no test can make, or say why there is none."""
    found = sorted(REAL_DATA.glob(pattern), key=lambda file: (file.stat().st_size, file.name))
    if not found:
        WITHOUT[form] = f"its file cannot be made, and shared/data/{pattern} is absent"
    elif importlib.util.find_spec(needs) is None:
        WITHOUT[form] = f"{needs} is not installed"
    else:
        content = found[0].read_bytes()
        WHOLE[form] = Whole(lambda folder: _put(folder / f"a.{form}", content), needs, cost=60)


_from_real("sc2replay", "sc2replay/*.SC2Replay", "sc2reader")
# Under the GPL, so in no extra: only who installed it runs these tests.
_from_real("gt3x", "wearable-raw/*.gt3x", "pygt3x")


def form_of(name: str) -> str:
    """The format of an entry of `WHOLE`."""
    return name.partition("/")[0]
