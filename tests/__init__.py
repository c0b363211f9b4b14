"""Makes `tests` a package of this repository: some installed packages bring one of the same name."""
