"""Measurements against peers and goals, side by side in one run. `python -m benchmarks [NAME ...]`; see `make bench`."""
