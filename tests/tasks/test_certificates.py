"""Certificates of a request that are files: filled in, compared, told, kept, run again."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from command import call, one_line
from lumipipe.config import Certificate
from lumipipe.readers.files import file_digest
from lumipipe.tasks.request import load_request
from readers.dcc_files import TEMPERATURES, dcc, laboratory, quantity
from small_requests import DROP, change, monitoring
from tasks.bundles import finished

if TYPE_CHECKING:
    from pathlib import Path

LAB = laboratory()
PERIOD = ["2022-03-01", "2022-12-31"]
TEMPERATURE = {"quantity": "temperature", "unit": "°C", "range": [-5.0, 60.0]}


def asking(folder: Path, certificate: Any, **channel: Any) -> Path:
    """A request of the process table, whose first channel has the certificate."""
    told = {**TEMPERATURE, "certificate": certificate, **channel}
    return monitoring(folder, data={0: {"period": PERIOD, "channels": {0: told}}})


def signed(folder: Path, text: str | None = None) -> dict[str, Any]:
    """A signed certificate and its root, beside the request."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dcc.xml").write_bytes(LAB.sign(dcc() if text is None else text))
    LAB.write_root(folder)
    return {"file": "dcc.xml", "trust": ["root.crt"]}


def filled(request: Path) -> Certificate:
    """The certificate of the first channel, as the pipeline sees it."""
    found = load_request(request).request.data[0].channels[0].certificate
    assert isinstance(found, Certificate)
    return found


def refused(request: Path) -> str:
    """The line with which the request is refused before anything is written."""
    out = request.parent / "out"
    line = one_line(call("run", request, "--out", out))
    assert not out.exists()
    return line


def test_the_file_tells_identity_days_and_uncertainty(tmp_path: Path) -> None:
    known = filled(asking(tmp_path, signed(tmp_path, dcc(again="2024-02-01"))))
    assert (known.id, known.laboratory) == ("dcc-0417", "Lab A")
    assert (known.valid_from, known.valid_until) == (date(2022, 2, 1), date(2024, 2, 1))
    # The largest of the points at 0 and 50 degrees; that at 100 lies outside the range.
    assert (known.expanded, known.k, known.u, known.unit) == (0.06, 2.0, None, None)
    assert known.sha256 == file_digest(tmp_path / "dcc.xml")


@pytest.mark.parametrize(
    ("channel", "u"),
    [
        ({}, 0.03),
        ({"range": [0.0, 200.0]}, 0.1),
        ({"range": DROP}, 0.1),
        ({"unit": "K", "range": [270.0, 280.0]}, 0.02),
        ({"unit": "mK", "range": [270e3, 280e3]}, 20.0),
    ],
)
def test_the_largest_within_the_range_stands_for_all(
    tmp_path: Path, channel: dict[str, Any], u: float
) -> None:
    told = {name: value for name, value in channel.items() if value is not DROP}
    request = asking(tmp_path, signed(tmp_path), **told)
    if channel.get("range") is DROP:
        request = change(request, data={0: {"channels": {0: {"range": DROP}}}})
    assert filled(request).standard_u == pytest.approx(u, rel=1e-12)


def test_a_file_alone_is_its_name(tmp_path: Path) -> None:
    signed(tmp_path)
    known = filled(asking(tmp_path, "dcc.xml"))
    assert known.id == "dcc-0417"
    assert str(known.signature).startswith("signature fits")


@pytest.mark.parametrize(
    "stated",
    [
        {"id": "dcc-0417", "laboratory": "Lab A", "item": "SN 12"},
        {"valid_from": "2022-02-15", "valid_until": "2023-01-31"},
        {"u": 0.03},
        {"expanded": 60.0, "k": 2.0, "unit": "mK"},
        {"result": "basic_measurementError"},
        {"result": "Error"},
    ],
)
def test_what_agrees_may_be_stated_besides(tmp_path: Path, stated: dict[str, Any]) -> None:
    request = asking(tmp_path, signed(tmp_path, dcc(again="2024-02-01")) | stated)
    assert filled(request).standard_u == pytest.approx(0.03, rel=1e-12)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"id": "dcc-1"}, "id is dcc-1, and {file} says dcc-0417; correct the request, or take"),
        ({"laboratory": "Lab B"}, "laboratory is Lab B, and {file} says Lab A; correct"),
        ({"item": "SN 13"}, "item is SN 13, and {file} says SN 12; correct"),
        ({"valid_from": "2022-01-01"}, "valid_from is 2022-01-01, and {file} says 2022-02-01"),
        ({"valid_until": "2025-01-01"}, "valid_until is 2025-01-01, and {file} says 2024-02-01"),
        ({"u": 0.02}, "its standard uncertainty is 0.02 °C, and {file} says 0.03; correct"),
        ({"sha256": "0" * 64}, "and {file} says"),
        ({"result": "Reference"}, "has no result Reference with an uncertainty; use one of: basic"),
        ({"signature": "verified"}, "signature is found in a file, not stated; take it out"),
        ({"trust": ["none.crt"]}, "none.crt: cannot be read (No such file or directory)"),
        ({"file": "none.xml"}, "none.xml: cannot be read (No such file or directory)"),
    ],
)
def test_what_the_file_contradicts_is_refused_with_both(
    tmp_path: Path, stated: dict[str, Any], words: str
) -> None:
    request = asking(tmp_path, signed(tmp_path, dcc(again="2024-02-01")) | stated)
    line = refused(request)
    assert line.startswith(f"{request}:")
    assert ": data.0.channels.0.certificate: " in line
    assert words.format(file=f"{tmp_path.name}/dcc.xml") in line


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ({"quantity": "voltage", "unit": "V"}, "states uncertainties in K, which do not measure"),
        ({"range": [150.0, 200.0]}, "none of its 3 points lies in the range 150 to 200 °C of a"),
    ],
)
def test_a_certificate_of_something_else_is_refused(
    tmp_path: Path, channel: dict[str, Any], words: str
) -> None:
    assert words in refused(asking(tmp_path, signed(tmp_path), **channel))


def test_of_two_results_one_is_chosen(tmp_path: Path) -> None:
    listed = "<si:real><si:value>9</si:value><si:unit>\\kelvin</si:unit><si:expandedUnc>"
    listed += "<si:uncertainty>0.5</si:uncertainty><si:coverageFactor>2</si:coverageFactor>"
    offset = quantity(f"{listed}</si:expandedUnc></si:real>", "offset")
    certificate = signed(tmp_path, dcc(TEMPERATURES + offset))
    line = refused(asking(tmp_path, certificate))
    assert "has 2 results that fit: basic_measurementError, offset; name one of them" in line
    chosen = filled(asking(tmp_path, certificate | {"result": "offset"}, range=[-300.0, 0.0]))
    assert chosen.expanded == 0.5


def test_a_changed_file_is_refused_before_any_job(tmp_path: Path) -> None:
    request = asking(tmp_path, signed(tmp_path))
    file = tmp_path / "dcc.xml"
    file.write_bytes(file.read_bytes().replace(b"0.06", b"0.01"))
    assert "does not verify: the digest of the document differs" in refused(request)


def test_a_certificate_holds_from_its_calibration_on(tmp_path: Path) -> None:
    early = asking(tmp_path, signed(tmp_path))
    early = change(early, data={0: {"period": ["2022-01-01", "2022-03-01"]}})
    told = "certificate dcc-0417 holds from 2022-02-01 on, the data begin on 2022-01-01"
    assert told in refused(early)
    late = asking(tmp_path / "late", signed(tmp_path / "late", dcc(again="2022-06-30")))
    assert "dcc-0417 holds until 2022-06-30, the data go on until 2022-12-31" in refused(late)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ("signature verified as of 2022-03-01 12:00:00 UTC; signed by", "not signed"),
        ),
        ("fi", ("allekirjoitus pätee hetkellä 2022-03-01 12:00:00 UTC", "ei allekirjoitettu")),
    ],
)
def test_reports_and_records_tell_of_files_and_signatures(
    tmp_path: Path, language: str, words: tuple[str, str]
) -> None:
    request = asking(tmp_path, signed(tmp_path))
    (tmp_path / "plain.xml").write_text(dcc(id="dcc-2"), encoding="utf-8")
    other = {**TEMPERATURE, "certificate": "plain.xml"}
    request = change(request, language=language, data={0: {"channels": {1: other}}})
    out = tmp_path / "out"
    finished(request, out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(word in page for word in words)
    assert "Kunde" not in page
    (manifest,) = (out / "prepare").glob("*.json")
    inputs = json.loads(manifest.read_text(encoding="utf-8"))["content"]["record"]["inputs"]
    for name in ("dcc.xml", "root.crt", "plain.xml"):
        channel = "b" if name == "plain.xml" else "a"
        assert inputs["plant"][f"{channel}: {name}"] == file_digest(tmp_path / name)


def test_a_crate_has_the_certificates_and_runs_again(tmp_path: Path) -> None:
    pytest.importorskip("rocrate", reason="the extra crate is not installed")
    outside = tmp_path / "certificates"
    told = signed(outside)
    certificate = {"file": f"../certificates/{told['file']}", "trust": ["../certificates/root.crt"]}
    rights = {"publication": {"data": "open"}, "licence": "CC BY 4.0"}
    request = asking(tmp_path / "here", certificate)
    request = change(request, rights=rights, evaluation={"plan_signed": True})
    out, crate = tmp_path / "here/out", tmp_path / "crate"
    finished(request, out)
    assert call("crate", out, "--out", crate, "--with-data").code == 0
    shutil.rmtree(tmp_path / "here")
    shutil.rmtree(outside)
    found = {path.name for path in (crate / "inputs/given").rglob("*")}
    assert {"dcc.xml", "root.crt"} <= found
    said = call("rerun", crate, "--out", tmp_path / "again")
    assert said.code == 0, said
    copy = yaml.safe_load((tmp_path / "again/request.yaml").read_text(encoding="utf-8"))
    assert "given" in str(copy["data"][0]["channels"][0]["certificate"])


@pytest.mark.real
def test_real_certificates_in_a_request(real_data: Path, tmp_path: Path) -> None:
    folder, period = real_data / "dcc", ["1958-01-01", "1958-12-31"]
    trust = [str(folder / f"trusted_certs/{name}.crt") for name in ("root", "sub")]
    probe = {"quantity": "temperature", "unit": "°C", "range": [0.0, 350.0]}

    def asking_of(name: str, channel: dict[str, Any], *trusted: str) -> Path:
        known = {"file": str(folder / name), "trust": list(trusted)}
        told = {"period": period, "channels": {0: {**channel, "certificate": known}}}
        return monitoring(tmp_path, data={0: told})

    for name in ("", "_v3.2.0"):
        signed_file = f"dcc_gp_temperature_typical_v12{name}_signed.xml"
        known = filled(asking_of(signed_file, probe, *trust))
        assert (known.expanded, known.k) == (0.061, 2.0)
        assert (known.valid_from, known.valid_until) == (date(1957, 8, 13), date(1959, 10, 22))
        assert str(known.signature).startswith("signature verified as of 202")
    air = {"quantity": "humidity", "unit": "%", "range": [10.0, 55.0]}
    known = filled(asking_of("dcc_gp_humidity_v1.0.xml", air))
    assert known.expanded == pytest.approx(0.8, rel=1e-12)  # 0.008 at 50 %; 1.1 only at 90 %
    assert known.signature == "not signed"
    wire = {"quantity": "electric_resistance", "unit": "ohm", "range": [100.0, 110.0]}
    known = filled(asking_of("dcc_gp_temperatur_resistance_v12.xml", wire))
    assert known.expanded == pytest.approx(0.0042, rel=1e-12)  # at 107.83 ohm
    changed = "dcc_gp_temperature_typical_v12_signed_manipulated.xml"
    line = refused(asking_of(changed, probe, *trust))
    assert "Calibration Lab A1 of 2022-10-21 07:47:21 UTC does not verify: the digest of" in line
    late = asking_of("dcc_gp_temperature_typical_v12.xml", probe)
    late = change(late, data={0: {"period": PERIOD}})
    assert "holds until 1959-10-22, the data go on until 2022-12-31" in refused(late)


def test_a_quote_reads_it_too(tmp_path: Path) -> None:
    request = asking(tmp_path, signed(tmp_path))
    assert call("request", "quote", request, "--out", tmp_path / "out").code == 0


def test_inspect_shows_a_certificate(tmp_path: Path) -> None:
    signed(tmp_path)
    said = call("inspect", tmp_path / "dcc.xml", "--trust", tmp_path / "root.crt")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert "basic_measurementError K 3 0.01 to 0.03 0.04 to 0.2 2 0.95" in lines
    assert any(line.startswith("signature verified as of 2022-03-01") for line in lines)
    file = tmp_path / "changed.xml"
    file.write_bytes((tmp_path / "dcc.xml").read_bytes().replace(b"0.06", b"0.01"))
    assert "the digest of the document differs" in one_line(call("inspect", file))
    both = call("inspect", file, tmp_path / "dcc.xml")
    assert both.code == 3
    assert "basic_measurementError" in both.out
    assert "the digest of the document differs" in both.out
