"""`python -m lib.custody DATASET PROFILE`: the first step of the build graph; a mistake of the user's is one line."""

import sys

from lib import config, custody

if __name__ == "__main__":
    try:
        custody.prepare(*sys.argv[1:])
    except config.UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
