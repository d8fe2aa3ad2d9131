from __future__ import annotations

from lumipipe.reporting.cost import Cost
from lumipipe.reporting.html import render
from lumipipe.reporting.result import Result
from reporting.example import cost, example
from reporting.test_html import Page

H = "\u2011h"  # a hyphen at which no line ends


def text(run_cost):
    """The words of the page of a run with this cost."""
    content = example() | {"sections": []}
    content["run"] = {**content["run"], "cost": run_cost}
    return " ".join(" ".join(Page(render(Result.model_validate(content))).text).split())


def test_a_run_without_a_cost_says_nothing_of_it():
    assert "What it cost" not in text(None)


def test_one_stage_without_accounting_leaves_the_whole_bill_open():
    page = text(cost())
    assert f"was quoted at 18.5 core{H} + 1.72 GPU{H}" in page
    assert f"score 240 s not measured – 0.267 GPU{H} not measured 1" in page
    assert f"all stages 2070 s not measured – 18.5 core{H} + 1.72 GPU{H} not measured 4" in page
    assert "train 1310 s 1502 s 115 %" in page
    assert Cost.model_validate(cost()).total().billed is None


def test_a_run_that_was_accounted_for_has_sums():
    run = cost()
    run["stages"][2] |= {"billed_seconds": 60.0, "billed": {"GPU-h": 0.1}}
    page = text(run)
    assert f"quoted at 18.5 core{H} + 1.72 GPU{H} and billed 17.7 core{H} + 1.77 GPU{H}" in page
    assert "all stages 2070 s 2060 s 99.5 %" in page
    assert f"Ceiling of the request 10 GPU{H} + 100 core{H}" in page
    assert f"Storage, kept 30 days 36.2 TB{H} (quoted)" in page
    assert "not measured" not in page.replace("Energy was not measured.", "")


def test_what_was_not_quoted_is_told():
    run = cost()
    for stage in run["stages"]:
        stage |= {"quoted_seconds": None, "quoted": None}
        stage |= {"billed_seconds": 60.0, "billed": {"GPU-h": 0.5}}
    page = text(run)
    assert f"billed 1.5 GPU{H}. It was not quoted before." in page
    assert f"prepare not quoted 60 s – not quoted 0.5 GPU{H}" in page


def test_energy_is_told_or_said_to_be_unknown():
    assert "No scheduler ran it, so no quota was used. Energy was not measured." in text(None)
    run = cost()
    for stage in run["stages"]:
        stage["joules"] = 1.8e6
    kwh = 0.5 * len(run["stages"])
    assert f"Energy of the jobs: {kwh:g} kWh." in text(run).replace(".00 kWh", " kWh")
    del run["stages"][0]["joules"]  # one job without it: no sum
    assert "Energy was not measured." in text(run)
