"""Who wins by what was played early: each game held out in turn, with the interval of the share.

A game is one row, the difference of its two players, so both are always on one side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import say
from lumipipe.metrics.quantiles import at_shares
from lumipipe.reporting.result import LeakageTest, LeftOut
from lumipipe.splits import group_of
from lumipipe.uncertainty.proportions import clopper_pearson, trials_needed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.esports import Winner
    from lumipipe.families.esports_numbers import Numbers, Played

FEWEST_GAMES = 3
"""Games without which nothing can be held out."""
_PLAYERS = 2
_PENALTY = 1.0  # of standardised differences; fixed, for there is nothing to choose it by
_STEPS, _ENOUGH = 50, 1e-12
_HALF_A_COUNT = 0.5  # so that a player without an action has a logarithm


@dataclass(frozen=True)
class Game:
    """One game with two players.

    Parameters
    ----------
    name : str
        What its recordings share.
    players : tuple of Played
        Both, in the order of their recordings.
    difference : tuple of float
        Logarithm of each feature of the first player, less that of the second.
    first_won : bool
        Whether the first one won.
    """

    name: str
    players: tuple[Played, Played]
    difference: tuple[float, ...]
    first_won: bool


@dataclass(frozen=True)
class Called:
    """How often the winner was called right.

    Parameters
    ----------
    games : tuple of Game
        Those that could be used.
    left_out : tuple of LeftOut
        Those that could not, and why.
    scores : ndarray of float64, shape (game,)
        Log-odds, held out, that the first player won; empty with too few games.
    features : tuple of str
        What was compared.
    settings : Winner
        What was asked.
    """

    games: tuple[Game, ...]
    left_out: tuple[LeftOut, ...]
    scores: NDArray[np.float64]
    features: tuple[str, ...]
    settings: Winner

    @property
    def right(self) -> list[bool]:
        """Of each game whether its winner was called; not where nobody was."""
        return [
            bool(score > 0 if game.first_won else score < 0)
            for game, score in zip(self.games, self.scores, strict=False)
        ]

    @property
    def interval(self) -> tuple[float, float]:
        """Exact interval of the share, of 95 %."""
        return clopper_pearson(sum(self.right), len(self.right))

    @property
    def half_width(self) -> float:
        """Half of its length."""
        lower, upper = self.interval
        return (upper - lower) / 2.0

    @property
    def needed(self) -> int:
        """Games after which the interval is as narrow as is wanted, whatever the share."""
        return trials_needed(self.settings.half_width)

    def leakage(self) -> list[LeakageTest]:
        """Whether players of a held-out game taught what it was called by."""
        units = [{player.unit for player in game.players} for game in self.games]
        shared = sum(
            any(own & other for at, other in enumerate(units) if at != number)
            for number, own in enumerate(units)
        )
        return [
            LeakageTest(
                name="unit",
                label=say("a player of a held-out game also plays in another"),
                status="found" if shared else "none",
                count=shared,
                sentence=say(
                    "{shared} of {units} games share a player with another game.",
                    shared=shared,
                    units=len(units),
                )
                if shared
                else say("No player is in two of the {units} games.", units=len(units)),
            )
        ]


def called(numbers: Numbers, settings: Winner) -> Called:
    """Games, and their winners called with each game held out.

    Parameters
    ----------
    numbers : Numbers
        What was counted.
    settings : Winner
        What is asked.

    Returns
    -------
    Called
        With `FEWEST_GAMES` or more, each has a score.
    """
    known = [played.known for played in numbers.recordings]
    groups: dict[str, list[Played]] = {}
    for played, name in zip(
        numbers.recordings, group_of(settings.game, known, "score.winner.game"), strict=True
    ):
        groups.setdefault(name, []).append(played)
    games, left_out = [], []
    for name, players in sorted(groups.items()):
        reason = _unfit(players, settings)
        features = [] if reason else [_features(numbers, p, settings) for p in players]
        if not reason and not np.isfinite(features).all():
            reason = say("a player has no latency in early play")
        if reason:
            left_out.append(
                LeftOut(
                    what=say("game {name}, for the question who wins", name=name), reason=reason
                )
            )
            continue
        difference = tuple(np.subtract(features[0], features[1]).tolist())
        won = players[0].known[settings.result] == settings.won
        games.append(Game(name, (players[0], players[1]), difference, won))
    names = (
        say("actions"),
        *(() if settings.latency is None else (say("median {latency}", latency=settings.latency),)),
    )
    return Called(tuple(games), tuple(left_out), _held_out(games), names, settings)


def _unfit(players: list[Played], settings: Winner) -> str:
    """Why a game cannot be used; empty where it can."""
    for name, values in settings.leave_out.items():
        if any(player.known.get(name) in values for player in players):
            return say(
                "{name} is {values}, which the request leaves out",
                name=name,
                values=say(" or ").join(values),
            )
    if len(players) != _PLAYERS:
        return say("it has {players} players, not two", players=len(players))
    results = sorted(player.known.get(settings.result, say("none")) for player in players)
    if results != sorted([settings.won, settings.lost]):
        return say("its results are {results}", results=say(" and ").join(results))
    if any(player.total_minutes * 60.0 < settings.first_s for player in players):
        return say("it is shorter than {first_s:g} s", first_s=settings.first_s)
    return ""


def _features(numbers: Numbers, played: Played, settings: Winner) -> list[float]:
    """Logarithms of what a player did early."""
    blocks = round(settings.first_s / numbers.events.block_s)
    found = [float(np.log(numbers.actions(played)[:blocks].sum() + _HALF_A_COUNT))]
    if played.early is not None:
        median = float(at_shares(played.early.counts, played.early.edges, (0.5,))[0])
        found.append(float(np.log(median)))
    return found


def _held_out(games: list[Game]) -> NDArray[np.float64]:
    """Log-odds of each game from a fit to the others."""
    if len(games) < FEWEST_GAMES:
        return np.zeros(0)
    x = np.array([game.difference for game in games])
    sign = np.array([1.0 if game.first_won else -1.0 for game in games])
    scores = np.zeros(len(games))
    for number in range(len(games)):
        others = np.arange(len(games)) != number
        scale = np.sqrt((x[others] ** 2).mean(axis=0))
        scale[scale == 0.0] = 1.0
        weights = ridge_logistic(x[others] / scale, sign[others], _PENALTY)
        scores[number] = float(x[number] / scale @ weights)
    return scores


def ridge_logistic(
    x: NDArray[np.float64], sign: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Weights of a logistic model without a constant.

    Parameters
    ----------
    x : ndarray of float64, shape (row, feature)
        Differences: who is called first must not matter, so there is no constant.
    sign : ndarray of float64, shape (row,)
        1 where the first one won, -1 elsewhere.
    penalty : float
        Weight of half the squared length of the weights, above 0.

    Returns
    -------
    ndarray of float64, shape (feature,)
        The minimum of the sum of log(1 + exp(-sign x w)) and the penalty.

    Notes
    -----
    *Method*: Newton's, with steps halved where they do not descend.

    Examples
    --------
    >>> ridge_logistic(np.array([[1.0], [1.0]]), np.array([1.0, -1.0]), 1.0).tolist()
    [0.0]
    """
    y = x * sign[:, None]
    w = np.zeros(x.shape[1])

    def loss(weights: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -(y @ weights)).sum() + 0.5 * penalty * weights @ weights)

    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(y @ w))
        gradient = penalty * w - y.T @ p
        curvature = (y * (p * (1.0 - p))[:, None]).T @ y + penalty * np.eye(len(w))
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        while loss(w - length * step) > loss(w) and length > _ENOUGH:
            length /= 2.0
        w = w - length * step
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return w
