"""Groups of commands with verbs of their own; the others are in `lumipipe.cli`."""
