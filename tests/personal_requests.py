"""Requests of families that work on people's files, with all in the files that must not come out.

A new family is one entry in `PERSONAL`: what its request says beside the sources.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import yaml
import zarr

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
    hrv,
    lap,
    record,
    session,
    tcx,
    timer,
    trackpoint,
    trkpt,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIAL = 3_912_345_678
PLACE = (60.1234567, 25.7654321)
STEP = 1e-5  # degrees to the north each second
SECONDS = 60
NAMES = ("Aino Example", "Kotikuja 7")
SECRET = "a key of more than sixteen bytes"
SPORTS = ("cycling", "running")
PERSONS = 3

_ALL = {
    "power": {"quantity": "power", "unit": "W"},
    "distance": {"quantity": "distance", "unit": "m"},
    "heart_rate": {"quantity": "heart_rate", "unit": "1/min"},
    "rr": {"quantity": "time", "unit": "ms"},
}
_SPORT = {"what": {"attribute": "sport", "meaning": "said by the device"}}
PERSONAL: dict[str, dict[str, Any]] = {
    "monitoring": {
        "channels": ("power", "distance"),
        "evaluation": {"split": {"kind": "time", "train_first_rows": 40}},
        "train": {
            "alpha": 0.05,
            "blocks": 4,
            "models": {"main": {"kind": "pca", "components": 1}},
        },
    },
    "activity": {
        "channels": ("power", "heart_rate"),
        "labels": _SPORT,
        "evaluation": {"split": {"kind": "group", "by": "unit"}},
        "train": {
            "label": "what",
            "window_s": 8.0,
            "hop_s": 4.0,
            "features": {"statistics": {}},
            "penalties": [1.0, 100.0],
            "sample_rows": 64,
            "windows_per_chunk": 8,
        },
    },
    "session_load": {
        "channels": ("power", "heart_rate"),
        "asset": {"sport": "cycling", "page_for": "tests"},
        "evaluation": {"split": {"kind": "none"}},
        "train": {"power": {"channel": "power"}, "heart_rate": {"channel": "heart_rate"}},
        "score": {"zones": {"power": {"edges": [205], "source": "made up"}}},
    },
    "hrv": {
        "forms": {"fit": {"table": "rr"}},
        "channels": ("rr",),
        "asset": {"seen_by": "nobody"},
        "evaluation": {"split": {"kind": "none"}},
        "train": {"window_s": 20, "block_s": 5},
        "score": {"most_artefacts": 0.12, "least_covered": 0.8},
    },
    "technique": {
        "channels": ("power", "heart_rate"),
        "labels": _SPORT,
        "evaluation": {"split": {"kind": "group", "by": "unit"}},
        "train": {
            "classifier": {
                "label": "what",
                "window_s": 8.0,
                "hop_s": 4.0,
                "margin_s": 1.0,
                "features": {"statistics": {}},
                "penalties": [1.0, 100.0],
                "sample_rows": 64,
                "windows_per_chunk": 8,
            },
        },
    },
    "esports": {
        "channels": ("power", "heart_rate"),
        "evaluation": {"split": {"kind": "none"}},
        "train": {
            "intensity": {
                "zones": {
                    "effort": {"channel": "power", "bounds": [205], "source": "made up"},
                    "heart": {"channel": "heart_rate", "bounds": [123], "source": "made up"},
                }
            }
        },
    },
}
"""Family to its channels, its sections, and the forms of files with their options."""
_FORMS: dict[str, dict[str, Any]] = {"fit": {}, "gpx": {}, "tcx": {}}


def personal_request(folder: Path, family: str, **read: Any) -> Path:
    """The request of a family over FIT, GPX and TCX files, which are written beside it."""
    (folder / "raw").mkdir(parents=True)
    for person in range(PERSONS):
        for number, sport in enumerate(SPORTS):
            _write(folder / "raw", f"p{person}_{sport}", 10 * person + number, sport)
    asked = dict(PERSONAL[family])
    forms = asked.pop("forms", _FORMS)
    channels = [{"name": name} | _ALL[name] for name in asked.pop("channels")]
    if read.get("positions"):
        channels.append({"name": "latitude", "quantity": "angle", "unit": "deg"})
    sources = [
        {
            "id": form,
            "source": f"raw/*.{form}",
            "format": form,
            "read": {"pseudonyms": "club"} | own | read,
            "recordings": {
                "pattern": r"(?P<person>p\d)_\w+\.(?P<form>\w+)",
                "id": "{person}-{sport}-{form}",
                "unit": "{person}",
            },
            "time": {"kind": "column", "column": "time", "unit": "s"},
            "channels": channels,
            "labels": asked.get("labels", {}),
        }
        for form, own in forms.items()
    ]
    asked.pop("labels", None)
    form = {
        "lumipipe_request": 1,
        "id": "private",
        "title": "Rides",
        "question": {
            "decision": "whether the test passes",
            "family": family,
            "unit_of_decision": "one second",
            "not_to_be_used_for": ["anything but tests"],
        },
        "data": sources,
        "rights": {"owner": "nobody", "personal_data": "pseudonymous"},
        "compute": {"backend": "numpy"},
        **asked,
    }
    (folder / "request.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    return folder / "request.yaml"


def _write(folder: Path, name: str, day: int, sport: str) -> None:
    """An activity from each of three kinds of devices, with all that is private, days apart."""
    starts = [86_400 * (3 * day + number) for number in range(3)]
    power = [200 + (t % 11 if sport == "cycling" else 8 * (t % 3)) for t in range(SECONDS)]
    north = [PLACE[0] + STEP * t for t in range(SECONDS)]
    device = Message(23, [(0, UINT8, 0), (3, UINT32Z, SERIAL), (19, STRING, NAMES[1])])
    person = [(0, STRING, NAMES[0]), (1, UINT8, 0), (2, UINT8, 41), (3, UINT8, 177)]
    profile = Message(USER_PROFILE, [*person, (4, UINT16, 713)])
    records = [
        record(
            starts[0] + t,
            power=power[t],
            heart_rate=120 + t % 7,
            distance=8.0 * t,
            latitude=north[t],
            longitude=PLACE[1],
        )
        for t in range(SECONDS)
    ]
    content = [file_id(SERIAL), profile, device, timer(starts[0], starts=True), *records]
    content += [hrv(0.8 + 0.01 * (beat % 5), 0.82) for beat in range(36)]
    content += [session(sport, starts[0], SECONDS - 1)]
    (folder / f"{name}.fit").write_bytes(fit_file(content))
    inside = "<power>{}</power><g:TrackPointExtension><g:hr>{}</g:hr></g:TrackPointExtension>"
    points = "".join(
        trkpt(
            starts[1] + t,
            f"<extensions>{inside.format(power[t], 120 + t % 7)}</extensions>",
            north[t],
        )
        for t in range(SECONDS)
    )
    space = 'xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
    text = gpx(points, space, NAMES[0]).replace('lon="25.5"', f'lon="{PLACE[1]:.7f}"')
    head = f"<metadata><author><name>{NAMES[0]}</name></author><desc>{NAMES[1]}</desc></metadata>"
    text = text.replace("<trk>", f"{head}<trk>").replace(">cycling<", f">{sport}<")
    (folder / f"{name}.gpx").write_text(text, encoding="utf-8")
    creator = (
        f"<Creator><Name>{NAMES[0]}</Name><UnitId>{SERIAL}</UnitId><ProductID>1</ProductID>"
        f"</Creator><Notes>{NAMES[1]}</Notes>"
    )
    track = "".join(trackpoint(starts[2] + t, power[t], 120 + t % 7) for t in range(SECONDS))
    laps = lap(starts[2], SECONDS, track)
    (folder / f"{name}.tcx").write_text(tcx(laps, sport.title(), creator), encoding="utf-8")


def needles() -> dict[str, bytes]:
    """All forms in which a place, a name, a serial number or the key could stand in a file."""
    found = {f"name {name}": name.encode() for name in NAMES} | {"the key": SECRET.encode()}
    found |= {f"part of a name, {name}": name.split()[0].encode() for name in NAMES}
    found |= {"serial": str(SERIAL).encode(), "serial in hex": f"{SERIAL:x}".encode()}
    for order in "<>":
        found[f"serial {order}"] = struct.pack(f"{order}I", SERIAL)
        for value in PLACE:
            semicircles = round(value * 2**31 / 180)
            found[f"{value} {order}i"] = struct.pack(f"{order}i", semicircles)
            # As it is written, and as a reader computes it from whole semicircles.
            for form in (value, semicircles * (180.0 / 2**31), np.radians(value)):
                found[f"{form} {order}d"] = struct.pack(f"{order}d", form)
    for value in PLACE:
        degrees, minutes = int(value), 60 * (value % 1)
        spelled = [f"{value:.4f}"[:-1], str(round(value * 2**31 / 180)), str(round(value * 1e7))]
        spelled += [f"{np.radians(value):.7f}"[:-1], f"{degrees}{minutes:07.4f}"[:-1]]
        spelled += [f"{degrees}°{int(minutes)}", f"{degrees}° {int(minutes)}"]
        found |= {f"{value} as {text}": text.encode() for text in spelled}
        found |= {f"{value} as {text}, comma": text.replace(".", ",").encode() for text in spelled}
    return found


def places_in(values: np.ndarray) -> set[str]:
    """In which unit numbers follow the track, if they do: at least five of its latitudes."""
    if values.dtype.kind not in "iuf":
        return set()
    track = PLACE[0] + STEP * np.arange(SECONDS)
    flat = values.reshape(-1).astype(np.float64)
    flat = np.sort(flat[np.isfinite(flat)])
    found = set()
    for unit, scale in {"degrees": 1.0, "radians": np.pi / 180, "semicircles": 2**31 / 180}.items():
        # Half of a step apart; no nearer than single precision holds them.
        near = max(0.4 * STEP, 2.0**-23 * PLACE[0]) * scale
        low, high = (np.searchsorted(flat, track * scale + sign * near) for sign in (-1, 1))
        if (high > low).sum() >= 5:
            found.add(f"latitudes in {unit}")
    return found


def contents(out: Path) -> Iterator[tuple[str, bytes, np.ndarray | None]]:
    """All files of a run, and its arrays and columns as they are when they are unpacked."""
    for path in out.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.as_posix(), path.read_bytes(), None
    yield from _tables(out)
    for path in out.rglob("*.zarr"):
        for name, array in zarr.open_group(path, mode="r").members(max_depth=None):
            if isinstance(array, zarr.Array):
                values = np.asarray(array[...])
                text = "\n".join(map(str, values.reshape(-1))) if values.dtype.kind in "OT" else ""
                yield f"{path}/{name}", values.tobytes() + text.encode(), values


def _tables(out: Path) -> Iterator[tuple[str, bytes, np.ndarray | None]]:
    """The columns of tables, and the arrays of models."""
    for path in out.rglob("*.parquet"):
        table = pq.read_table(path).to_pandas()
        yield f"{path} as text", table.to_csv().encode(), None
        for name in table.columns:
            if table[name].dtype.kind in "iuf":
                yield f"{path}: {name}", table[name].to_numpy().tobytes(), table[name].to_numpy()
    for path in out.rglob("*.np[yz]"):
        loaded = np.load(path, allow_pickle=False)
        arrays = loaded if path.suffix == ".npz" else {"": loaded}
        for name, array in arrays.items():
            yield f"{path}: {name}", array.tobytes(), array


def hits(out: Path, *said: str) -> set[str]:
    """What of the files that went into a run stands in what came out of it, or was said."""
    found = set()
    wanted = needles()
    for _, raw, values in [*contents(out), *(("", text.encode(), None) for text in said)]:
        found |= {what for what, needle in wanted.items() if needle in raw}
        if values is not None:
            found |= places_in(values)
    return found
