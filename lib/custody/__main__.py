"""`python -m lib.custody DATASET PROFILE`: the first step of the build graph; a mistake of the user's is one line.

While the mistake lasts it also stands in `logs/data.error`, which tells `make book` that it was said.
"""

import sys

from lib import atomic, config, custody

DATA_ERROR = "logs/data.error"  # below the root of a book


def main(dataset: str, profile: str) -> int:
    """Prepare the data of a book; returns the exit status."""
    try:
        config.settle_data()
        failure = config.book_root(dataset, profile) / DATA_ERROR
        failure.unlink(missing_ok=True)
        try:
            custody.prepare(dataset, profile)
        except config.UserError as error:
            atomic.write_text(failure, f"{error}\n")
            raise
    except config.UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
