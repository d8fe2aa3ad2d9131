"""A project folder in which the workflow runs with a stand-in for lumipipe."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).with_name("fake_lumipipe.py")
VERBS = ("prepare", "train", "score", "report")


@dataclass(frozen=True)
class Project:
    """A folder with a request and an output folder."""

    folder: Path

    @property
    def out(self) -> Path:
        """The output folder."""
        return self.folder / "out"

    def ask(self, **sections: dict | str) -> None:
        """Write the request; sections of verbs that are not named are empty."""
        request = {verb: {} for verb in VERBS} | sections
        (self.folder / "request.json").write_text(json.dumps(request))

    def command(self, *options: str, **config: str | None) -> list[str]:
        """The command line of Snakemake for this project; a setting that is None is left out."""
        settings = {
            "request": "request.json",
            "out": "out",
            "lumipipe": shlex.join([sys.executable, str(FAKE)]),
            **config,
        }
        return [
            *(sys.executable, "-m", "snakemake"),
            *("--snakefile", str(ROOT / "workflow" / "Snakefile")),
            *("--profile", str(ROOT / "config" / "profiles" / "laptop")),
            *("--directory", str(self.folder)),
            *options,
            *("--config", *(f"{name}={value}" for name, value in settings.items() if value)),
        ]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of Snakemake: nothing is written outside the project's folder."""
        return {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def run(self, *options: str, **config: str | None) -> subprocess.CompletedProcess[str]:
        """What Snakemake answered."""
        return subprocess.run(
            self.command(*options, **config),
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )

    def planned(self, **config: str | None) -> list[str]:
        """The verbs that a dry run would start, in order."""
        done = self.run("--dry-run", "--quiet", "host", **config)
        assert done.returncode == 0, done.stderr
        return re.findall(r"^Job \d+: (\w+):", done.stdout, re.MULTILINE)

    def manifests(self) -> dict[str, set[str]]:
        """The names of the manifests of each verb."""
        return {verb: {path.name for path in (self.out / verb).glob("*.json")} for verb in VERBS}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with an empty request."""
    folder = tmp_path / "a project"
    folder.mkdir()
    made = Project(folder)
    made.ask()
    return made
