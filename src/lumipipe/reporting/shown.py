"""A result as a report shows it: names of programs in the language of the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lumipipe.language import MANY, localised, spoken, term, translated

if TYPE_CHECKING:
    from lumipipe.reporting.result import Metric, Result, Run, Unit

_NUMBER = re.compile(r"\d+\.\d+")
_IN_EXTENT = ("persons", "recordings")
_PRODUCT = "product of "
_NAMES = (
    *(term("prepare"), term("train"), term("score"), term("report")),
    *(term("product of {stage}"), term("host")),
    *(term("pseudonymous"), term("personal")),
    *(term("none"), term("time"), term("group"), term("random"), term("source")),
)
"""Stages, what they publish, the device, kinds of personal data and of split: names elsewhere."""


def shown_result(result: Result) -> Result:
    """`result` with the words that programs know it by replaced by those that people read.

    Parameters
    ----------
    result : Result
        Verdicts, names of values and of counts in English, whatever its language.

    Returns
    -------
    Result
        The same numbers, without counts that are told twice.
    """
    result = result.model_copy(update={"counts": _not_in_extent(result)})
    if spoken() == "en":
        return result
    return result.model_copy(
        update={
            "metrics": [_metric(metric) for metric in result.metrics],
            "units": [_unit(unit) for unit in result.units],
            "split": result.split.model_copy(update={"kind": translated(result.split.kind)}),
            "counts": {translated(name, MANY): count for name, count in result.counts.items()},
            "run": _run(result.run),
        }
    )


def _not_in_extent(result: Result) -> dict[str, int]:
    """Counts without those of persons and recordings, which the extent of the data has said."""
    said = set(re.findall(r"\d+", result.extent or ""))
    return {
        name: count
        for name, count in result.counts.items()
        if name not in _IN_EXTENT or str(count) not in said
    }


def shown_condition(condition: str) -> str:
    """A condition such as ``>= 0.8`` with its sign, and its number as the language writes it."""
    told = condition.replace("<=", "≤").replace(">=", "≥")
    return _NUMBER.sub(lambda found: localised(found[0]), told)


def _metric(metric: Metric) -> Metric:
    """A metric with what was counted in words."""
    return metric.model_copy(update={"of": metric.of and translated(metric.of, MANY)})


def _unit(unit: Unit) -> Unit:
    """A unit with its verdict, and the names of its values, in words."""
    return unit.model_copy(
        update={
            "id": translated(unit.id) if unit.is_total else unit.id,
            "verdict": translated(unit.verdict),
            "values": {
                name if name in unit.users_names else translated(name): value
                for name, value in unit.values.items()
            },
        }
    )


def _run(run: Run) -> Run:
    """The record of the run with stages, and what was digested, in words."""
    digests = {
        (translated(name) if name.startswith(_PRODUCT) else name): digest
        for name, digest in run.digests.items()
    }
    device = run.device and translated(run.device)
    stages = [stage.model_copy(update={"name": translated(stage.name)}) for stage in run.stages]
    return run.model_copy(update={"digests": digests, "stages": stages, "device": device})
