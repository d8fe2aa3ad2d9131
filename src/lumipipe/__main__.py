"""``python -m lumipipe``: the command line, for launchers that start an interpreter."""

from lumipipe.cli import main

main()
