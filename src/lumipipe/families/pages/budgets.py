"""What a metrologist is told of a quantity: one form for all families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.language import say, translated
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import NOT_AVAILABLE, rounded, rounded_interval
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.budget import combined, coverage_factor, variance_shares
from lumipipe.uncertainty.monte_carlo import RECTANGULAR, agreement, propagate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lumipipe.uncertainty.budget import Contribution

_DIGITS = 2  # of an uncertainty (JCGM 100:2008, 7.2.6)


class Source(NamedTuple):
    """A source of uncertainty and where it is known from."""

    name: str
    """In words of the report."""
    part: Contribution | None
    """What it adds; None where it is not characterised."""
    known_from: str
    """A certificate, a specification, or what of these data tells it."""
    valid: str = ""
    """Until when the certificate holds."""
    why_not: str = ""
    """Why what is known of it is not added; empty where it is, or where nothing is known."""
    stated: str = ""
    """The standard uncertainty that is known of a source that is not added."""


@dataclass(frozen=True)
class Statement:
    """A quantity with all that its uncertainty rests on.

    Parameters
    ----------
    name : str
        What it is called, in a word.
    measurand : str
        What is measured, in a sentence.
    unit : str
        Its unit.
    equation : str
        The model equation, and what its letters mean.
    value : float or None
        The value that the budget is of.
    sources : sequence of Source
        All of them; those that are not characterised have no part.
    coverage : float
        Coverage probability.
    half_width : float or None
        Half of the interval that the report gives, where it is not k times u.
    half_from : str
        Where that is from.
    correlations : str
        What is correlated, in a sentence.
    resolution : str
        Steps of the readings, in a sentence.
    model : callable, optional
        Error of the result from the errors of the sources; the linear model where absent.
    channels : sequence of str
        Names of the channels that it is made of or was taught with.
    """

    name: str
    measurand: str
    unit: str
    equation: str
    value: float | None
    sources: Sequence[Source]
    coverage: float
    correlations: str
    resolution: str
    half_width: float | None = None
    half_from: str = ""
    model: Callable[[Mapping[str, NDArray[np.float64]]], NDArray[np.float64]] | None = None
    channels: Sequence[str] = ()

    def in_unit(self, number: str) -> str:
        """A number with the unit, which a plain number does not have."""
        return number if self.unit == "1" else f"{number} {self.unit}"

    @property
    def parts(self) -> list[Contribution]:
        """What the characterised sources add."""
        return [source.part for source in self.sources if source.part is not None]

    @property
    def open_sources(self) -> list[str]:
        """Sources that are not characterised."""
        return [
            translated(source.name)
            for source in self.sources
            if source.part is None and not source.why_not
        ]

    @property
    def u(self) -> float:
        """Combined standard uncertainty, shared parts included."""
        return combined(self.parts)

    @property
    def k(self) -> float:
        """Factor of a normal distribution for the coverage probability."""
        return coverage_factor(self.coverage)

    @property
    def expanded(self) -> float:
        """``k`` times ``u``."""
        return self.k * self.u


def two_digits(u: float) -> str:
    """An uncertainty as a report prints it."""
    return rounded(u, digits=_DIGITS)


def result_words(statement: Statement) -> str:
    """Value and expanded uncertainty, the value to the digit of the uncertainty."""
    if statement.value is None or not statement.parts:
        return say("No uncertainty is stated: none of the sources is characterised.")
    half = statement.expanded
    value = rounded_interval(statement.value, statement.value - half, statement.value + half)[0]
    return say(
        "{value}, u = {u}, U = {expanded} with k = {k:.2f} for {coverage:.0%}.",
        value=statement.in_unit(value),
        u=statement.in_unit(two_digits(statement.u)),
        expanded=statement.in_unit(two_digits(half)),
        k=statement.k,
        coverage=statement.coverage,
    )


def budget_section(statement: Statement) -> Section:
    """The budget as a table, the combined uncertainty in its last row.

    Parameters
    ----------
    statement : Statement
        What it is of.

    Returns
    -------
    Section
        For the metrologist.
    """
    shares = iter(variance_shares(statement.parts))
    rows = [_row(source, shares, statement.unit) for source in statement.sources]
    if statement.parts:
        rows.append(_sum_row(statement))
    table = Table(
        kind="table",
        title=say("Uncertainty budget of {name}", name=statement.name),
        caption=say(
            "A: from statistics of these data; B: from other knowledge. A shared source is the "
            "same error in all readings and does not shrink as more are averaged. n/a: not in "
            "the combined uncertainty; the last column says why."
        ),
        alt=say("One row a source, and the combined standard uncertainty."),
        columns=[
            Column(label=say("source")),
            Column(label=say("type, distribution")),
            Column(label=say("u of the source")),
            Column(label=say("sensitivity")),
            Column(label=say("contribution"), unit=statement.unit),
            Column(label=say("of the variance"), unit="%"),
            Column(label=say("between readings")),
            Column(label=say("known from")),
        ],
        rows=rows,
    )
    notes = []
    if statement.open_sources:
        notes.append(
            say(
                "Not characterised, so that u is a lower bound: {names}.",
                names=", ".join(statement.open_sources),
            )
            if statement.parts
            else say("Not characterised: {names}.", names=", ".join(statement.open_sources))
        )
    title = say("Uncertainty budget of {name}", name=statement.name)
    return Section(title=title, paragraphs=notes, figures=[table])


def _row(source: Source, shares: Any, unit: str) -> list[Any]:
    """One source."""
    part = source.part
    known = source.known_from
    if source.valid:
        known = say("{known}, valid until {day}", known=known, day=source.valid)
    if part is None:
        how = say("B, not added") if source.why_not else say("B, not stated")
        known = f"{known}: {source.why_not}" if source.why_not else known
        nothing = [how, source.stated or NOT_AVAILABLE, None, None, None, "–"]
        return [translated(source.name), *nothing, known]
    of = "" if part.unit == unit == "1" else part.unit
    of = say("of the reading") if part.unit == "1" and unit != "1" else of
    return [
        translated(source.name),
        f"{part.evaluation}, {translated(part.distribution)}",
        f"{two_digits(part.u)} {of}".rstrip(),
        _to_digits(part.sensitivity),
        _to_digits(abs(part.effect)),
        round(100.0 * next(shares), 1),
        say("shared") if part.is_shared else say("independent"),
        known,
    ]


def _sum_row(statement: Statement) -> list[Any]:
    """The combined standard uncertainty."""
    both = say("shared and independent")
    u = _to_digits(statement.u)
    return [say("combined"), "", "", None, u, 100.0, both, ""]


def _to_digits(value: float) -> float:
    """A number with the digits that an uncertainty has."""
    return float(f"{value:.{_DIGITS}g}")


def monte_carlo_words(statement: Statement, seed: int) -> str:
    """Settings of the draws and their agreement with the linear law."""
    if not statement.parts or not statement.u > 0.0:
        return ""
    found = propagate(statement.parts, statement.coverage, seed, statement.model)
    near = agreement(statement.u, statement.k, found)
    others = sorted({p.distribution for p in statement.parts} - {RECTANGULAR, "normal"})
    text = say(
        "{draws:,} draws of each source, counted by the seed {seed} (Philox); the model is "
        "{model}. By draws u = {u} and the interval {lower} to {upper} about the value; linear: "
        "± {expanded}. The ends differ by {off_lower:.2g} and {off_upper:.2g}, where "
        "{tolerance:.2g} is allowed (half of the first digit of u; JCGM 101:2008, 7.9.2): "
        "{verdict}",
        draws=found.draws,
        seed=seed,
        model=say("as it stands, with its products")
        if statement.model is not None
        else say("linear, so that only the forms of the distributions can differ"),
        u=statement.in_unit(two_digits(found.u)),
        lower=_end(found.lower),
        upper=statement.in_unit(_end(found.upper)),
        expanded=statement.in_unit(two_digits(statement.expanded)),
        off_lower=near.lower,
        off_upper=near.upper,
        tolerance=near.tolerance,
        verdict=say("linear propagation is good enough.")
        if near.holds
        else say("linear propagation is not good enough; take the interval of the draws."),
    )
    if others:
        text += " " + say("Drawn as normal: {names}.", names=", ".join(say(n) for n in others))
    return text


def _end(value: float) -> str:
    """An end of an interval with the digits of an uncertainty, and its sign."""
    sign = "+" if value >= 0.0 else "\N{MINUS SIGN}"
    return sign + two_digits(abs(value))
