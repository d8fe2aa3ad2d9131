"""What each reader must find on their page, by name and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.language import message

if TYPE_CHECKING:
    from lumipipe.reporting.result import Reader

ITEMS: dict[Reader, dict[str, str]] = {
    "engineer": {
        "examples": message("A hit, a miss and a false alarm in the raw data"),
        "rates": message("False alarms and missed events"),
        "contributions": message("Which channel is behind an alarm"),
        "frequencies": message("Expected and found fault frequencies"),
        "regimes": message("Regimes, and where the model was not trained"),
        "limits": message("Limits, their edition and who checked them"),
        "handback": message("Tables to hand back"),
        "rerun": message("How to run it again"),
    },
    "coach": {
        "change": message("What changed by more than measurement noise"),
        "history": message("History of each person, on one scale"),
        "thresholds": message("Thresholds, with the day of their test"),
        "missing": message("Missing days and readings"),
        "sensors": message("Changes of sensor or firmware"),
        "load": message("Load, in plain words"),
        "who": message("Who may see this page"),
    },
    "metrologist": {
        "measurand": message("Measurand"),
        "equation": message("Model equation"),
        "budget": message("Uncertainty budget"),
        "coverage_factor": message("Coverage factor and coverage probability"),
        "achieved": message("Coverage that was achieved, by regime"),
        "correlations": message("Correlations"),
        "resolution": message("Resolution and rounding"),
        "traceability": message("Traceability to certificates"),
        "monte_carlo": message("Monte Carlo, and its agreement with linear propagation"),
    },
    "authority": {
        "installation": message("Installation and emission point"),
        "parameter": message("Parameter, reference conditions, limit value, averaging"),
        "envelope": message("Valid operating envelope, and the time outside it"),
        "validation": message("Validation of the sensors"),
        "parallel": message("Parallel measurements, with day, laboratory and method"),
        "statistics": message("Relative accuracy, bias and factor, F, r"),
        "capture": message("Data capture and substitute data"),
        "interval": message("95 % interval against the share of the limit that is allowed"),
        "drift": message("Drift since the last audit"),
        "changes": message("Changes of the model"),
        "retention": message("Raw data: how long they are kept, and whom to ask"),
    },
}
"""Names of items by reader, in the order of the page; the words are messages."""

LEADS: dict[Reader, str] = {
    "engineer": message(
        "What was seen in the raw data, how often it is wrong, and where it says nothing."
    ),
    "coach": message(
        "What was measured of each person, beside what measurement noise alone makes of it. It "
        "describes training and is no statement about health."
    ),
    "metrologist": message("What was measured, by which model, and how well it is known."),
    "authority": message("What was measured where, under which rule, and what does not count."),
}
"""The page of each reader in a sentence."""
