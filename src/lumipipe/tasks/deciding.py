"""Whether the terms of use permit a request: decided before anything is planned, and recorded.

The rules are in `lumipipe.pool.decision`; here a request, the cards of its sources and the
catalogue of its pool meet them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.errors import InputError
from lumipipe.pool.card import CARD, read_card
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.decision import MISSING, NOBODY, Ask, Decision, Terms, decide
from lumipipe.pool.log import append
from lumipipe.pool.policy import load_policy
from lumipipe.readers import PUBLISHED
from lumipipe.reporting.result import Terms as UseTerms
from lumipipe.store.files import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.pool.card import Card
    from lumipipe.tasks.request import Loaded

DECISIONS = "decisions.jsonl"
_REACHES = ("after_review", "open")  # others get it


def check_terms(loaded: Loaded, *, record: bool = False) -> Decision | None:
    """The decision about a request, where terms of use are named.

    Parameters
    ----------
    loaded : Loaded
        The request.
    record : bool
        Whether a denial is added to the log of the request's pool; nothing else is written.

    Returns
    -------
    Decision or None
        None where neither the request nor a card states terms.

    Raises
    ------
    InputError
        If a rule denies it, with the rule's name; ask for less, or the owner for other terms.
    """
    rights = loaded.request.rights
    cards = _cards(loaded)
    if rights.policy is None and not cards:
        return None
    decision = _decision(loaded, cards)
    if decision.verdict != "deny":
        return decision
    if record and rights.pool is not None:
        record_decision(loaded, None, decision)
    what = "nobody has stated terms of use for" if decision.rules == (MISSING,) else "denied by"
    told = decision.source if decision.rules == (MISSING,) else f"the terms of {decision.source}"
    raise InputError(
        loaded.file.place(("rights", "policy")),
        f"rights.policy: {what} {told} (rule {decision.rules[0]})",
        "ask for what they permit, or ask the owner for other terms",
    )


def terms_of_use(loaded: Loaded) -> UseTerms | None:
    """What a report says of the terms of use: what they permitted, and how sources are named."""
    decision = check_terms(loaded)
    if decision is None:
        return None
    said = decision.as_json()
    rights = loaded.request.rights
    sources = [card.citation for _, card in _cards(loaded)]
    return UseTerms(**said, attributions=list(dict.fromkeys(sources)) or [rights.owner])


def has_terms(loaded: Loaded) -> bool:
    """Whether the request, or the card of a source, states terms of use."""
    return loaded.request.rights.policy is not None or bool(_named_cards(loaded))


def check_giving(loaded: Loaded, what: str) -> Decision | None:
    """The decision about giving away what a run made, as its request says who gets it.

    Parameters
    ----------
    loaded : Loaded
        The request.
    what : str
        Key of ``rights.publication``: results, data or model.

    Returns
    -------
    Decision or None
        None where neither the request nor a card states terms; the request has to say ``never``
        itself then, to be taken at its word.

    Raises
    ------
    InputError
        If nobody is to get it, or a rule denies it today, with the rule's name.
    """
    decision = check_terms(loaded)
    publication = loaded.request.rights.publication
    said = decision is not None or what in publication.model_fields_set
    if said and getattr(publication, what) == "never":
        raise InputError(
            loaded.file.place(("rights", "publication")),
            f"rights.publication.{what} is never, so nobody gets it (rule {NOBODY})",
            f"say who gets it, such as {what}: company_only, and run the request again",
        )
    return decision


def record_decision(loaded: Loaded, out: Path | None, decision: Decision) -> None:
    """Add a decision to the log of the request's pool; without a pool, of the run in `out`.

    Raises
    ------
    InputError
        If it cannot be written; nothing runs unrecorded.
    """
    rights = loaded.request.rights
    if rights.pool is not None:
        path = Catalogue.at(loaded.base / rights.pool).log
    else:
        assert out is not None
        out.mkdir(parents=True, exist_ok=True)
        path = out / DECISIONS
    append(path, _entry(loaded, decision))


def _cards(loaded: Loaded) -> list[tuple[Path, Card]]:
    """File and card of each source that has one."""
    paths = [loaded.base / name for name in dict.fromkeys(_named_cards(loaded))]
    return [(path, read_card(path)) for path in paths]


def _named_cards(loaded: Loaded) -> list[str]:
    """Paths of the cards of all sources; that of a published dataset is its source."""
    found = [
        source.source if source.format == PUBLISHED else source.card
        for source in loaded.request.data
    ]
    return [name for name in found if name is not None]


def _decision(loaded: Loaded, cards: list[tuple[Path, Card]]) -> Decision:
    """The decision, from the terms of the request, of the cards and of the catalogue."""
    rights = loaded.request.rights
    for name in ("actor", "purpose"):
        if getattr(rights, name) is None:
            place = loaded.file.place(("rights",))
            problem = f"rights.{name} is missing, and the card of a source states terms of use"
            raise InputError(place, problem, f"add {name}: ...")
    assert rights.actor is not None
    assert rights.purpose is not None
    reach = rights.publication.model_dump()
    ask = Ask(
        rights.actor,
        rights.purpose,
        rights.commercial,
        datetime.now(UTC).date(),
        tuple(what for what, level in reach.items() if level in _REACHES),
        tuple(what for what, level in reach.items() if level == "after_review"),
    )
    inputs, warnings = [], []
    if rights.policy is not None:
        policy = load_policy(
            rights.policy, loaded.base, f"{loaded.file.place(('rights', 'policy'))}: rights.policy"
        )
        inputs.append(Terms("the request", policy, rights.delete_after))
    pool = None if rights.pool is None else Catalogue.at(loaded.base / rights.pool)
    for path, card in cards:
        here = terms_of(card, path)
        found = None if pool is None else pool.newest(card.id)
        inputs.append(here)
        if found is not None:
            there = terms_of(found[1], found[0] / CARD)
            inputs.append(there)
            if (here.policy, here.valid_until) != (there.policy, there.valid_until):
                warnings.append(
                    f"{card.id}: the card beside the data and the catalogue state unlike terms; "
                    "the stricter hold"
                )
    return decide(ask, inputs, warnings)


def terms_of(card: Card, path: Path) -> Terms:
    """The terms that a card states."""
    policy = card.policy and load_policy(card.policy, path.parent, f"{path}: policy")
    return Terms(f"the data set {card.id}", policy or None, card.valid_until, card.withdrawn)


def _entry(loaded: Loaded, decision: Decision) -> dict[str, Any]:
    """What is logged: keys and kinds, no names."""
    request = loaded.request
    return {
        "kind": "decision",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "request": digest_of(request.model_dump(mode="json")),
        "family": loaded.family.name,
        "actor": request.rights.actor,
        "purpose": request.rights.purpose,
        "commercial": request.rights.commercial,
        "publication": request.rights.publication.model_dump(),
        "version": lumipipe.__version__,
        **decision.as_json(),
    }
