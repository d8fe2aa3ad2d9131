"""A rich result of synthetic numbers, for tests and for looking at a report.

Write the report with ``python tests/reporting/example.py report.html``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from lumipipe.reporting.html import render
from lumipipe.reporting.result import Result

COMMON = {"title": "A title", "caption": "What to see.", "alt": "The figure in words."}


def _spectrum(rng: np.random.Generator) -> dict[str, Any]:
    x = np.arange(4000) * 0.125
    y = 0.004 * rng.rayleigh(size=x.size) + 0.02 * np.exp(-x / 120)
    lines = []
    for order in range(1, 5):
        peak = 107.36 * order
        y += 0.35 / order * np.exp(-(((x - peak * 1.001) / 0.2) ** 2))
        lines.append(
            {"x": peak, "label": f"BPFO {order}×", "group": "outer race", "tolerance": 2.1}
        )
    lines += [
        {"x": 29.95 * k, "label": f"{k}× shaft", "group": "shaft", "tolerance": 0.3}
        for k in (1, 2, 3)
    ]
    lines += [
        {"x": 162.19 * k, "label": f"BPFI {k}×", "group": "inner race", "tolerance": 3.2}
        for k in (1, 2, 3)
    ]
    lines += [
        {"x": 162.19 + s * 29.95, "label": f"BPFI {s:+d} shaft", "group": "inner race"}
        for s in (-1, 1)
    ]
    return {
        "kind": "spectrum",
        "title": "Envelope spectrum of synthetic bearing 07",
        "caption": "The peaks at 107.5 Hz and its multiples lie inside the bands of the outer race;"
        " the bands of the inner race hold no peak.",
        "alt": "Spectrum from 0 to 500 Hz with peaks at 107.5, 214.9, 322.4 and 429.9 Hz.",
        "x": x.tolist(),
        "y": y.tolist(),
        "x_label": "Frequency (Hz)",
        "y_label": "Envelope amplitude (m/s²)",
        "lines": lines,
        "band": [20.0, 480.0],
    }


def _chart(rng: np.random.Generator) -> dict[str, Any]:
    n = 9000
    t2 = rng.chisquare(5, n)
    spe = rng.gamma(2.0, 0.7, n)
    t2[7200:] *= np.linspace(1, 12, n - 7200)
    spe[7200:] *= 2.0
    spe[4000:4600] = np.nan
    limits = [
        {"value": 15.1, "label": "99 % limit", "style": "theoretical"},
        {"value": 17.0, "label": "99 % limit", "style": "empirical"},
    ]
    return {
        "kind": "chart",
        "title": "T² and SPE over the synthetic campaign",
        "caption": "Both statistics stay below their limits until day 300 and leave them within"
        " ten days after the fault begins. The gap in SPE is a stop of the instrument.",
        "alt": "Two stacked charts over 375 days; both rise above their limits after day 300.",
        "x": (np.arange(n) / 24).tolist(),
        "x_label": "Time since the start (d)",
        "spans": [
            {"start": 0, "stop": 100, "label": "training"},
            {"start": 100, "stop": 130, "label": "calibration"},
            {"start": 300, "stop": 375, "label": "known fault"},
        ],
        "panels": [
            {
                "y": t2.tolist(),
                "y_label": "T² (1)",
                "log_y": True,
                "limits": limits,
                "alarms": np.flatnonzero(t2 > 17).tolist(),
            },
            {
                "y": [None if np.isnan(v) else float(v) for v in spe],
                "y_label": "SPE (1)",
                "limits": [{"value": 5.9, "label": "99 % limit", "style": "empirical"}],
                "alarms": np.flatnonzero(spe > 5.9).tolist(),
            },
        ],
    }


def _confusion(rng: np.random.Generator) -> dict[str, Any]:
    labels = ["sitting", "standing", "walking", "jogging", "stairs up", "stairs down"]
    panels = []
    for person in range(5):
        counts = rng.poisson(3, (6, 6)) + np.diag(rng.poisson(120, 6))
        panels.append({"title": f"synthetic person {person + 1}", "counts": counts.tolist()})
    panels[4]["counts"][2] = [0] * 6
    return {
        "kind": "confusion",
        "title": "Activities, by person",
        "caption": "Rows are what was done, columns what was recognised.",
        "alt": "Five matrices; most cases lie on the diagonal. Person 5 never walked.",
        "labels": labels,
        "panels": panels,
    }


def _budget() -> dict[str, Any]:
    return {
        "kind": "table",
        "title": "Budget of the synthetic acceleration channel",
        "caption": "Standard uncertainties; the shared part does not average out over readings.",
        "alt": "Three sources of uncertainty and their contributions.",
        "columns": [
            {"label": "Source"},
            {"label": "Type"},
            {"label": "Distribution"},
            {"label": "Standard uncertainty", "unit": "m/s²"},
            {"label": "Sensitivity"},
            {"label": "Contribution", "unit": "m/s²"},
            {"label": "Shared"},
            {"label": "Certificate"},
        ],
        "rows": [
            ["sensitivity", "B", "normal", 0.0123456, 1.0, 0.0123456, True, "made-up-0417"],
            ["resolution", "B", "rectangular", 0.000866, 1.0, 0.000866, False, None],
            ["repeatability", "A", "t, 9 degrees of freedom", 0.0051, 1.0, 0.0051, False, None],
        ],
    }


def example() -> dict[str, Any]:
    """The result as a family would write it, before validation."""
    rng = np.random.default_rng(20260101)
    verdicts = ["no fault", "fault", "inconclusive", "no fault", "no fault"]
    severities = {"no fault": "good", "fault": "bad"}
    units = [
        {
            "id": f"bearing-{i:02d}",
            "verdict": verdicts[i % 5],
            "severity": severities.get(verdicts[i % 5], "neither"),
            "sentence": f"Synthetic sentence about bearing {i:02d}, as a family would write it.",
            "values": {
                "Found (Hz)": 107.4 + 0.01 * i if i % 5 == 1 else None,
                "Expected (Hz)": 107.36,
                "Score (1)": {
                    "value": 0.1234567 * i,
                    "lower": 0.1 * i - 0.5,
                    "upper": 0.2 * i + 1,
                },
                "Windows": 240 + i,
                "Load": "0 kW" if i % 2 else "<script>alert(1)</script>",
            },
        }
        for i in range(30)
    ]
    return {
        "lumipipe_result": 1,
        "request": {
            "id": "synthetic-001",
            "title": "Which synthetic bearings need to be opened?",
            "family": "bearing",
            "decision": "Open the bearing now, or wait until the summer stop?",
            "unit_of_decision": "one bearing, one recording",
            "not_to_be_used_for": ["safety shutdown", "evaluation of personnel"],
            "language": "en",
            "owner": "Invented Paper Oy (synthetic)",
            "baseline": "a fixed alarm at 7.1 mm/s",
        },
        "answer": "6 of 30 bearings show an outer race fault; of known faults the analysis finds"
        " 90 % (95 % interval 83 % to 95 %).",
        "verdict": "supported",
        "would_change": "Recordings at other speeds than 1797 to 1730 1/min, or a bearing type"
        " whose geometry is not the one in the request.",
        "metrics": [
            {
                "name": "recall",
                "label": "Faults found (share)",
                "value": 0.8998877,
                "lower": 0.8312,
                "upper": 0.9498,
                "confidence": 0.95,
                "count": 120,
                "of": "recordings with a fault",
                "condition": ">= 0.8",
                "met": True,
            },
            {
                "name": "false_alarms",
                "label": "False alarms (1/month)",
                "value": 1.004,
                "lower": 0.6,
                "upper": 1.6,
                "confidence": 0.95,
                "count": 18,
                "of": "months",
                "condition": "<= 1",
                "met": False,
                "note": "Counted after grouping alarms less than one hour apart.",
            },
            {
                "name": "delay",
                "label": "Delay (d)",
                "value": None,
                "condition": "<= 10",
                "note": "The data hold no onset.",
            },
            {"name": "auc", "label": "Area under the curve", "value": 0.98765432},
        ],
        "units": units,
        "coverage": {
            "nominal": 0.9,
            "achieved": 0.8812,
            "lower": 0.861,
            "upper": 0.899,
            "count": 1012,
            "groups": [
                {
                    "name": f"load {load} kW",
                    "achieved": achieved,
                    "lower": achieved - 0.04,
                    "upper": min(achieved + 0.035, 1),
                    "count": 253,
                    "width": 0.31 + 0.0123 * load,
                }
                for load, achieved in enumerate((0.92, 0.89, 0.90, 0.81))
            ],
        },
        "split": {
            "kind": "random",
            "sentence": "Half of the recordings taught the model, the other half tested it.",
            "because": "the request accepts it to compare with an older study.",
        },
        "counts": {"bearings": 30, "recordings": 1240, "windows": 297600},
        "left_out": [
            {"what": "recording 97 (synthetic)", "reason": "the speed channel is empty"},
            {"what": "12 windows", "reason": "they cross a gap of the recording"},
        ],
        "not_answered": [
            {
                "question": "Do the rolling elements have a fault?",
                "reason": "In these signals the expected lines are not above the noise.",
            }
        ],
        "money": {
            "sentence": "With the two costs given, acting pays from a probability of 0.07 on."
        },
        "sections": [
            {
                "title": "Spectra",
                "paragraphs": ["All numbers of this report are synthetic & mean nothing."],
                "figures": [_spectrum(rng)],
            },
            {
                "title": "Over time",
                "figures": [
                    _chart(rng),
                    {
                        "kind": "bars",
                        "title": "Contributions on day 310",
                        "caption": "The feed temperature contributes most, and its own z-score"
                        " confirms it.",
                        "alt": "Bars of ten variables; the feed temperature is longest.",
                        "labels": [f"synthetic variable {i}" for i in range(9)] + ["feed temp."],
                        "values": [0.4, -0.2, 0.1, None, 0.9, 1.2, 0.2, -0.8, 0.3, 6.5],
                        "second": [0.5, -0.1, 0.2, 0.1, 1.4, 0.8, 0.1, -1.1, 0.2, 4.4],
                        "x_label": "Contribution to T² (1)",
                        "second_label": "z-score of the variable (1)",
                    },
                ],
            },
            {"title": "Classes", "figures": [_confusion(rng)]},
            {"title": "Measurement", "figures": [_budget()]},
        ],
        "run": {
            "backend": "numpy",
            "device": "CPU (synthetic)",
            "ranks": 4,
            "versions": {"lumipipe": "0.1.0", "numpy": "2.3.5", "zarr": "3.1.6"},
            "digests": {"model": "0123456789abcdef" * 4, "data": "fedcba9876543210" * 4},
            "started": "2026-01-01T00:00:00Z",
            "seconds": 93.456,
            "stages": [
                {"name": "prepare", "seconds": 40.2},
                {"name": "train", "seconds": 31.0, "ranks": 2},
                {"name": "score", "seconds": 20.1},
                {"name": "report", "seconds": 2.1},
            ],
            "cost": cost(),
        },
    }


def cost() -> dict[str, Any]:
    """Quote and bill of three stages; the last one was not measured."""
    return {
        "machine": "A machine",
        "stages": [
            {
                "name": "prepare",
                "quoted_seconds": 520.4,
                "billed_seconds": 498.0,
                "quoted": {"core-h": 18.5},
                "billed": {"core-h": 17.7},
                "jobs": 1,
            },
            {
                "name": "train",
                "quoted_seconds": 1310.0,
                "billed_seconds": 1502.0,
                "quoted": {"GPU-h": 1.456},
                "billed": {"GPU-h": 1.669},
                "jobs": 2,
            },
            {
                "name": "score",
                "quoted_seconds": 240.0,
                "quoted": {"GPU-h": 0.267},
                "jobs": 1,
            },
        ],
        "ceiling": {"GPU-h": 10, "core-h": 100},
        "storage": {"TB-h": 36.2},
        "kept_days": 30,
        "notes": ["More than one job was needed (train 2); all were billed."],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(Result.model_validate(example())), encoding="utf-8")
