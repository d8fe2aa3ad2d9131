"""All that the answer of the family `technique` rests on, and what it cannot carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.technique_cycles import Exported
from lumipipe.language import say
from lumipipe.uncertainty.proportions import clopper_pearson

if TYPE_CHECKING:
    from lumipipe.families.classifier_scores import ClassifierScores
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.technique_classifier import TechniqueClassifier
    from lumipipe.families.technique_cycles import CycleWindows
    from lumipipe.families.technique_labels import Copied
    from lumipipe.families.technique_tables import CycleMeans, Recognition
    from lumipipe.reporting.result import Coverage

FEWEST_ATHLETES = 6
"""Below it nothing is supported: n athletes on one side of a bound are chance once in 2**n, and a
two-sided 95 % interval allows once in 40."""


@dataclass(frozen=True)
class Facts:
    """Scores, cycles and labels of one run; None where the request does not ask for them."""

    job: Job
    model: Model
    classifier: TechniqueClassifier | None
    scores: ClassifierScores | None
    recognition: Recognition | None
    coverage: Coverage | None
    copies: list[Copied]
    cycles: CycleWindows | None
    means: CycleMeans | None

    @property
    def classes(self) -> list[str]:
        """Names of the techniques."""
        return [] if self.scores is None else self.scores.classes

    @property
    def conditions(self) -> list[str]:
        """The two values that are compared, in the order of the request; else none."""
        name = self.job.train.condition
        if name is None:
            return []
        there = {row.labels.get(name, "") for row in self.job.dataset.recordings}
        said = [
            v
            for s in self.job.request.data
            if name in s.labels
            for v in s.labels[name].values.values()
        ]
        found = [*(v for v in dict.fromkeys(said) if v in there), *sorted(there - set(said))]
        return found if len(found) == 2 else []  # noqa: PLR2004  # a difference is of two

    @property
    def athletes(self) -> int:
        """How many athletes there are."""
        return len({row.unit for row in self.job.dataset.recordings})

    def pairs_in_words(self) -> str:
        """Recordings whose labels are one set."""
        names = [row.id for row in self.job.dataset.recordings]
        return ", ".join(
            say("{names} and {names_2}", names=names[c.first], names_2=names[c.second])
            for c in self.copies
        )

    def copies_span_conditions(self) -> bool:
        """Whether a set of labels was carried over from one condition to the other."""
        name, rows = self.job.train.condition, self.job.dataset.recordings
        return name is not None and any(
            rows[c.first].labels.get(name) != rows[c.second].labels.get(name) for c in self.copies
        )

    def open_questions(self) -> list[tuple[str, str]]:
        """Questions without an answer, and why."""
        return [*self._of_athletes(), *self._of_labels(), *self._of_classes(), *self._of_counts()]

    def _of_athletes(self) -> list[tuple[str, str]]:
        """What too few athletes cannot carry."""
        if self.athletes >= FEWEST_ATHLETES:
            return []
        found = []
        if self.scores is not None:
            found.append(
                (
                    say("How well is the technique of the next athlete recognised?"),
                    say(
                        "{athletes} athletes: an interval from drawing them again is too "
                        "narrow, and no order of so few values reaches 95% "
                        "({fewest_athletes} would). Nothing is known of other levels, "
                        "ages, poles, courses or snow.",
                        athletes=self.athletes,
                        fewest_athletes=FEWEST_ATHLETES,
                    ),
                )
            )
        if self.conditions:
            found.append(
                (
                    say(
                        "Does the {condition} change the technique of athletes?",
                        condition=self.job.train.condition,
                    ),
                    say(
                        "{athletes} athletes, each once under each condition: order, "
                        "fatigue and weather of the two runs cannot be told from the "
                        "condition.",
                        athletes=self.athletes,
                    ),
                )
            )
        return found

    def _of_labels(self) -> list[tuple[str, str]]:
        """What copied labels cannot carry."""
        if not self.copies:
            return []
        found = [
            (
                say("How good is a personal model?"),
                say(
                    "The labels of {pairs_in_words} agree row by row from the start of "
                    "each part: one set was carried over. At least one recording of each "
                    "pair is then labelled at the wrong moments, in the same way as the "
                    "one that teaches.",
                    pairs_in_words=self.pairs_in_words(),
                ),
            )
        ]
        if self.copies_span_conditions():
            found.append(
                (
                    say(
                        "Is technique harder to recognise with one {condition} than with "
                        "the other?",
                        condition=self.job.train.condition,
                    ),
                    say(
                        "A difference of the figures is also that of labels which were "
                        "carried over."
                    ),
                )
            )
        return found

    def _of_classes(self) -> list[tuple[str, str]]:
        """Techniques that are not told from the others, or that too few athletes use."""
        if self.scores is None:
            return []
        counts, found = self.scores.confusion.sum(axis=0), []
        for c, name in enumerate(self.scores.classes):
            named = int(counts[:, c].sum())
            base = counts[c].sum() / max(1, counts.sum())
            lower, _ = clopper_pearson(int(counts[c, c]), named) if named else (0.0, 1.0)
            if lower <= base:
                found.append(
                    (
                        say("Is this {name}?", name=name),
                        say(
                            "{name} is named no more often rightly than its share of {base:.0%}.",
                            name=name,
                            base=base,
                        ),
                    )
                )
            users = int((self.scores.confusion[:, c].sum(axis=1) > 0).sum())
            if users < self.athletes:
                found.append(
                    (
                        say(
                            "Is {name} recognised in an athlete who has not shown it?",
                            name=name,
                        ),
                        say(
                            "Only {users} of {athletes} athletes used it.",
                            users=users,
                            athletes=self.athletes,
                        ),
                    )
                )
        return found

    def _of_counts(self) -> list[tuple[str, str]]:
        """Checks of cycles that could not be made."""
        if self.means is None or self.cycles is None:
            return []
        own = (
            self.cycles.cycles.counter
            if isinstance(self.cycles.cycles, Exported)
            else (self.cycles.cycles.rate)
        )
        if own is None:
            return [
                (
                    say("Does the count agree with the instrument's own?"),
                    say(
                        "The recordings hold no count of the instrument, so two ways of "
                        "counting the same forces were compared: a fault of the forces "
                        "would escape both."
                    ),
                )
            ]
        if not np.isfinite(self.means.agreement().lower):
            return [(say("Do two counts agree?"), say("Too few windows have both."))]
        return []
