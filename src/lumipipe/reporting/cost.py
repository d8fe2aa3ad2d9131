"""What a run was quoted and what the scheduler's accounting says that it took.

What was not measured is null and printed as such, never as zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from lumipipe.language import translated
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Part, Sentence, Text

if TYPE_CHECKING:
    from lumipipe.reporting.words import Words

_JOULES_IN_KWH = 3.6e6
_UNBROKEN = "\u2011"  # a hyphen at which no line ends: core-h is one word
Amount = Annotated[float, Field(ge=0)]
Units = dict[Text, Amount]
"""Name of a unit, such as core-h, to how many."""


class StageCost(Part):
    """One stage: quoted and billed."""

    name: Sentence
    """Name of the stage."""
    quoted_seconds: Amount | None = None
    """What was expected; null where nothing was quoted."""
    billed_seconds: Amount | None = None
    """What the scheduler counted, in all jobs of the stage; null where it was not measured."""
    quoted: Units | None = None
    """Units expected; null where nothing was quoted."""
    billed: Units | None = None
    """Units by the machine's formula for what was allocated; null where it was not measured."""
    joules: Amount | None = None
    """Energy of the nodes by the scheduler's accounting, J; null where it was not measured."""
    jobs: Annotated[int, Field(ge=0)] = 0
    """How many jobs the scheduler ran for it."""

    @property
    def ratio(self) -> float | None:
        """Billed to quoted seconds."""
        if not self.quoted_seconds or self.billed_seconds is None:
            return None
        return self.billed_seconds / self.quoted_seconds


class Cost(Part):
    """What a run cost on a machine with a scheduler."""

    machine: Sentence
    """The machine, for people."""
    stages: list[StageCost]
    """Stages that ran as jobs."""
    ceiling: Units = {}
    """Unit to what the request allowed."""
    storage: Units = {}
    """What keeping the data is quoted to cost; the scheduler does not measure it."""
    kept_days: Amount | None = None
    """How long the data are kept, for `storage`."""
    notes: list[Sentence] = []
    """What a reader must know beside the numbers."""

    def total(self) -> StageCost:
        """All stages together: not measured where one of them was not."""
        parts = self.stages
        return StageCost(
            name="all",
            quoted_seconds=_sum([part.quoted_seconds for part in parts]),
            billed_seconds=_sum([part.billed_seconds for part in parts]),
            quoted=_units([part.quoted for part in parts]),
            billed=_units([part.billed for part in parts]),
            joules=_sum([part.joules for part in parts]),
            jobs=sum(part.jobs for part in parts),
        )


def _sum(values: list[float | None]) -> float | None:
    """The sum, unless something is missing."""
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None


def _units(several: list[Units | None]) -> Units | None:
    """The sums by unit, unless something is missing."""
    known = [units for units in several if units is not None]
    if not several or len(known) < len(several):
        return None
    names = dict.fromkeys(name for units in known for name in units)
    return {name: sum(units.get(name, 0.0) for units in known) for name in names}


def cost_view(cost: Cost | None, words: Words) -> dict[str, object] | None:
    """What the page prints of a cost."""
    if cost is None:
        return None
    total = cost.total()
    return {
        "sentence": _sentence(cost, total, words),
        "rows": [_row(stage, words) for stage in cost.stages],
        "total": _row(total.model_copy(update={"name": words["all_stages"]}), words),
        "ceiling": _in_words(cost.ceiling, words) if cost.ceiling else "",
        "storage": _in_words(cost.storage, words) if cost.storage else "",
        "kept": rounded(cost.kept_days) if cost.kept_days is not None else "",
        "notes": cost.notes,
    }


def energy_in_words(cost: Cost | None, words: Words) -> str:
    """The energy of all jobs, or that it was not measured."""
    joules = None if cost is None else cost.total().joules
    if joules is None:
        return words["no_energy"]
    return words["energy"].format(energy=rounded(joules / _JOULES_IN_KWH))


def _sentence(cost: Cost, total: StageCost, words: Words) -> str:
    """Quote and bill of the whole run in one sentence."""
    quoted, billed = _in_words(total.quoted, words), _in_words(total.billed, words)
    if total.billed is None:
        return words["cost_not_measured"].format(machine=cost.machine, quoted=quoted)
    if total.quoted is None:
        return words["cost_not_quoted"].format(machine=cost.machine, billed=billed)
    return words["cost_sentence"].format(machine=cost.machine, quoted=quoted, billed=billed)


def _row(stage: StageCost, words: Words) -> dict[str, str]:
    """The cells of one stage."""
    ratio = stage.ratio
    return {
        "name": translated(stage.name),
        "quoted_seconds": _seconds(stage.quoted_seconds, words["not_quoted"], words),
        "billed_seconds": _seconds(stage.billed_seconds, words["not_measured"], words),
        "ratio": "–" if ratio is None else f"{rounded(100 * ratio)} %",
        "quoted": words["not_quoted"] if stage.quoted is None else _in_words(stage.quoted, words),
        "billed": words["not_measured"] if stage.billed is None else _in_words(stage.billed, words),
        "jobs": str(stage.jobs),
    }


def _seconds(value: float | None, missing: str, words: Words) -> str:
    return missing if value is None else words["seconds"].format(seconds=rounded(value))


def _in_words(units: Units | None, words: Words) -> str:
    """Units, such as 1.5 GPU-h + 3 core-h."""
    if units is None:
        return words["not_quoted"]
    told = [
        f"{rounded(value)} {translated(name).replace('-', _UNBROKEN)}"
        for name, value in units.items()
    ]
    return " + ".join(told) or words["nothing_billed"]
