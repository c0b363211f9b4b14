"""Like diabetic-retinopathy-detection (S4.1): `trainLabels.csv` names thousands of images, `train/` holds some of them."""

from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

PATIENTS = 40
LEVELS = [0, 2, 0, 1, 0, 3, 0, 2, 0, 4]  # of one patient after the other
SIGNAL = [0.0, 0.7, 0.8, 0.9, 1.0]  # by level
ABSENT = 2000  # rows without a file


def write(folder: Path, seed: int = 7, defects: bool = True, header: bool = True) -> Planted:
    """Colour JPEG files of 56 x 72 pixels, two eyes a patient. defects: of files and of the table, absent images too."""
    eyes = tree(folder, seed)
    rows = ["image,level"] if header else []
    originals = {}
    for patient in range(PATIENTS):
        for side in ("left", "right"):
            path = f"train/{10 + 3 * patient}_{side}.jpeg"
            originals[path] = _draw(eyes, _level(path))
            rows.append(_add(eyes, Path(path).stem, _level(path), originals[path]))
    if defects:
        rows += _bad_files(eyes, originals) + _bad_rows(eyes) + _absent(eyes)
    eyes.write("trainLabels.csv", ("\n".join(rows) + "\n").encode())
    return eyes.planted(len(originals))


def write_headless(folder: Path, seed: int = 7) -> Planted:
    """The good images; the table lacks its header."""
    return write(folder, seed, defects=False, header=False)


def _level(path: str) -> int:
    """Level of a good image, by its patient."""
    patient = (int(Path(path).stem.split("_")[0]) - 10) // 3
    return LEVELS[patient % len(LEVELS)]


def _draw(eyes: Tree, level: int) -> np.ndarray:
    return pictures.colour(eyes.generator, 56, 72, SIGNAL[level])


def _add(eyes: Tree, name: str, level: int | str, pixels: np.ndarray) -> str:
    """Write an image; returns its row."""
    eyes.write(f"train/{name}.jpeg", files.jpeg(pixels))
    return f"{name},{level}"


def _bad_files(eyes: Tree, originals: dict[str, np.ndarray]) -> list[str]:
    """Broken, copied and blank files, each with a row of its own."""
    names = [f"{patient}_left" for patient in range(5000, 5100)]
    paths = iter([f"train/{name}.jpeg" for name in names])
    planting.broken_files(eyes, paths, files.jpeg, _draw(eyes, 0))
    planting.unusual(eyes, paths, ["rotated", "cmyk"], lambda: _draw(eyes, 0))
    eyes.write_bad("blank", next(paths), files.jpeg(pictures.flat(56, 72, 128)))
    healthy, severe = ([path for path in originals if _level(path) == level] for level in (0, 4))
    planting.near_copies(eyes, paths, {path: originals[path] for path in healthy[:5]}, files.jpeg)
    for kind, original in {"copy_of_bytes": healthy[6], "label_conflict": severe[0]}.items():
        eyes.plant(kind, pair(original, eyes.write(next(paths), eyes.read(original))))
    return [f"{name},0" for name in names if (eyes.folder / f"train/{name}.jpeg").exists()]


def _bad_rows(eyes: Tree) -> list[str]:
    """Rows that a table should not have, each about a good picture of its own."""
    bad = {
        "repeated_row": ["{},0", "{},0"],
        "label_conflict": ["{},0", "{},4"],
        "missing_label": ["{},"],
        "unknown_label": ["{},7"],
        "without_row": [],
    }
    rows = []
    for patient, (kind, forms) in enumerate(bad.items()):
        name = f"{7000 + patient}_right"
        _add(eyes, name, "", _draw(eyes, 0))
        eyes.plant(kind, f"train/{name}.jpeg")
        rows += [form.format(name) for form in forms]
    eyes.unusual["label with spaces"] = "train/7100_left.jpeg"
    _add(eyes, "7100_left", "", _draw(eyes, 2))
    eyes.plant("no_group", "train/unnamed.jpeg")
    eyes.plant("skipped_line", "")
    return [*rows, "7100_left, 2 ", _add(eyes, "unnamed", 0, _draw(eyes, 0)), "7101_left,0,left,eye"]


def _absent(eyes: Tree) -> list[str]:
    names = [f"{20_000 + number // 2}_{('left', 'right')[number % 2]}" for number in range(ABSENT)]
    eyes.plant("missing_file", *names)
    return [f"{name},{number % 5}" for number, name in enumerate(names)]
