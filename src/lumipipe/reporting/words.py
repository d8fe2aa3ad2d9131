"""The fixed words of a report, in English; other languages have them in their catalogue.

Texts that come with a result are never translated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from lumipipe.language import known_language, speaking, unfilled

if TYPE_CHECKING:
    from lumipipe.language import Language

Words: TypeAlias = Mapping[str, str]

WORDS: Words = {
    "above": "interval lies above",
    "about": "What this answer is about",
    "about_unit": "In words",
    "achieved": "Achieved",
    "against_today": "Better than today?",
    "alarm": "alarm",
    "all_listed": "All {count} are listed further on.",
    "all_stages": "all stages",
    "all_units": "The whole list, {count} in all, worst first",
    "analysis": "Analysis",
    "approver": "Approved by",
    "backend": "Backend",
    "band": "band that was analysed",
    "baseline": "Done today",
    "baseline_not_compared": "It is not in this comparison, as no figure of it is stated."
    " Beside what is had without a model:",
    "because_missing": "no reason was given",
    "below": "interval lies below",
    "better": "Better",
    "billed": "Billed",
    "billed_time": "Time billed",
    "by_group": "by group",
    "by_group_alt": "Achieved coverage of {count} groups with intervals. Lowest: {worst}.",
    "by_group_caption": "Each row is one group. An open triangle: its interval lies wholly"
    " below, or wholly above, the dashed line of the nominal value.",
    "cases": "cases",
    "ceiling": "Ceiling of the request",
    "condition": "Asked for",
    "content_digest_short": "Content digest",
    "cost": "What it cost: quoted and billed",
    "cost_caption": "Billed is what the scheduler allocated to the jobs for as long as they"
    " ran, by the machine's formula; waiting in the queue costs nothing.",
    "cost_not_measured": "On {machine} the run was quoted at {quoted}. What it was billed was"
    " not measured: the scheduler's accounting gave no answer for every job.",
    "cost_not_quoted": "On {machine} the run was billed {billed}. It was not quoted before.",
    "cost_sentence": "On {machine} the run was quoted at {quoted} and billed {billed}.",
    "content_digest": "Content digest (request, plan and products), the name of its crate",
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
    "deviations": "What differs from the registered plan",
    "deviations_none": "Nothing differs from it.",
    "deviations_text": "What differs, as it was registered and as it was scored:",
    "deviations_warning": "Warning: this is not the plan that was registered before the test"
    " slice was scored.",
    "device": "Device",
    "digests": "Digests (SHA-256)",
    "duty_attribute": "Name the source of {what}.",
    "duty_data": "the data",
    "duty_delete": "Delete {what} once they are used.",
    "duty_inform": "Tell the owner of the use of {what}.",
    "duty_model": "the model",
    "duty_obtainConsent": "Ask the owner before {what} is given to others.",
    "duty_results": "the results",
    "empirical": "empirical",
    "energy": "Energy of the jobs: {energy} kWh.",
    "energy_quota": "Energy and quota",
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
    "more_listed": "and {count} more, listed further on",
    "met": "met",
    "metric": "Measure",
    "metrics": "Key figures",
    "missing": "n/a: not available.",
    "money": "In money",
    "no": "no",
    "no_cases": "no cases",
    "no_data": "no data",
    "no_energy": "Energy was not measured.",
    "no_quota": "No scheduler ran it, so no quota was used.",
    "nominal": "nominal",
    "not_answered": "Not answered",
    "not_approved": "nobody yet: the request names no approver",
    "not_decided": "not decided",
    "not_drawn_log": "values at or below zero, not drawn: {count}",
    "not_labelled": "lines without a label: {count}",
    "not_measured": "not measured",
    "not_met": "not met",
    "not_quoted": "not quoted",
    "not_supported": "Not supported",
    "not_told_apart": "Not told apart",
    "not_used_for": "Not to be used for",
    "nothing_billed": "nothing",
    "of_promised": "promised {nominal} %",
    "outcome": "Outcome",
    "owner": "Owner of the data",
    "page_authority": "For the authority",
    "page_coach": "For the coach",
    "page_engineer": "For the engineer",
    "page_metrologist": "For the metrologist",
    "page_open": "What is not told, and why",
    "page_rest": "Further results",
    "pages": "Pages of this report",
    "plan": "Registered plan",
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
    "terms": "Terms of use",
    "terms_decision": "Decision",
    "terms_duties": "To be done",
    "terms_permit": "Permitted",
    "terms_permit_duties": "Permitted, with what has to be done",
    "terms_rules": "By the rules",
    "terms_sources": "Sources",
    "terms_until": "Last day of use",
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
    "worse": "Worse",
    "would_change": "What would change the answer",
    "yes": "yes",
}

# Where a unit's verdict stands in a list with the worst first; other words stand between.
_WORST = ("fault", "alarm", "wrong", "incorrect", "missed", "false alarm", "above limit", "failed")
_BEST = ("no fault", "no alarm", "correct", "right", "normal", "below limit", "ok", "healthy")


def words_of(language: str) -> tuple[Language, Words]:
    """The language of the fixed words, and the words; English where there is no catalogue."""
    known = known_language(language)
    with speaking(known):
        return known, {name: unfilled(text) for name, text in WORDS.items()}


def severity(verdict: str) -> int:
    """0 for a bad verdict, 2 for a good one, 1 for any other word."""
    word = " ".join(verdict.lower().replace("_", " ").split())
    if word in _WORST:
        return 0
    return 2 if word in _BEST else 1
