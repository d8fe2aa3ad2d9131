"""The verbs, one file each: they wire the seams to the parts and know all of them."""
