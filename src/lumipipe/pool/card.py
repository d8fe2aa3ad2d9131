"""The card of a dataset: what it is, whose, under which terms, and what may cross the border.

How a card is told to other catalogues is in `lumipipe.pool.exports`.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError

from lumipipe.config import Digest, Identifier, Settings, Text
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

CARD = "card.json"


class CardChannel(Settings):
    """One measured quantity."""

    name: Text
    quantity: Text
    unit: Text


class CardStream(Settings):
    """Channels that were sampled together."""

    rows: Annotated[int, Field(ge=0)]
    channels: list[CardChannel]


class Card(Settings):
    """What a dataset says of itself."""

    lumipipe_card: Literal[1] = 1
    """Version of the form."""
    id: Identifier
    """Name of the dataset in its pool."""
    version: Annotated[int, Field(ge=1)]
    """Published datasets are never changed: growth and withdrawals make a new version."""
    title: Text
    """Title."""
    description: Text
    """What the data are."""
    owner: Text
    """Who decides about them."""
    personal_data: Literal["none", "pseudonymous", "personal"]
    """Whether the data come from people who could be found again."""
    policy: Text | None = None
    """Terms of use, as in ``rights.policy`` of a request; not usable where nobody has said."""
    valid_until: date | None = None
    """Last day of use."""
    withdrawn: bool = False
    """Whether the owner has taken the dataset back."""
    licence: Text | None = None
    """Licence or agreement."""
    attribution: Text
    """Words by which users name the source."""
    lawful_basis: Text | None = None
    """What the use of personal data rests on."""
    consent_register: Text | None = None
    """Where consents are kept."""
    published: date
    """Day of publication."""
    units: list[Digest] = []
    """Keyed digests of the machines or persons; they do not leave the pool."""
    recordings: Annotated[int, Field(ge=0)]
    """Number of recordings."""
    streams: dict[str, CardStream]
    """What was measured."""
    files: Annotated[int, Field(ge=0)]
    """Number of files."""
    size: Annotated[int, Field(ge=0)]
    """Bytes of all files."""
    manifest: Text
    """Name of the manifest that lists the files with their digests."""
    digest: Digest
    """Digest of that manifest's content."""

    @property
    def citation(self) -> str:
        """How the dataset is cited, which has no DOI: by its digest."""
        return (
            f"{self.attribution} ({self.published.year}): {self.title} [data set], "
            f"{self.id} version {self.version}, SHA-256 {self.digest}."
        )


def read_card(path: Path) -> Card:
    """The card in a file.

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    Card
        What it says.

    Raises
    ------
    InputError
        If it is not there or is no card; without a card nothing is known of the terms.
    """
    remedy = "publish the dataset with lumipipe pool add, which writes its card"
    try:
        return Card.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(str(path), "there is no card", remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"is no card ({'.'.join(map(str, first['loc']))}: {first['msg']})"
        raise InputError(str(path), problem, remedy) from error
    except ValueError as error:
        raise InputError(str(path), f"is no card ({error})", remedy) from error
