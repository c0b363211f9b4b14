"""`python -m lib.custody DATASET PROFILE`: the first step of the build graph; a mistake of the user's is one line.

The line also stands in `logs/data.error` while the mistake lasts, so that `make book` can repeat it at its end.
"""

import sys

from lib import atomic, config, custody


def main(dataset: str, profile: str) -> int:
    """Prepare the data of a book; returns the exit status."""
    failure = config.book_root(dataset, profile) / "logs" / "data.error"
    failure.unlink(missing_ok=True)
    try:
        custody.prepare(dataset, profile)
    except config.UserError as error:
        print(error, file=sys.stderr)
        atomic.write_text(failure, f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
