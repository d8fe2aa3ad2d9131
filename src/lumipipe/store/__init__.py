"""The store seam: what stages leave on disk, and how it is read back.

`manifest` says what exists, `dataset` reads recordings, `writer` and `layout` put them there,
`pieces` is the half-way form of a preparation, which `first_pass` makes, keeps and uses again
(`batches`: who reads what), `read_ahead` overlaps reading with computing.
Import from the modules: this package itself imports none of them, so a program that only
reads a manifest does not load Zarr.
"""
