"""Tables of limits: read with the line of each mistake, searched, and cited in a report.

A row without edition or without checker may be used, but whatever rests on it says so: the
words are `NOT_VERIFIED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from lumipipe.config import Settings, Text
from lumipipe.errors import InputError
from lumipipe.language import RULE, message, say, term, translated
from lumipipe.readers.units import conversion
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from lumipipe.yamlfile import YamlFile

_LIMITS = (term("least"), term("most"), term("not entered"))  # as tables name them
NOT_VERIFIED = message("limits not verified")
"""What a verdict says that rests on limits that no second person has compared."""
DATA = Path(__file__).parent / "data"
_SUFFIX = ".yaml"


class Band(Settings):
    """For which values of another quantity a row is meant."""

    quantity: Text
    """What decides, such as frequency or the mean of the reference."""
    unit: Text
    """Unit of both ends."""
    lower: float | None = None
    """Lowest value, which belongs to the band; no end where absent."""
    upper: float | None = None
    """Where the band ends; this value is outside. No end where absent."""

    @model_validator(mode="after")
    def _has_an_end(self) -> Band:
        if self.lower is None and self.upper is None:
            raise ValueError("the band has no end; give lower or upper, or leave band out")
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise ValueError("the band does not rise; give lower below upper")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value lies in the band."""
        above = self.lower is None or value >= self.lower
        return above and (self.upper is None or value < self.upper)

    def words(self) -> str:
        """The band in words, such as ``frequency 10 Hz to below 1000 Hz``."""
        said = {
            "quantity": self.quantity,
            "lower": self.lower,
            "upper": self.upper,
            "unit": self.unit,
        }
        if self.upper is None:
            return say("{quantity} from {lower:g} {unit}", **said)
        if self.lower is None:
            return say("{quantity} below {upper:g} {unit}", **said)
        return say("{quantity} from {lower:g} {unit} to below {upper:g} {unit}", **said)


class Rule(Settings):
    """One row: the limits of one quantity, from one edition of one standard."""

    standard: Text
    """Name of the standard or act."""
    edition: Text | None = None
    """Its edition, such as the year or the page of the official journal."""
    group: Text | None = None
    """Group of machines, kind of test or pollutant within the standard."""
    support: Text | None = None
    """How the machine is mounted, such as rigid or flexible, where that matters."""
    quantity: Text
    """What is limited."""
    unit: Text
    """Unit of the limits; 1 for a plain number."""
    band: Band | None = None
    """For which values of another quantity the row is meant; for all where absent."""
    limits: Annotated[dict[Text, float | Text], Field(min_length=1)]
    """Name of each limit, such as least, most or A/B, to its number, or to the name of a
    value that the analysis computes."""
    source: Text
    """Where the limits were taken from, in words."""
    entered_by: Text
    """Who wrote the row."""
    checked_by: Text | None = None
    """Who compared the row with the standard's text; empty where nobody has."""
    checked_on: date | None = None
    """When."""

    @model_validator(mode="after")
    def _checked_by_another(self) -> Rule:
        if (self.checked_by is None) != (self.checked_on is None):
            raise ValueError("checked_by and checked_on belong together; give both or none")
        if self.checked_by == self.entered_by:
            raise ValueError(
                "checked_by is who entered the row; have somebody else compare it, or leave it out"
            )
        return self

    @property
    def is_verified(self) -> bool:
        """Whether the edition is stated and a second person has compared the row with it."""
        return self.edition is not None and self.checked_by is not None


class RuleFile(Settings):
    """The file of a table."""

    lumipipe_rules: Literal[1]
    """Version of the form."""
    title: Text
    """What the limits are for."""
    note: Text | None = None
    """What a reader must know before using them."""
    rules: Annotated[list[Rule], Field(min_length=1)]
    """The rows."""


@dataclass(frozen=True)
class RuleTable:
    """A table of limits.

    Parameters
    ----------
    name : str
        Name of the table that comes with lumipipe, or of its file.
    title, note : str
        What it is for, and what a reader must know.
    rows : tuple of Rule
        The rows, as in the file.
    """

    name: str
    title: str
    note: str | None
    rows: tuple[Rule, ...]

    def find(
        self,
        *,
        quantity: str | None = None,
        group: str | None = None,
        support: str | None = None,
        standard: str | None = None,
        edition: str | None = None,
        at: float | None = None,
    ) -> Rule:
        """The one row that fits all that is given.

        Parameters
        ----------
        quantity, group, support, standard, edition : str, optional
            What the row must say; anything where None.
        at : float, optional
            Value of the quantity of the band, in the band's unit.

        Returns
        -------
        Rule
            The row.

        Raises
        ------
        InputError
            If no row fits or several do; it names what to add or to choose from.

        Examples
        --------
        >>> row = load_rules("pems").find(group="relative accuracy", at=50.0)
        >>> row.limits, row.is_verified
        ({'most': 20.0}, False)
        """
        wanted = {
            "quantity": quantity,
            "group": group,
            "support": support,
            "standard": standard,
            "edition": edition,
        }
        asked = {name: value for name, value in wanted.items() if value is not None}
        found = [
            row
            for row in self.rows
            if all(getattr(row, name) == value for name, value in asked.items())
            and (at is None or row.band is None or row.band.holds(at))
        ]
        if len(found) == 1:
            return found[0]
        told = ", ".join(f"{name} {value}" for name, value in asked.items())
        told += f"{', ' if told else ''}at {at:g}" if at is not None else ""
        if not found:
            rows = "; ".join(_key_words(row) for row in self.rows)
            raise InputError(f"table {self.name}", f"has no row for {told}", f"rows are: {rows}")
        raise InputError(
            f"table {self.name}",
            f"has {len(found)} rows for {told or 'what was asked'}",
            f"say which: {'; '.join(_key_words(row) for row in found)}",
        )


def shipped_rules() -> list[str]:
    """Names of the tables that come with lumipipe."""
    return sorted(path.stem for path in DATA.glob(f"*{_SUFFIX}"))


def load_rules(where: str, base: Path | None = None, place: str = "score.rules") -> RuleTable:
    """A table of limits, read and checked.

    Parameters
    ----------
    where : str
        Name of a table that comes with lumipipe, or the path of a YAML file.
    base : Path, optional
        Folder that a relative path starts from; the working folder where None.
    place : str
        Where the table was asked for, for the error.

    Returns
    -------
    RuleTable
        The table.

    Raises
    ------
    InputError
        At the first mistake, with the file's line and the remedy.

    Examples
    --------
    >>> load_rules("pems").find(quantity="correlation").limits
    {'least': 0.8}
    """
    path = DATA / f"{where}{_SUFFIX}"
    if where not in shipped_rules():
        path = (base or Path()) / where
        if not path.is_file():
            raise InputError(
                place,
                f"no table {where}",
                f"use {', '.join(shipped_rules())}, or the path of a YAML file with such a table",
            )
    file = read_yaml(path)
    try:
        content = RuleFile.model_validate(file.content)
    except ValidationError as error:
        raise input_error(file, error, RuleFile) from error
    _check_rows(file, content.rules)
    return RuleTable(where, content.title, content.note, tuple(content.rules))


def citation(rule: Rule) -> str:
    """A row as a report cites it, with the words `NOT_VERIFIED` where they belong.

    Parameters
    ----------
    rule : Rule
        The row that a verdict rests on.

    Returns
    -------
    str
        Standard, edition, what is limited, the limits, who entered and who checked them.

    Examples
    --------
    >>> citation(load_rules("pems").find(quantity="correlation")).endswith(NOT_VERIFIED)
    True
    """
    edition = _shown(rule.edition) if rule.edition else say("edition not stated")
    limits = ", ".join(
        f"{translated(name)} {translated(limit)}"
        if isinstance(limit, str)
        else say("{name} {limit:g}", name=translated(name), limit=limit)
        for name, limit in rule.limits.items()
    )
    unit = "" if rule.unit == "1" else f" {rule.unit}"
    words = f"{_shown(rule.standard)} ({edition}), {_shown_subject(rule)}: {limits}{unit}"
    by = say(
        "; entered by {entered_by} from {source}",
        entered_by=_shown(rule.entered_by),
        source=_shown(rule.source),
    )
    if rule.checked_by is not None:
        by += say(
            "; checked by {checked_by} on {checked_on}",
            checked_by=rule.checked_by,
            checked_on=rule.checked_on,
        )
    return words + by + ("" if rule.is_verified else f"; {say(NOT_VERIFIED)}")


def told_words(rule: Rule) -> list[str]:
    """The words of a row that a citation tells; those of shipped tables are in catalogues."""
    band = rule.band and rule.band.quantity
    told = (rule.standard, rule.edition, rule.source, rule.entered_by)
    subject = (rule.group, rule.support, rule.quantity, band)
    return [words for words in (*told, *subject) if words]


def _shown(words: str) -> str:
    """Words of a row in the language of the report; those of a user's own table as they are."""
    return translated(words, RULE)


def _shown_subject(rule: Rule) -> str:
    """What a row limits, in the language of the report."""
    said: dict[str, object] = {
        name: value and _shown(value)
        for name, value in (
            ("group", rule.group),
            ("support", rule.support),
            ("quantity", rule.quantity),
        )
    }
    if rule.band is not None:
        said["band"] = rule.band.model_copy(update={"quantity": _shown(rule.band.quantity)})
    return _subject(rule.model_copy(update=said))


def _subject(rule: Rule) -> str:
    """What a row limits, in words."""
    support = say("{support} support", support=rule.support) if rule.support else None
    band = rule.band.words() if rule.band else None
    return ", ".join(part for part in (rule.group, support, rule.quantity, band) if part)


def _key_words(rule: Rule) -> str:
    """By what a row is told from others."""
    return f"{rule.standard} {rule.edition or '(edition not stated)'}, {_subject(rule)}"


def _check_rows(file: YamlFile, rows: list[Rule]) -> None:
    """Refuse unknown units, and two rows for the same thing."""
    for number, row in enumerate(rows):
        place = file.place(("rules", number, "unit"))
        conversion(row.quantity, row.unit, place)
        if row.band is not None:
            where = file.place(("rules", number, "band", "unit"))
            conversion(row.band.quantity, row.band.unit, where)
        for earlier in rows[:number]:
            if _key(earlier) == _key(row) and _overlap(earlier.band, row.band):
                raise InputError(
                    file.place(("rules", number)),
                    f"a second row for {_key_words(row)}",
                    "keep one of them, or make their bands end to end",
                )


def _key(rule: Rule) -> tuple[str | None, ...]:
    """What may stand once in a table, but for bands."""
    return rule.standard, rule.edition, rule.group, rule.support, rule.quantity


def _overlap(first: Band | None, second: Band | None) -> bool:
    """Whether a value may lie in both bands; bands of unlike quantities or units may."""
    if first is None or second is None:
        return True
    if (first.quantity, first.unit) != (second.quantity, second.unit):
        return True
    infinity = float("inf")
    starts = [-infinity if band.lower is None else band.lower for band in (first, second)]
    ends = [infinity if band.upper is None else band.upper for band in (first, second)]
    return max(starts) < min(ends)
