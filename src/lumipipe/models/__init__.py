"""Models: one file each, with parameters, the reducer that fits them, and prediction."""
