"""After a withdrawal a person's pseudonym is in no output of any family that works on people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import call
from personal_requests import PERSONAL, SECRET, contents, personal_request
from pooled import RIGHTS, run
from small_requests import change

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
pytestmark = pytest.mark.slow

GONE = "runner-p1"


def told(*folders: Path) -> set[str]:
    """Files, arrays and columns in which the pseudonym stands."""
    needle = GONE.encode()
    return {
        place
        for folder in folders
        for place, content, _ in contents(folder)
        if needle in content or GONE in place
    }


@pytest.mark.parametrize("family", PERSONAL)
def test_the_pseudonym_is_in_no_output(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMIPIPE_PSEUDONYM_KEY", SECRET)
    monkeypatch.setattr("personal_requests.PERSONS", 4)  # of whom three are left
    request = personal_request(tmp_path / "here", family)
    forms = len(request.read_text(encoding="utf-8").split("pattern:")) - 1
    named = {"recordings": {"unit": "runner-{person}", "id": "runner-{person}-{sport}-{form}"}}
    request = change(request, rights=RIGHTS, data=dict.fromkeys(range(forms), named))
    pool = request.parent / "pool"
    assert call("pool", "init", pool).code == 0
    out = run(request)
    assert told(out)
    assert call("pool", "add", pool, out, "--id", "runs").code == 0
    said = call("pool", "withdraw", pool, "runs", GONE)
    assert said.code == 0, said
    assert told(out, pool) == set()
    run(request)
    assert told(out, pool) == set()
