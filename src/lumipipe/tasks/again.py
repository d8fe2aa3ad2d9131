"""How a run is repeated from its crate: what a reader's page says where the run leaves one.

What it says of a run without one is in `lumipipe.families.pages.engineer`: outputs are no part of
the scored answer, so that another output scores nothing again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.language import say
from lumipipe.tasks.shown import CRATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.config import Request
    from lumipipe.reporting.result import ReaderPage

_ITEM, _OUTPUT = "rerun", "run_crate"


def pages_with_crate(request: Request, pages: Sequence[ReaderPage]) -> list[ReaderPage]:
    """The pages, with the command that repeats the crate where the request asks for one.

    Parameters
    ----------
    request : Request
        Its outputs, and whether the data come from people.
    pages : sequence of ReaderPage
        Of the scored answer.

    Returns
    -------
    list of ReaderPage
        The item ``rerun`` names ``lumipipe rerun`` before the commands that it had.
    """
    if _OUTPUT not in request.outputs:
        return list(pages)
    words = _words(is_private=request.rights.personal_data != "none")
    return [
        page.model_copy(
            update={
                "items": [
                    item.model_copy(update={"sentence": f"{words} {item.sentence}"})
                    if item.name == _ITEM
                    else item
                    for item in page.items
                ]
            }
        )
        for page in pages
    ]


def _words(*, is_private: bool) -> str:
    """How the crate beside the report is repeated, by anybody or by who has the data."""
    if is_private:
        return say(
            "By who has data and request, from the crate beside this report: lumipipe rerun "
            "{crate} --data DATA --out FOLDER. It holds neither, for they come from people; DATA "
            "is the folder that holds both. Every digest is checked, all is computed again, and "
            "each deviation is listed.",
            crate=CRATE,
        )
    return say(
        "By anybody who has the data, from the crate beside this report and with no network: "
        "lumipipe rerun {crate} --data DATA --out FOLDER. DATA is a folder with the raw files, "
        "under any names. Every digest is checked, all is computed again, and each deviation is "
        "listed.",
        crate=CRATE,
    )
