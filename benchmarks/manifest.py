"""How fast the manifest reads images: every file decoded, hashed and described once, nothing cached."""

from benchmarks import report, subject
from lib import cards, manifest

REPEATS = 3
GOAL_IMAGES, GOAL_SECONDS = 2624, 30  # on two cores


def measure() -> list[report.Figure]:
    """All images of ELPV; the first repeat may read from disk."""
    card = cards.load(subject.DATASET)
    paths = card.reader.rows()["path"].tolist()
    speed = [len(paths) / report.seconds(lambda: manifest.build(card.read, paths)) for _ in range(REPEATS)]
    goal = report.Goal("at least", GOAL_IMAGES / GOAL_SECONDS)
    return [report.Figure("manifest of ELPV", "images a second", speed, goal)]
