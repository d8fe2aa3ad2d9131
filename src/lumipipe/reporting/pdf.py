"""The report as PDF: the HTML file printed by a Chromium of this machine, by its print CSS.

A browser that people print with anyway keeps tables, SVG and the text of figures (as a tagged PDF)
better than a library that lays pages out itself; it is no requirement of the package.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lumipipe.errors import InputError

VARIABLE = "LUMIPIPE_CHROMIUM"
"""Name of the variable of the environment that names a Chromium."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 120  # a report of some megabytes takes a few
_DATES = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}")
_DATE = b"D:19700101000000"  # as long as the one that it replaces, so that all offsets hold


def find_browser(place: str) -> str:
    """The Chromium that prints.

    Parameters
    ----------
    place : str
        File and line for the message.

    Returns
    -------
    str
        Path of the program: that of `VARIABLE`, or the first of the usual names.

    Raises
    ------
    InputError
        If there is none.
    """
    named = os.environ.get(VARIABLE)
    found = [shutil.which(name) for name in ([named] if named else _NAMES)]
    browser = next((path for path in found if path is not None), None)
    if browser is None:
        raise InputError(
            place,
            f"{VARIABLE} names {named}, no program" if named else "no Chromium prints the PDF here",
            f"install Chromium, or name one by {VARIABLE}, or print report.html from a browser",
        )
    return browser


def printed(html: Path) -> bytes:
    """Print a page; the same bytes each time with one version of the browser.

    Parameters
    ----------
    html : Path
        A file that needs nothing from outside.

    Returns
    -------
    bytes
        The PDF.

    Raises
    ------
    InputError
        If there is no browser, or it does not print the page.
    """
    browser = find_browser(str(html))
    with tempfile.TemporaryDirectory(prefix="lumipipe-pdf-") as folder:
        pdf = Path(folder) / "page.pdf"
        command = [
            browser,
            "--headless",
            "--no-sandbox",  # in containers there is none to be had; the page has no script
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={pdf}",
            html.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
            told = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        except subprocess.TimeoutExpired:
            told = [f"not done after {_SECONDS} s"]
        content = pdf.read_bytes() if pdf.is_file() else b""
    if not content.startswith(b"%PDF"):
        raise InputError(
            str(html), f"{browser} printed no PDF ({told[0]})", "print report.html from a browser"
        )
    return _DATES.sub(rb"/\1 (" + _DATE, content)
