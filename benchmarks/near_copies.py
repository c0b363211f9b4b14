"""Near copies among 100,000 pictures: time, memory, what is found; and against `imagehash`'s own loop over pairs.

Three collections, each with 1,000 planted copies, each in a process of its own so that its memory can be told:
pictures like photographs; pictures that all look alike, so that every pair is a candidate; and 10,000 encodings of one.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator

import cv2
import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import report
from lib import perceptual
from lib.findings import copies

IMAGES, PLANTED, ENCODINGS = 100_000, 1_000, 10_000
SIDE = 256  # pixels, of a picture before it becomes a thumbnail
PEER_IMAGES, PEER_REPEATS = 1_000, 3
SEED = 7
CHUNK = 1_000


def measure() -> list[report.Figure]:
    """Seconds of `copies.near`, and how much memory the process grew, thumbnails included."""
    figures = []
    for name in COLLECTIONS:
        with multiprocessing.get_context("spawn").Pool(1) as process:
            seconds, processor, megabytes, recall, wrong = process.apply(_measured, (name,))
        figures += [
            report.Figure(f"{name}: near copies", "seconds", [seconds], report.Goal("at most", 60)),
            report.Figure(f"{name}: the same, of processors", "seconds of all cores", [processor]),
            report.Figure(f"{name}: memory", "MB more", [megabytes], report.Goal("at most", 1000)),
            report.Figure(f"{name}: planted copies found", "fraction", [recall], GOALS_OF_RECALL.get(name)),
            report.Figure(f"{name}: wrong links", "links", [wrong], report.Goal("at most", 0)),
        ]
    return [*figures, *_peer()]


def _peer() -> list[report.Figure]:
    manifest = _manifest(_photographs(np.random.default_rng(SEED), PEER_IMAGES))
    thumbnails = [np.frombuffer(data, np.uint8).reshape(64, 64) for data in manifest["thumbnail"]]
    hashes = [imagehash.phash(Image.fromarray(picture)) for picture in thumbnails]

    def loop() -> float:
        def pairs() -> list:
            return [(a, b) for a in range(len(hashes)) for b in range(a) if hashes[a] - hashes[b] <= 12]

        return report.seconds(pairs)

    measures = {"ours": lambda: report.seconds(lambda: copies.near(manifest)), "imagehash": loop}
    found = report.interleaved(measures, PEER_REPEATS)
    name = f"{PEER_IMAGES:,} pictures: imagehash, unverified / ours"
    return [report.Figure(name, "ratio of seconds", report.ratios(found["imagehash"], found["ours"]))]


def _measured(name: str) -> tuple[float, float, float, float, int]:
    before = _peak_megabytes()
    manifest = _manifest(COLLECTIONS[name](np.random.default_rng(SEED)))
    found, busy = [], time.process_time()
    seconds = report.seconds(lambda: found.append(copies.near(manifest)))
    busy = time.process_time() - busy
    source = manifest["path"].str.split("/").str[0]
    groups = dict(zip(manifest["path"], source, strict=True))
    right = [groups[one] == groups[two] for one, two in found[0][["image", "other"]].to_numpy()]
    expected = len(manifest) - source.nunique()  # pictures that have another one as their source
    return seconds, busy, _peak_megabytes() - before, sum(right) / expected, len(right) - sum(right)


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _photographs(generator: np.random.Generator, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Noise whose amplitude falls with its frequency: source, thumbnail (64, 64) uint8."""
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None, :]) * 64
    amplitude = (1 / np.maximum(frequency, 1)).astype(np.complex64)
    for start in range(0, count, CHUNK):
        noise = generator.normal(size=(min(CHUNK, count - start), *amplitude.shape, 2)).astype(np.float32)
        fields = np.fft.irfft2(noise.view(np.complex64)[..., 0] * amplitude, s=(64, 64))
        fields *= generator.uniform(20, 60, (len(fields), 1, 1)) / fields.std(axis=(1, 2), keepdims=True)
        for number, field in enumerate(np.clip(fields + 128, 0, 255).astype(np.uint8)):
            yield f"photograph{start + number}", field


def _look_alikes(generator: np.random.Generator, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """One template, under faint grains of each picture's own."""
    template = next(_photographs(np.random.default_rng(SEED), 1))[1].astype(np.float32)
    for number, (_, picture) in enumerate(_photographs(generator, count)):
        yield f"alike{number}", np.clip(template + 0.15 * (picture.astype(np.float32) - 128), 0, 255).astype(np.uint8)


def _copied(generator: np.random.Generator, source: str, picture: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """A picture at its full size as a thumbnail, and a changed and re-encoded one."""
    full = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    yield source, perceptual.thumbnail(full)
    yield source, perceptual.thumbnail(_changed(generator, full))


def _changed(generator: np.random.Generator, full: np.ndarray) -> np.ndarray:
    scale, contrast, gamma = generator.uniform([0.5, 0.6, 0.7], [1.5, 1.2, 1.4])
    grey = np.clip(128 + contrast * (full - 128.0) + generator.uniform(-20, 20), 0, 255)
    grey = (255 * (grey / 255) ** gamma).astype(np.uint8)
    grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    quality = int(generator.integers(40, 96))
    return cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def _with_copies(make: Callable) -> Callable[[np.random.Generator], Iterator[tuple[str, np.ndarray]]]:
    def collection(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for number, (source, picture) in enumerate(make(generator, IMAGES - PLANTED)):
            if number < PLANTED:
                yield from _copied(generator, source, picture)
            else:
                yield source, picture

    return collection


def _encodings(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Many encodings of one photograph, among others."""
    full = cv2.resize(next(_photographs(generator, 1))[1], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for _ in range(ENCODINGS):
        yield "one", perceptual.thumbnail(_changed(generator, full))
    yield from _photographs(generator, IMAGES - ENCODINGS)


def _manifest(pictures: Iterator[tuple[str, np.ndarray]]) -> pd.DataFrame:
    rows = [
        (f"{source}/{number}", picture.tobytes(), perceptual.perceptual_hash(picture), picture.mean(), picture.std())
        for number, (source, picture) in enumerate(pictures)
    ]
    table = pd.DataFrame(rows, columns=["path", "thumbnail", "perceptual_hash", "brightness", "contrast"])
    table["sha256"] = table["pixels_sha256"] = table["path"]
    table["width"] = table["height"] = SIDE
    return table.astype({"perceptual_hash": "UInt64"}).assign(format="JPEG", mode="L", status="ok")


# Of look-alikes only close copies are found: no goal.
GOALS_OF_RECALL = {name: report.Goal("at least", 0.95) for name in ("photographs", "10,000 encodings")}
COLLECTIONS = {
    "photographs": _with_copies(_photographs),
    "look-alikes": _with_copies(_look_alikes),
    "10,000 encodings": _encodings,
}
