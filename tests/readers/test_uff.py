"""Universal files: text and binary, names of functions, axes, damage."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers.uff import Options, read

if TYPE_CHECKING:
    from pathlib import Path

pyuff = pytest.importorskip("pyuff", reason="UFF is the extra instruments")

WAVE = np.sin(np.arange(20.0))


def function(**fields: Any) -> dict[str, Any]:
    """A time response at a node, in double precision."""
    plain = {
        "binary": 0,
        "id1": "an id",
        "func_type": 1,
        "rsp_node": 12,
        "rsp_dir": 3,
        "rsp_ent_name": "NONE",
        "ref_node": 0,
        "ref_dir": 0,
        "data": WAVE,
        "x": np.arange(20) * 0.25,
        "abscissa_spacing": 1,
        "abscissa_min": 0.0,
        "abscissa_inc": 0.25,
        "abscissa_spec_data_type": 17,
        "abscissa_axis_units_lab": "s",
        "ordinate_spec_data_type": 12,
        "ordinate_axis_units_lab": "m/s^2",
        "orddenom_spec_data_type": 0,
        "z_axis_spec_data_type": 0,
    }
    return pyuff.prepare_58(**(plain | fields))


def write(file: Path, *functions: dict[str, Any]) -> Path:
    """A file with functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pyuff leaves closing to the collector
        pyuff.UFF(str(file)).write_sets(list(functions), mode="add")
    return file


@pytest.mark.parametrize("binary", [0, 1])
def test_functions_on_one_axis_are_one_table(tmp_path: Path, binary: int) -> None:
    file = write(
        tmp_path / "run.uff",
        function(binary=binary),
        function(binary=binary, rsp_dir=-4, data=2 * WAVE),
    )
    (table,) = read(file, Options())
    assert list(table.columns) == ["12+Z", "12-RX"]
    # Text has 11 digits after the first.
    np.testing.assert_allclose(table.columns["12+Z"], WAVE, rtol=0 if binary else 0.5e-11)
    assert table.attributes == {
        "table": "time response",
        "function": "time response",
        "rate_hz": "4",
        "unit:12+Z": "m/s^2",
        "unit:12-RX": "m/s^2",
    }


def test_complex_functions_and_their_axis(tmp_path: Path) -> None:
    file = write(
        tmp_path / "run.uff",
        function(),
        function(
            func_type=4,
            ref_node=3,
            ref_dir=-1,
            data=WAVE + 2j * WAVE,
            abscissa_spec_data_type=18,
            abscissa_axis_units_lab="Hz",
            orddenom_axis_units_lab="N",
        ),
    )
    waves, response = read(file, Options())
    assert (waves.name, response.name) == ("time response", "frequency response")
    assert list(response.columns) == ["frequency", "12+Z / 3-X.re", "12+Z / 3-X.im"]
    np.testing.assert_allclose(response.columns["12+Z / 3-X.im"], 2 * WAVE, rtol=0.5e-11)
    np.testing.assert_array_equal(response.columns["frequency"], np.arange(20) * 0.25)
    assert response.attributes["unit:12+Z / 3-X.re"] == "(m/s^2)/(N)"
    assert "rate_hz" not in response.attributes


def test_single_precision_is_float32(tmp_path: Path) -> None:
    file = tmp_path / "run.uff"
    single = function(ord_data_type=2)
    pyuff.UFF(str(file)).write_sets([single], mode="overwrite", force_double=False)
    (table,) = read(file, Options())
    assert table.columns["12+Z"].dtype == np.float32
    # Text of single precision has 5 digits after the first.
    np.testing.assert_allclose(table.columns["12+Z"], WAVE, rtol=0.5e-5 + 2.0**-24)


def test_a_line_break_after_binary_points_is_no_damage(tmp_path: Path) -> None:
    file = write(tmp_path / "run.uff", function(binary=1))
    content = file.read_bytes()
    end = content.rindex(b"    -1")
    file.write_bytes(content[:end] + b"\r\n" + content[end:])
    (table,) = read(file, Options())
    np.testing.assert_array_equal(table.columns["12+Z"], WAVE)


@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("share", [0.1, 0.45, 0.9, 0.99])
def test_a_cut_file_is_refused(tmp_path: Path, binary: int, share: float) -> None:
    file = write(tmp_path / "run.uff", function(binary=binary), function(binary=binary))
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RecordingError, match=r"run\.uff"):
        list(read(file, Options()))


@pytest.mark.parametrize(
    ("points", "reason"), [("2000000000", "promises 2000000000 points"), ("21", "it has 20")]
)
def test_points_that_are_not_there(tmp_path: Path, points: str, reason: str) -> None:
    file = write(tmp_path / "run.uff", function())
    content = file.read_bytes().replace(b"        20", points.rjust(10).encode(), 1)
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=reason):
        list(read(file, Options()))


def test_a_payload_that_looks_like_a_mark_is_refused_not_misread(tmp_path: Path) -> None:
    data = WAVE.copy()
    data[5] = np.frombuffer(b"    -1\n\n", dtype=np.float64)[0]
    file = write(tmp_path / "run.uff", function(binary=1, data=data))
    with pytest.raises(RecordingError):
        list(read(file, Options()))


def test_geometry_alone_is_refused(tmp_path: Path) -> None:
    nodes = pyuff.prepare_15(
        node_nums=[1], def_cs=[0], disp_cs=[0], color=[0], x=[0.0], y=[0.0], z=[0.0]
    )
    with pytest.raises(RecordingError, match=r"no function \(set 58\), only the sets 15"):
        list(read(write(tmp_path / "run.uff", nodes), Options()))
