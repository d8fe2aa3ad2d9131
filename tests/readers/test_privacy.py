"""Nothing of a run leads to a person: no place, name or serial number of the files that went in."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
import zarr

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.fit import Options
from lumipipe.readers.privacy import KEY, KEY_FILE, is_place, pseudonym
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from readers.activity_files import (
    STRING,
    UINT8,
    UINT16,
    UINT32Z,
    USER_PROFILE,
    Message,
    file_id,
    fit_file,
    gpx,
    lap,
    record,
    tcx,
    timer,
    trackpoint,
    trkpt,
)
from running import answer

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")

SERIAL = 3_912_345_678
PLACE = (60.1234567, 25.7654321)
NAMES = ("Aino Example", "Kotikuja 7")
SECRET = "a key of more than sixteen bytes"


def test_a_pseudonym_needs_a_key_and_hides_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.delenv(KEY_FILE, raising=False)
    with pytest.raises(InputError, match="there is no secret key"):
        pseudonym("1", "club")
    monkeypatch.setenv(KEY, "short")
    with pytest.raises(InputError, match="has 5 bytes") as error:
        pseudonym("1", "club")
    assert "short" not in str(error.value)
    monkeypatch.setenv(KEY, SECRET)
    found = pseudonym("1", "club")
    assert re.fullmatch("[0-9a-f]{20}", found)
    assert found == pseudonym("1", "club")
    assert len({found, pseudonym("2", "club"), pseudonym("1", "other")}) == 3
    monkeypatch.delenv(KEY)
    (tmp_path / "key").write_text(SECRET + "\n", encoding="utf-8")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "key"))
    assert pseudonym("1", "club") == found
    monkeypatch.setenv(KEY, SECRET.upper())
    assert pseudonym("1", "club") != found


@pytest.mark.parametrize(
    "name", ["position_lat", "Longitude", "GPS accuracy", "start-position-long"]
)
def test_names_of_places(name: str) -> None:
    assert is_place(name)


@pytest.mark.parametrize("name", ["platform", "heart_rate", "flatness", "Form Power"])
def test_names_of_other_things(name: str) -> None:
    assert not is_place(name)


def profile() -> Message:
    """Who wears the device: name, sex, age, height, weight."""
    return Message(
        USER_PROFILE,
        [(0, STRING, NAMES[0]), (1, UINT8, 0), (2, UINT8, 41), (3, UINT8, 177), (4, UINT16, 713)],
    )


def rides(folder: Path) -> None:
    """The same kind of ride from three kinds of devices, a day apart, with all that is private."""
    folder.mkdir()
    rows = [
        record(
            t,
            power=200 + t % 11,
            distance=8.0 * t,
            latitude=PLACE[0] + 1e-5 * t,
            longitude=PLACE[1],
        )
        for t in range(60)
    ]
    device = Message(23, [(0, UINT8, 0), (3, UINT32Z, SERIAL), (19, STRING, NAMES[1])])
    content = [file_id(SERIAL), profile(), device, timer(0, starts=True), *rows]
    (folder / "a.fit").write_bytes(fit_file(content))
    day = 86_400
    power = "<extensions><power>{}</power></extensions>"
    points = "".join(
        trkpt(day + t, power.format(200 + t % 11), PLACE[0] + 1e-5 * t) for t in range(60)
    )
    text = gpx(points, name=NAMES[0]).replace('lon="25.5"', f'lon="{PLACE[1]:.7f}"')
    head = f"<metadata><author><name>{NAMES[0]}</name></author><desc>{NAMES[1]}</desc></metadata>"
    (folder / "b.gpx").write_text(text.replace("<trk>", f"{head}<trk>"), encoding="utf-8")
    creator = (
        f"<Creator><Name>{NAMES[0]}</Name><UnitId>{SERIAL}</UnitId><ProductID>1</ProductID>"
        f"</Creator><Notes>{NAMES[1]}</Notes>"
    )
    track = "".join(trackpoint(2 * day + t, power=200 + t % 11) for t in range(60))
    (folder / "c.tcx").write_text(tcx(lap(2 * day, 60, track), creator=creator), encoding="utf-8")


def request(folder: Path, **read: object) -> Path:
    """A request that monitors power and distance, over all three formats."""
    channels = {"power": "W", "distance": "m"} | ({"latitude": "deg"} if read else {})
    sources = [
        {
            "id": form,
            "source": f"raw/*.{form}",
            "format": form,
            "read": {"pseudonyms": "club"} | read,
            "time": {"kind": "column", "column": "time", "unit": "s"},
            "channels": [{"name": n, "quantity": n, "unit": unit} for n, unit in channels.items()],
        }
        for form in ("fit", "gpx", "tcx")
    ]
    form = {
        "lumipipe_request": 1,
        "id": "private",
        "title": "Rides",
        "question": {
            "decision": "whether the test passes",
            "family": "monitoring",
            "unit_of_decision": "one second",
            "not_to_be_used_for": ["anything but tests"],
        },
        "data": sources,
        "rights": {"owner": "nobody", "personal_data": "pseudonymous"},
        "evaluation": {"split": {"kind": "time", "train_first_rows": 40}},
        "train": {
            "alpha": 0.05,
            "blocks": 4,
            "models": {"main": {"kind": "pca", "components": 1}},
        },
        "compute": {"backend": "numpy"},
    }
    folder.mkdir(exist_ok=True)
    (folder / "request.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    return folder / "request.yaml"


def needles() -> dict[str, bytes]:
    """All forms in which a place, a name, a serial number or the key could stand in a file."""
    found = {f"name {name}": name.encode() for name in NAMES} | {"the key": SECRET.encode()}
    found |= {"serial": str(SERIAL).encode(), "serial in hex": f"{SERIAL:x}".encode()}
    for order in "<>":
        found[f"serial {order}"] = struct.pack(f"{order}I", SERIAL)
        for value in PLACE:
            semicircles = round(value * 2**31 / 180)
            found[f"{value} {order}i"] = struct.pack(f"{order}i", semicircles)
            found[f"{value} {order}d"] = struct.pack(f"{order}d", value)
            # As the reader computes it from whole semicircles.
            exact = semicircles * (180.0 / 2**31)
            found[f"{value} {order}d exact"] = struct.pack(f"{order}d", exact)
    return found | {f"{value} as text": f"{value:.4f}"[:-1].encode() for value in PLACE}


def contents(out: Path) -> dict[str, bytes]:
    """All bytes of all files of a run, those of compressed arrays and tables unpacked too."""
    found = {path.as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for path in out.rglob("*.parquet"):
        found[f"{path} as text"] = pq.read_table(path).to_pandas().to_csv().encode()
    for path in out.rglob("*.zarr"):
        for name, array in zarr.open_group(path, mode="r").members(max_depth=None):
            if isinstance(array, zarr.Array):
                found[f"{path}/{name}"] = np.asarray(array[...]).tobytes()
    return found


def hits(folder: Path, **read: object) -> set[str]:
    """What of the files that went into a run stands in anything that came out of it."""
    path = request(folder, **read)
    rides(folder / "raw")
    done = answer(path, folder / "out")
    report(load_request(path), done.stages, SerialComm(), choose_backend("numpy"), lambda _: None)
    out = contents(folder / "out")
    assert any(name.endswith("report.html") for name in out)
    assert any(name.endswith(".parquet as text") for name in out)
    assert any("/main/value" in name for name in out)
    return {what for what, text in needles().items() for found in out.values() if text in found}


@pytest.mark.slow
def test_no_output_of_a_run_leads_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    assert hits(tmp_path / "closed") == set()
    # The search would have found them: here the request asks for positions.
    assert f"{PLACE[0]} <d" in hits(tmp_path / "open", positions=True)


def test_the_same_device_has_one_pseudonym_in_all_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    rides(tmp_path / "raw")
    fit = next(READERS["fit"].read(tmp_path / "raw" / "a.fit", Options(pseudonyms="club")))
    tcx_options = READERS["tcx"].Options.model_validate({"pseudonyms": "club"})
    other = next(READERS["tcx"].read(tmp_path / "raw" / "c.tcx", tcx_options))
    assert fit.attributes["device"] == other.attributes["device"] == pseudonym(str(SERIAL), "club")
    plain = next(READERS["fit"].read(tmp_path / "raw" / "a.fit", Options()))
    assert "device" not in plain.attributes
