"""Channels behind the decisions of a classifier, as figures, a table and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.pages.cases import KINDS, window_cases
from lumipipe.families.pages.interface import Told, not_here
from lumipipe.families.pages.pushes import push_of
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Bars, Column, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.pages.pushes import Push

_MOST_BARS = 10


def pushes_told(subject: Subject) -> Told:
    """Channels behind the hit, the miss and the false alarm that are shown.

    Parameters
    ----------
    subject : Subject
        The judged request of a family with a classifier of windows.

    Returns
    -------
    Told
        A figure a case, and a table with the univariate check.
    """
    cases = window_cases(subject)
    found: dict[str, Push] = {}
    for number, kind in enumerate(KINDS):
        place = None if cases is None else cases.median(number)
        push = None if place is None else push_of(subject, place)
        if push is not None:
            found[kind] = push
    if not found:
        return not_here(say("no window was judged, so no channel led."))
    figures = [_bars(kind, push) for kind, push in found.items()]
    text = say(
        "The score of a class is a sum over features, so that what each adds to the difference of "
        "two classes is known exactly: its value less the training mean, times the difference of "
        "two coefficients. A feature of several channels is laid on them in equal shares "
        "(Shapley, A value for n-person games, 1953)."
    )
    section = Section(
        title=say("Channels behind a hit, a miss and a false alarm"),
        paragraphs=[text],
        figures=[*figures, _table(found)],
    )
    return Told(" ".join(_sentence(kind, push) for kind, push in found.items()), [section])


def _order(push: Push) -> list[int]:
    """Channels by what they add, the largest first."""
    return [int(n) for n in np.argsort(-push.added, kind="stable")]


def _shown(push: Push) -> tuple[list[int], float | None]:
    """Channels that are shown, those that move the score most; the sum of the others."""
    if len(push.channels) <= _MOST_BARS:
        return _order(push), None
    most = np.argsort(-np.abs(push.added), kind="stable")
    kept = {int(n) for n in most[: _MOST_BARS - 1]}
    rest = float(sum(push.added[int(n)] for n in most[_MOST_BARS - 1 :]))
    return [n for n in _order(push) if n in kept], rest


def _bars(kind: str, push: Push) -> Bars:
    """One case."""
    shown, rest = _shown(push)
    labels = [push.channels[n] for n in shown]
    values: list[float | None] = [float(push.added[n]) for n in shown]
    second = [_finite(push.own_towards[n]) for n in shown]
    if rest is not None:
        labels.append(say("{count} other channels", count=len(push.channels) - len(shown)))
        values.append(rest)
        second.append(None)
    kind_words = say(kind)
    return Bars(
        kind="bars",
        title=say(
            "{kind}: channels that moved the score",
            kind=kind_words[:1].upper() + kind_words[1:],
        ),
        caption=say(
            "Left: what each channel adds to the score of {towards} less that of {against}; with "
            "the constant {constant:.3g} they sum to {difference:.3g}. Right: root mean square of "
            "the channel's own standardised features among training windows of {towards}; a long "
            "right bar is unusual for that class.",
            towards=push.towards,
            against=push.against,
            # to the digits of the sum: what is less is the noise of float64
            constant=round(push.constant, 12) + 0.0,
            difference=push.difference,
        ),
        alt=say("Largest contribution: {name}.", name=labels[int(np.argmax(values))]),  # type: ignore[arg-type]
        labels=labels,
        values=values,
        second=second,
        x_label=say("added to the score"),
        second_label=say("own value (rms of z)"),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _table(found: dict[str, Push]) -> Table:
    """All cases with the univariate check."""
    words = {True: say("yes"), False: say("no"), None: "–"}
    rows: list[list[Any]] = [
        [
            say(kind),
            push.channels[n],
            float(f"{push.added[n]:.3g}"),
            float(f"{push.of_several[n]:.3g}"),
            _finite(push.own_towards[n]),
            _finite(push.own_against[n]),
            words[push.alone[n]],
        ]
        for kind, push in found.items()
        for n in _shown(push)[0]
    ]
    return Table(
        kind="table",
        title=say("Channels alone: the univariate check"),
        caption=say(
            "Own value: root mean square of z of the features that are made of the channel alone, "
            "among training windows of a class. Alone it shows the same where that is less for "
            "the class that was recognised. Which class is compared stands with the figures."
        ),
        alt=say("One row a case and channel."),
        columns=[
            Column(label=say("case")),
            Column(label=say("channel")),
            Column(label=say("added to the score")),
            Column(label=say("of it by features of several channels")),
            Column(label=say("own value, recognised class")),
            Column(label=say("own value, compared class")),
            Column(label=say("alone nearer to the recognised class")),
        ],
        rows=rows,
    )


def _sentence(kind: str, push: Push) -> str:
    """One case in a sentence."""
    first = _order(push)[0]
    alone = push.alone[first]
    checked = {
        True: say("alone it shows the same"),
        False: say("alone it does not show it"),
        None: say("no feature is made of it alone"),
    }[alone]
    kind_words = say(kind)
    return say(
        "{kind}: {towards} over {against} by {difference:.3g}; {channel} adds most "
        "({added:.3g}), and {checked}.",
        kind=kind_words[:1].upper() + kind_words[1:],
        towards=push.towards,
        against=push.against,
        difference=push.difference,
        channel=push.channels[first],
        added=float(push.added[first]),
        checked=checked,
    )
