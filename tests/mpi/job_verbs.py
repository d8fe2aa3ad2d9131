"""A rank that runs the command line several times: all verbs that compute, for all requests.

Usage: job_verbs.py OUT REQUEST ... - one start of the ranks for many verbs; each verb's run is
that of ``python -m lumipipe VERB``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lumipipe.cli import main


def run(verb: str, request: str, out: Path) -> None:
    """Run one verb and end with its exit code unless that is 0."""
    sys.argv = ["lumipipe", verb, request, "--out", str(out)]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise


if __name__ == "__main__":
    out, *requests = sys.argv[1:]
    for request in requests:
        for verb in ("prepare", "train", "score"):
            run(verb, request, Path(out) / Path(request).parent.name)
