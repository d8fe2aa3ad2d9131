"""Commands, by what they are about; `lumipipe.cli` puts them together."""
