"""`python -m lib.custody DATASET PROFILE`: the first step of the build graph; a mistake of the user's is one line."""

import sys

from lib import config, custody

try:
    custody.prepare(*sys.argv[1:])
except config.UserError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
