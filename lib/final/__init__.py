"""The final test: what is frozen, and how good it is on images that were never used."""
