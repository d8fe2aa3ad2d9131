"""Pages for engineer, coach, metrologist and authority; `build` puts them together."""
