"""Rates, latencies and times by recording and person, from the folded states of `esports`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import numpy as xp

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.esports_folding import (
    COUNTS,
    EARLY,
    EVENTS,
    READINGS,
    EventFolding,
    ReadingFolding,
    latency_part,
)
from lumipipe.language import term
from lumipipe.metrics.quantiles import at_ranks, at_shares
from lumipipe.reporting.parts import Interval
from lumipipe.uncertainty.blocks import Estimate, block_estimate
from lumipipe.uncertainty.ordered import quantile_ranks
from lumipipe.uncertainty.proportions import bootstrap_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import State
    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves

_MINUTE_NS = 60 * NANOSECONDS
_FEWEST_FULL = 2  # blocks of full length that a spread needs


@dataclass(frozen=True)
class Latencies:
    """Counts of one latency.

    Parameters
    ----------
    counts : ndarray of int64, shape (bin,)
        Latencies by bin.
    silent, brief : int
        Episodes without an answer, and those too short to count.
    edges : tuple of float
        Upper edges of the bins, in s.
    """

    counts: NDArray[np.int64]
    silent: int
    brief: int
    edges: tuple[float, ...]

    @property
    def answered(self) -> int:
        """Episodes with an answer."""
        return int(self.counts.sum())

    @property
    def answered_share(self) -> float | None:
        """Episodes with an answer, as a share of those that count."""
        total = self.answered + self.silent
        return self.answered / total if total else None

    def __add__(self, other: Latencies) -> Latencies:
        return Latencies(
            self.counts + other.counts,
            self.silent + other.silent,
            self.brief + other.brief,
            self.edges,
        )

    def quantile(self, share: float) -> Interval:
        """A quantile with its interval of 95 %, as if latencies did not hang together."""
        ranks = np.array(quantile_ranks(self.answered, share), dtype=np.int64)
        value = at_shares(self.counts, self.edges, (share,))[0]
        lower, upper = at_ranks(self.counts, self.edges, ranks)
        return Interval(value=_finite(value), lower=_finite(lower), upper=_finite(upper))


def spoken(name: str) -> str:
    """A name of the request as words.

    >>> spoken("camera_to_action")
    'camera to action'
    """
    return name.replace("_", " ")


def _finite(value: float) -> float | None:
    """The number, or None where it is not known."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class Played:
    """What was counted of one recording.

    Parameters
    ----------
    number : int
        Number of the recording in the dataset.
    known : dict of str to str
        What is known of it.
    counts : ndarray of int64, shape (block, class)
        Events by block and class.
    minutes : ndarray of float64, shape (block,)
        How much of each block the recording covers, in min.
    latencies : dict of str to Latencies
        By name.
    early : Latencies or None
        Of early play.
    """

    number: int
    known: dict[str, str]
    counts: NDArray[np.int64]
    minutes: NDArray[np.float64]
    latencies: dict[str, Latencies]
    early: Latencies | None

    @property
    def id(self) -> str:
        """Identity of the recording."""
        return self.known["recording"]

    @property
    def unit(self) -> str:
        """The person."""
        return self.known["unit"]

    @property
    def total_minutes(self) -> float:
        """Length of the recording."""
        return float(self.minutes.sum())


class Numbers:
    """All that a report tells of events.

    Parameters
    ----------
    job : Job
        The request and its data.
    leaves : dict of tuple of str to State
        The folded pass.
    """

    def __init__(self, job: Job, leaves: Leaves) -> None:
        self.job, self.folding = job, EventFolding(job)
        self.events = job.train.events
        self.classes = list(self.events.classes)
        self._actions = [self.classes.index(name) for name in self.events.actions]
        states = {leaf[1]: state for leaf, state in leaves.items()}
        self.recordings = [
            self._played(number, known, states[known["recording"]])
            for number, known in enumerate(job.known())
            if known["recording"] in states
        ]

    def _played(self, number: int, known: dict[str, str], state: State) -> Played:
        """The numbers of one recording."""
        first, last = self.folding.span_ns[number].tolist()
        begins = np.arange(self.folding.blocks) * self.folding.block_ns
        covered = np.clip(last - first - begins, 0, self.folding.block_ns)
        counts = np.asarray(state[f"{COUNTS}.counts"])
        # What happens in the moment that ends the recording belongs to the block before it.
        end = (last - first) // self.folding.block_ns
        if end and not covered[end]:
            counts = counts.copy()
            counts[end - 1] += counts[end]
            counts[end] = 0
        return Played(
            number,
            known,
            counts,
            covered / _MINUTE_NS,
            {n: self._latencies(state, latency_part(n), n) for n in self.events.latencies},
            None
            if self.folding.early is None
            else self._latencies(state, EARLY, self.folding.early[0]),
        )

    def _latencies(self, state: State, part: str, name: str) -> Latencies:
        """The counts of one latency, with the episode that was open at the end."""
        reducer = self.folding.latency(name, xp)  # states are on the host by now
        own = {key.removeprefix(f"{part}."): np.asarray(value) for key, value in state.items()}
        done = reducer.finish({key: own[key] for key in reducer.empty()})
        return Latencies(
            np.asarray(done["counts"]), int(done["silent"]), int(done["brief"]), reducer.bins.edges
        )

    def actions(self, played: Played) -> NDArray[np.int64]:
        """Number of actions in each block."""
        found: NDArray[np.int64] = played.counts[:, self._actions].sum(axis=1)
        return found

    def rate(self, played: Played, classes: Sequence[str] | None = None) -> Estimate:
        """Events of some classes (all actions where None) a minute, by blocks left out in turn."""
        chosen = self._actions if classes is None else [self.classes.index(c) for c in classes]
        sums = np.stack(
            [played.minutes > 0, played.counts[:, chosen].sum(axis=1), played.minutes], axis=1
        )
        return block_estimate(sums.astype(np.float64), _ratio)

    def dispersion(self, played: Played) -> float | None:
        """Variance of the actions of full blocks over their mean; 1 if they were Poisson's."""
        full = played.minutes >= self.folding.block_ns / _MINUTE_NS
        actions = self.actions(played)[full]
        if len(actions) < _FEWEST_FULL or not actions.any():
            return None
        return float(actions.var(ddof=1) / actions.mean())

    @cached_property
    def persons(self) -> dict[str, list[Played]]:
        """Recordings of each person."""
        found: dict[str, list[Played]] = {}
        for played in self.recordings:
            found.setdefault(played.unit, []).append(played)
        return dict(sorted(found.items()))

    def between_persons(self) -> Estimate:
        """Actions a minute of all, with the spread between persons, each left out in turn."""
        sums = [
            [1.0, sum(self.actions(p).sum() for p in own), sum(p.total_minutes for p in own)]
            for own in self.persons.values()
        ]
        return block_estimate(np.array(sums, dtype=np.float64).reshape(-1, 3), _ratio)

    def by_block(self) -> list[tuple[int, Estimate, int]]:
        """Of each block: actions a minute, the spread between persons, and how many played it."""
        found = []
        for block in range(self.folding.blocks):
            sums = []
            for own in self.persons.values():
                minutes = sum(p.minutes[block] for p in own)
                sums.append([minutes > 0, sum(self.actions(p)[block] for p in own), minutes])
            table = np.array(sums, dtype=np.float64)
            found.append((block, block_estimate(table, _ratio), int(table[:, 0].sum())))
        return found

    def pooled(self, name: str) -> Latencies:
        """A latency of all recordings."""
        parts = [played.latencies[name] for played in self.recordings]
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total

    def median_between_persons(self, name: str) -> Interval:
        """Median of a latency of all, with its interval when persons are drawn again."""
        counts = np.stack(
            [sum(p.latencies[name].counts for p in own) for own in self.persons.values()]
        )
        edges = self.pooled(name).edges
        value = at_shares(counts.sum(axis=0), edges, (0.5,))[0]

        # The value of each bin: that of its only rank.
        ones = np.ones(len(edges), dtype=np.int64)
        values = at_ranks(ones, edges, np.arange(1, len(edges) + 1))

        def medians(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
            until = np.cumsum(drawn, axis=1)
            rank = (until[:, -1:] + 1) // 2
            found: NDArray[np.float64] = values[np.argmax(until >= rank, axis=1)]
            return np.where(rank[:, 0] > 0, found, np.nan)

        lower, upper = bootstrap_units(counts, medians, self.job.seed)
        return Interval(value=_finite(value), lower=_finite(lower), upper=_finite(upper))


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Events over minutes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = sums[..., 1] / sums[..., 2]
    return found


@dataclass(frozen=True)
class Held:
    """Time of one recording in the zones of one reading.

    Parameters
    ----------
    known : dict of str to str
        What is known of the recording.
    zone_ns : ndarray of int64, shape (zone,)
        Time in each zone, in ns.
    unknown_ns : int
        Time without a reading, in ns.
    median, tenth, ninetieth : float or None
        Quantiles of the readings, in the unit in which they are stored.
    """

    known: dict[str, str]
    zone_ns: NDArray[np.int64]
    unknown_ns: int
    median: float | None
    tenth: float | None
    ninetieth: float | None

    @property
    def minutes(self) -> list[float]:
        """Time in each zone, in min."""
        return [int(ns) / _MINUTE_NS for ns in self.zone_ns]

    @property
    def known_ns(self) -> int:
        """Time with a reading, in ns."""
        return int(self.zone_ns.sum())


class Times:
    """All that a report tells of readings.

    Parameters
    ----------
    job : Job
        The request and its data.
    leaves : dict of tuple of str to State
        The folded pass.
    """

    def __init__(self, job: Job, leaves: Leaves) -> None:
        self.job, self.folding = job, ReadingFolding(job)
        states = {leaf[1]: state for leaf, state in leaves.items()}
        self.held = {
            name: [
                self._held(known, states[known["recording"]], name)
                for known in job.known()
                if known["recording"] in states
            ]
            for name in self.folding.intensity.zones
        }

    def _held(self, known: dict[str, str], state: State, name: str) -> Held:
        """Time of one recording."""
        counts = np.asarray(state[f"{name} bins.counts"])
        tenth, median, ninetieth = at_shares(counts, self.folding.bins.edges, (0.1, 0.5, 0.9))
        return Held(
            known,
            np.asarray(state[f"{name}.zone_ns"]),
            int(state[f"{name}.unknown_ns"]),
            _finite(median),
            _finite(tenth),
            _finite(ninetieth),
        )

    @property
    def uncharacterised(self) -> list[str]:
        """Readings whose bounds have no source."""
        zones = self.folding.intensity.zones
        return [name for name in self.held if not zones[name].is_characterised]

    def known_share(self) -> float | None:
        """Time with a reading, as a share of the time outside pauses; of the worst reading."""
        shares = []
        for parts in self.held.values():
            known = sum(part.known_ns for part in parts)
            total = known + sum(part.unknown_ns for part in parts)
            if total:
                shares.append(known / total)
        return min(shares, default=None)

    def unit_of(self, name: str) -> str:
        """Unit in which a reading is stored."""
        channel = self.folding.intensity.zones[name].channel
        return next(c.unit for c in self.folding.table.channels if c.name == channel)

    def quantity_of(self, name: str) -> str:
        """What a reading is of."""
        channel = self.folding.intensity.zones[name].channel
        return next(c.quantity for c in self.folding.table.channels if c.name == channel)

    def names(self, name: str) -> list[str]:
        """Names of the zones of a reading."""
        zones, unit = self.folding.intensity.zones[name], self.unit_of(name)
        if zones.names:
            return list(zones.names)
        ends = [f"{bound:g}" for bound in zones.bounds]
        middle = [
            term("{low} to {high} {unit}", low=a, high=b, unit=unit) for a, b in pairwise(ends)
        ]
        return [
            term("below {end} {unit}", end=ends[0], unit=unit),
            *middle,
            term("{end} {unit} and more", end=ends[-1], unit=unit),
        ]


def numbers_of(job: Job, leaves: dict[str, Leaves]) -> tuple[Numbers | None, Times | None]:
    """Numbers of events and of readings, where they were asked for."""
    return (
        Numbers(job, leaves[EVENTS]) if job.train.events is not None else None,
        Times(job, leaves[READINGS]) if job.train.intensity is not None else None,
    )
