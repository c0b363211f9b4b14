"""What the benchmarks of training work on: the simple network at 64 pixels, as the `cpu` book trains it, on ELPV."""

from lib import config, grids, runs
from lib.training.configuration import Configuration
from lib.training.data import Data

DATASET, PROFILE, CHAPTER = "elpv", "cpu", "05_simple_network"
IMAGE_SIZE, BATCH_SIZE = 64, 32


def load() -> tuple[Configuration, Data]:
    """The configuration and its data; the first call makes manifest and pixel cache."""
    parameters = config.chapter_parameters(CHAPTER, DATASET, PROFILE) | {"IMAGE_SIZE": IMAGE_SIZE}
    configuration = grids.family("simple_network", parameters)["all"][0]
    configuration = configuration.model_copy(update={"batch_size": BATCH_SIZE})
    return configuration, runs.data_of(configuration, config.chapter(CHAPTER, DATASET, PROFILE))
