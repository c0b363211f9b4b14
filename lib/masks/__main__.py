"""`python -m lib.masks SETTINGS-AS-JSON FOLDER`: teach the network of a mask in a process of its own."""

import sys
from pathlib import Path

from lib import masks
from lib.masks import learning


def main(settings: str, folder: str) -> int:
    """Prints one clear line where the weights are of another network."""
    try:
        learning.write(masks.Settings.model_validate_json(settings), Path(folder))
    except masks.WeightsRefused as error:
        print(error, file=sys.stderr)
        return masks.REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
