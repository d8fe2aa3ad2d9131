"""Nothing of a run leads to a person: no place, name or serial number of the files that went in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from command import launch
from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.fit import Options
from lumipipe.readers.privacy import KEY, KEY_FILE, is_place, pseudonym
from personal_requests import (
    PERSONAL,
    PLACE,
    SECRET,
    SERIAL,
    contents,
    hits,
    needles,
    personal_request,
    places_in,
)
from running import answer

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")


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


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the pseudonyms, for the processes of a run, too."""
    monkeypatch.setenv(KEY, SECRET)


@pytest.mark.slow
@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("family", PERSONAL)
def test_no_output_of_a_run_leads_to_a_person(tmp_path: Path, family: str) -> None:
    """Through the workflow, so that its logs and copies are looked through as well."""
    request = personal_request(tmp_path / "closed", family)
    said = launch("run", request, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    names = {name.rpartition("/")[2] for name, *_ in contents(tmp_path / "out")}
    assert {"report.html", "dossier.html", "result.json", "request.yaml"} <= names
    assert any(name.endswith(".log") for name in names)
    assert any(name.endswith(".parquet as text") for name in names)
    assert hits(tmp_path / "out", said.out, said.err) == set()


@pytest.mark.slow
@pytest.mark.usefixtures("secret")
def test_the_search_finds_what_is_let_out(tmp_path: Path) -> None:
    request = personal_request(tmp_path / "open", "monitoring", positions=True, hide_ends_m=0)
    done = answer(request, tmp_path / "out")
    assert done.result.units
    found = hits(tmp_path / "out")
    assert "latitudes in degrees" in found or "latitudes in radians" in found


@pytest.mark.slow
@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("form", ["fit", "gpx", "tcx"])
def test_an_error_about_a_file_leads_to_nobody(tmp_path: Path, form: str) -> None:
    """A file that is cut in its middle, between position, name and serial number."""
    request = personal_request(tmp_path / "closed", "monitoring")
    for file in (tmp_path / "closed" / "raw").glob(f"*.{form}"):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    said = launch("run", request, "--out", tmp_path / "out")
    assert said.code == 2, said
    assert hits(tmp_path / "out", said.out, said.err) == set()


def test_the_needles_are_in_the_files(tmp_path: Path) -> None:
    """Each file that goes in holds a place, both names and the serial number in some form."""
    personal_request(tmp_path / "closed", "activity")
    wanted = needles()
    for file in (tmp_path / "closed" / "raw").iterdir():
        content = file.read_bytes()
        found = {what.split(" ")[0] for what, needle in wanted.items() if needle in content}
        assert {"name", str(PLACE[0])} <= found, file
        assert "serial" in found or file.suffix == ".gpx"


@pytest.mark.parametrize("unit", ["degrees", "radians", "semicircles"])
@pytest.mark.parametrize("kind", ["f4", "f8", "i4"])
def test_latitudes_are_seen_among_other_numbers(unit: str, kind: str) -> None:
    if kind == "i4" and unit != "semicircles":
        return
    scale = {"degrees": 1.0, "radians": np.pi / 180, "semicircles": 2**31 / 180}[unit]
    values = np.random.default_rng(1).uniform(-500, 500, size=2000)
    assert places_in(values.astype(kind)) == set()
    values[5:65] = (PLACE[0] + 1e-5 * np.arange(60)) * scale
    assert places_in(values.astype(kind)) == {f"latitudes in {unit}"}


def test_positions_stay_inside_and_nothing_is_cut_off_by_default() -> None:
    """What is derived from positions (distance, speed) and the times of day do leave."""
    options = Options()
    assert options.positions is False
    assert options.pseudonyms is None
    assert (options.cut_start_s, options.cut_end_s) == (0.0, 0.0)


def test_the_same_device_has_one_pseudonym_in_all_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    folder = personal_request(tmp_path / "rides", "activity").parent / "raw"
    fit = next(READERS["fit"].read(folder / "p0_cycling.fit", Options(pseudonyms="club")))
    tcx_options = READERS["tcx"].Options.model_validate({"pseudonyms": "club"})
    other = next(READERS["tcx"].read(folder / "p0_cycling.tcx", tcx_options))
    assert fit.attributes["device"] == other.attributes["device"] == pseudonym(str(SERIAL), "club")
    plain = next(READERS["fit"].read(folder / "p0_cycling.fit", Options()))
    assert "device" not in plain.attributes
