"""The audit calculator: rates on the EPA's records, and each status on made audits."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from lumipipe.readers.audits import read_audits
from lumipipe.readers.delimited import Options
from lumipipe.tasks.rata import Asked, rata
from lumipipe.tasks.rata_checks import STATUSES, TOLERANCES, Check, checks_of
from lumipipe.tasks.rata_inputs import inputs_of

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "MEAN_DIFF,STND_DEV_DIFF,T_VALUE,MEAN_RATA_REF_VALUE,MEAN_CEM_VALUE,CONFIDENCE_COEF,"
    "RELATIVE_ACCURACY,BIAS_ADJ_FACTOR,SYS_TYPE_CD"
)
GOOD = "0.867,0.1,2.306,67.467,66.6,0.077,1.4,1.013,NOXC"


def checks(file: Path, **columns: str) -> dict[str, Check]:
    return checks_of(inputs_of(read_audits(file, columns, Options())), TOLERANCES)


def one(folder: Path, row: str) -> dict[str, tuple[str, str]]:
    """Status and reason of each figure of one audit."""
    file = folder / "audits.csv"
    file.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")
    return {name: (str(x.status[0]), str(x.reason[0])) for name, x in checks(file).items()}


def share(check: Check, within: float) -> float:
    """Share of all audits whose filed figure is so near, in percent to one decimal."""
    return round(100 * float(np.mean(check.distance() <= within * (1 + 1e-9))), 1)


@pytest.mark.real
def test_nox_audits_at_the_rates_of_r06(real_data: Path) -> None:
    found = checks(real_data / "epa-rata" / "NOXRATA.csv")
    accuracy, factor = found["relative_accuracy"], found["bias_factor"]
    assert len(accuracy.filed) == 587
    assert (share(accuracy, 0.01), share(accuracy, 0.05)) == (97.3, 99.0)
    assert share(factor, 0.001) == 97.6
    # The filed inputs have three decimals or fewer; none of these 16 contradicts them.
    assert Counter(accuracy.status) == {"agrees": 571, "resolution-limited": 16}
    # 1.111 stands where the formula gives more: a default that the formula does not know.
    odd = factor.status == "mismatch"
    assert odd.sum() == 12
    assert set(factor.filed[odd]) == {1.111}
    assert (factor.computed[odd] > 1.111).all()


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "rows", "coefficient", "accuracy", "mismatches"),
    [("CO2RATA.csv", 10921, 97.5, 98.0, 9), ("O2RATA.csv", 396, 100.0, 99.5, 1)],
)
def test_co2_and_o2_audits_at_the_rates_of_the_data_description(
    real_data: Path, name: str, rows: int, coefficient: float, accuracy: float, mismatches: int
) -> None:
    found = checks(real_data / "epa-rata" / name)
    assert len(found["bias_factor"].filed) == rows
    assert share(found["confidence_coefficient"], 0.0021) == coefficient
    assert share(found["relative_accuracy"], 0.2) == accuracy
    assert (found["relative_accuracy"].status == "mismatch").sum() == mismatches
    assert set(found["bias_factor"].reason) == {"no factor is applied to monitors of CO2 and O2"}
    # Why none is: all that were filed are 1, though many monitors read low.
    filed = found["bias_factor"].filed
    assert (filed[~np.isnan(filed)] == 1).all()


@pytest.mark.real
def test_a_filed_error_of_a_decimal_place_is_a_mismatch(real_data: Path) -> None:
    """Line 7811 files 0.77 where t s / 3 is 0.0769, and a relative accuracy made with 0.0769."""
    found = checks(real_data / "epa-rata" / "CO2RATA.csv")
    for check in (found["confidence_coefficient"], found["relative_accuracy"]):
        assert check.status[7811 - 2] == "mismatch"


def test_an_audit_that_agrees(tmp_path: Path) -> None:
    assert set(one(tmp_path, GOOD).values()) == {("agrees", "")}


@pytest.mark.parametrize(
    ("change", "figure", "status", "reason"),
    [
        # Three decimals of a mean of 0.023: the filed 5.37 % is not to be told from 8.70 %.
        (
            ("0.867,0.1,2.306,67.467,66.6,0.077,1.4", "0.001,0.0,2.306,0.023,0.022,0.001,5.37"),
            "relative_accuracy",
            "resolution-limited",
            "",
        ),
        (("1.4,1.013", "14,1.013"), "relative_accuracy", "mismatch", ""),
        (("0.077", "0.09"), "confidence_coefficient", "resolution-limited", ""),
        (("0.077", "0.77"), "confidence_coefficient", "mismatch", ""),
        (("1.013,NOXC", "1.111,NOXC"), "bias_factor", "mismatch", ""),
        (("1.013,NOXC", "1,CO2"), "bias_factor", "not computable", "CO2"),
        (("1.013,NOXC", ",NOXC"), "bias_factor", "not filed", ""),
        (("67.467", "0"), "relative_accuracy", "not computable", "not above 0"),
        (("67.467", ""), "relative_accuracy", "not computable", "no mean of the reference"),
        (("66.6", ""), "bias_factor", "not computable", "no mean of the monitor"),
        (("2.306", "2.31"), "confidence_coefficient", "agrees", ""),
        (("2.306", "2.400"), "confidence_coefficient", "not computable", "no number of runs has"),
        (("2.306", "2.1"), "confidence_coefficient", "not computable", "several numbers of runs"),
        (("2.306", ""), "confidence_coefficient", "not computable", "no number of runs"),
        (("0.1,2.306", "-0.1,2.306"), "confidence_coefficient", "not computable", "below 0"),
        (("0.1,2.306", ",2.306"), "confidence_coefficient", "not computable", "no standard"),
        # Without the difference it is reference less monitor, without the coefficient t s / √n.
        (("0.867", ""), "relative_accuracy", "agrees", ""),
        (("0.077", ""), "relative_accuracy", "agrees", ""),
        (("0.867,0.1", ",0.1"), "bias_factor", "agrees", ""),
    ],
)
def test_each_status_has_its_cause(
    tmp_path: Path, change: tuple[str, str], figure: str, status: str, reason: str
) -> None:
    row = GOOD.replace(*change, 1)
    assert row != GOOD
    found = one(tmp_path, row)[figure]
    assert found[0] == status
    assert reason in found[1]


def test_audits_from_their_runs_equal_scipy(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    reference = np.round(rng.uniform(40, 60, (3, 9)), 2)
    monitor = np.round(reference * 0.96 + rng.normal(0, 0.5, (3, 9)), 2)
    d = reference - monitor
    cc = stats.t.ppf(0.975, 8) * d.std(axis=1, ddof=1) / 3
    accuracy = 100 * (np.abs(d.mean(axis=1)) + cc) / reference.mean(axis=1)
    lines = ["id,rm,cem,ra"]
    for run in range(9):  # the runs of the audits lie between each other
        lines += [
            f"a{at},{reference[at, run]},{monitor[at, run]},{accuracy[at]:.2f}" for at in range(3)
        ]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join([*lines, "a0,50,,"]), encoding="utf-8")
    columns = {"audit": "id", "reference": "rm", "monitor": "cem", "relative_accuracy": "ra"}
    inputs = inputs_of(read_audits(file, columns, Options()))
    assert (inputs.lines.tolist(), inputs.left_out) == ([2, 3, 4], 1)
    assert inputs.runs.tolist() == [9, 9, 9]
    ratio = monitor.var(axis=1) / reference.var(axis=1)
    np.testing.assert_allclose(inputs.spreads["variance_ratio"], ratio, rtol=1e-9)
    found = checks_of(inputs, TOLERANCES)
    np.testing.assert_allclose(found["confidence_coefficient"].computed, cc, rtol=1e-9)
    np.testing.assert_allclose(found["relative_accuracy"].computed, accuracy, rtol=1e-9)
    assert set(found["relative_accuracy"].status) == {"agrees"}
    assert set(found["bias_factor"].status) == {"not filed"}


def test_the_range_of_runs_holds_what_finer_runs_give(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    columns = {"audit": "a", "reference": "x", "monitor": "y"}
    for _ in range(20):
        x = rng.uniform(4, 6, 9)
        y = x + rng.normal(0, 0.1, 9)
        found = []
        for decimals in (9, 1):
            lines = [f"1,{a:.{decimals}f},{b:.{decimals}f}" for a, b in zip(x, y, strict=True)]
            file = tmp_path / "runs.csv"
            file.write_text("\n".join(["a,x,y", *lines]), encoding="utf-8")
            found.append(checks(file, **columns))
        for name, fine in found[0].items():
            coarse = found[1][name]
            assert coarse.lower[0] <= fine.computed[0] <= coarse.upper[0]
            assert fine.upper[0] - fine.lower[0] < 1e-4


def test_the_files_say_what_was_found(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    text = f"{HEAD},FACILITY_NAME\n{GOOD},=cmd|' /C calc'!A0\n{GOOD.replace('1.4', '9.9')},-2+3\n"
    file.write_text(text, encoding="utf-8")
    told: list[str] = []
    assert rata(Asked(file, out=tmp_path / "out" / "deep"), told.append) == 0
    assert "  line 3: filed 9.9, computed 1.3992, rounding allows 1.39771 to 1.4007" in told
    summary = json.loads((tmp_path / "out/deep/audits.json").read_text())
    assert summary["audits"] == 2
    accuracy = summary["figures"]["relative_accuracy"]
    assert accuracy["counts"] == dict.fromkeys(STATUSES, 0) | {"agrees": 1, "mismatch": 1}
    assert accuracy["mismatch_lines"] == [3]
    assert accuracy["within"] == {"0.01": 0.5, "0.05": 0.5, "0.2": 0.5}
    table = pq.read_table(tmp_path / "out/deep/audits.parquet").to_pydict()
    assert table["plant"] == ["=cmd|' /C calc'!A0", "-2+3"]
    lines = (tmp_path / "out/deep/audits.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("2,'=cmd|' /C calc'!A0,NOXC,9,0.867,")
    assert lines[2].startswith("3,'-2+3,")


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEAD}\n{GOOD}\n", encoding="utf-8")
    for out in ("one", "two"):
        rata(Asked(file, out=tmp_path / out), lambda _: None)
    for name in ("audits.csv", "audits.parquet", "audits.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
