"""The fixed words of a report, one table a language; a further language is a further table.

Texts that come with a result are never translated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Words: TypeAlias = Mapping[str, str]

TABLES: dict[str, dict[str, str]] = {
    "en": {
        "above": "interval lies above",
        "about": "What this answer is about",
        "about_unit": "In words",
        "achieved": "Achieved",
        "alarm": "alarm",
        "all_stages": "all stages",
        "all_units": "The whole list, {count} in all, worst first",
        "analysis": "Analysis",
        "backend": "Backend",
        "band": "band that was analysed",
        "baseline": "Done today",
        "because_missing": "no reason was given",
        "below": "interval lies below",
        "billed": "Billed",
        "billed_time": "Time billed",
        "by_group": "by group",
        "by_group_alt": "Achieved coverage of {count} groups with intervals. Lowest: {worst}.",
        "by_group_caption": "Each row is one group. An open triangle: its interval lies wholly"
        " below, or wholly above, the dashed line of the nominal value.",
        "cases": "cases",
        "ceiling": "Ceiling of the request",
        "condition": "Asked for",
        "cost": "What it cost: quoted and billed",
        "cost_caption": "Billed is what the scheduler allocated to the jobs for as long as they"
        " ran, by the machine's formula; waiting in the queue costs nothing.",
        "cost_not_measured": "On {machine} the run was quoted at {quoted}. What it was billed was"
        " not measured: the scheduler's accounting gave no answer for every job.",
        "cost_not_quoted": "On {machine} the run was billed {billed}. It was not quoted before.",
        "cost_sentence": "On {machine} the run was quoted at {quoted} and billed {billed}.",
        "count": "Count",
        "counts": "Counts",
        "coverage": "Coverage: promised and achieved",
        "coverage_above": "The interval of the achieved coverage lies above the nominal value: the"
        " intervals are wider than they need to be.",
        "coverage_below": "The interval of the achieved coverage lies below the nominal value: the"
        " intervals promise more than they hold.",
        "coverage_holds": "The interval of the achieved coverage contains the nominal value.",
        "coverage_unknown": "The achieved coverage has no interval, so it cannot be compared.",
        "decision": "To decide",
        "declared": "from the request",
        "device": "Device",
        "digests": "Digests (SHA-256)",
        "empirical": "empirical",
        "figure": "Figure",
        "first_units": "The first {shown} of {count}, worst first.",
        "group": "Group",
        "inconclusive": "Inconclusive",
        "interval": "Interval",
        "jobs": "Jobs",
        "leak": "Would be a leak",
        "leak_by_design": "by design",
        "leak_found": "found",
        "leak_none": "none found",
        "leak_not_tested": "not tested",
        "leak_warning": "Warning: what tests the model has taught it.",
        "leakage": "Whether anything that tests has taught",
        "left_out": "Left out",
        "left_out_none": "Nothing was left out.",
        "listed_units": "The list stops at {shown}; the rest is in result.json.",
        "median_width": "Median width",
        "met": "met",
        "metric": "Measure",
        "metrics": "Key figures",
        "missing": "n/a: not available.",
        "money": "In money",
        "no": "no",
        "no_cases": "no cases",
        "no_data": "no data",
        "nominal": "nominal",
        "not_answered": "Not answered",
        "not_decided": "not decided",
        "not_drawn_log": "values at or below zero, not drawn: {count}",
        "not_labelled": "lines without a label: {count}",
        "not_measured": "not measured",
        "not_met": "not met",
        "not_quoted": "not quoted",
        "not_supported": "Not supported",
        "not_used_for": "Not to be used for",
        "nothing_billed": "nothing",
        "of_promised": "promised {nominal} %",
        "outcome": "Outcome",
        "owner": "Owner of the data",
        "predicted": "predicted class",
        "printed_units": "The printed page shows the first {shown}; the whole list is in the"
        " electronic report and in result.json.",
        "question": "Question",
        "quoted": "Quoted",
        "quoted_time": "Time quoted",
        "ranks": "Ranks",
        "ratio": "Billed to quoted",
        "reason": "Reason",
        "request": "Request",
        "rows_drawn": "the first {shown} of {count} rows",
        "rules": "Rules that were applied",
        "run": "Run record",
        "seconds": "{seconds} s",
        "share": "share of the true class (empty cell: no case)",
        "split": "How it was tested",
        "split_warning": "Warning: random split.",
        "split_warning_text": "Training and test data were mixed at random, which can make results"
        " look better than they will be on new machines, people or days. Reason given:",
        "stage": "Stage",
        "stages": "Stages",
        "started": "Started",
        "storage_kept": "Storage, kept {days} days",
        "supported": "Supported",
        "table": "Table",
        "theoretical": "theoretical",
        "to": "to",
        "took": "Took",
        "true": "true class",
        "unit": "Unit",
        "unit_of_decision": "One answer is about",
        "units": "Answer for each unit",
        "value": "Value",
        "verdict": "Verdict",
        "versions": "Versions",
        "width": "Mean width",
        "would_change": "What would change the answer",
        "yes": "yes",
    },
}

# Where a unit's verdict stands in a list with the worst first; other words stand between.
_WORST = ("fault", "alarm", "wrong", "incorrect", "missed", "false alarm", "above limit", "failed")
_BEST = ("no fault", "no alarm", "correct", "right", "normal", "below limit", "ok", "healthy")


def words_of(language: str) -> tuple[str, Words]:
    """The language of the fixed words, and the words; English where there is no table."""
    known = language if language in TABLES else "en"
    return known, {**TABLES["en"], **TABLES[known]}


def severity(verdict: str) -> int:
    """0 for a bad verdict, 2 for a good one, 1 for any other word."""
    word = " ".join(verdict.lower().replace("_", " ").split())
    if word in _WORST:
        return 0
    return 2 if word in _BEST else 1
