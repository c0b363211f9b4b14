"""`python -m lib.features DATASET PROFILE BACKBONE FEATURE_SIZE TARGET`: a step of the build graph.

TARGET, a small JSON file, then names the features by their key: what it says changes only when they do.
"""

import sys
from pathlib import Path

from lib import atomic, config, features


def main(dataset: str, profile: str, backbone: str, image_size: str, target: str) -> int:
    """Prints one clear failure."""
    root = config.book_root(dataset, profile)
    context = config.Context("features", dataset, profile, root, root / "features")
    try:
        found = features.get(context, backbone, int(image_size))
    except (config.UserError, features.FeaturesFailed) as error:
        print(error, file=sys.stderr)
        return 1
    atomic.write_json(Path(target), {"key": found.record["key"], "images": found.record["images"]})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
