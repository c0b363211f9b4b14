"""Like NIH ChestX-ray14 (S1.4): numbered folders of PNG files without labels that are used; the table lies beside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

PATIENTS = 36  # in two folders
FOLLOW_UPS = 2
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """Grey PNG files of 64 x 64 pixels, some with transparency. defects: broken files, copies, junk."""
    chests = tree(folder, seed)
    rows, images = [HEADER], {}
    for patient in range(1, PATIENTS + 1):
        for follow_up in range(FOLLOW_UPS):
            path = _path(patient, follow_up)
            images[path] = _draw(chests)
            chests.write(path, (files.rgba if patient % 12 == 0 else files.png)(images[path]))
            rows.append(_row(patient, follow_up))
    chests.write("Data_Entry_2017.csv", ("\n".join(rows) + "\n").encode())
    chests.write("train_val_list.txt", "\n".join(path.split("/")[-1] for path in images).encode())
    if defects:
        _defects(chests, images)
    return chests.planted(len(images))


def _draw(chests: Tree) -> np.ndarray:
    return pictures.grey(chests.generator, 64, 64, chests.generator.uniform(0, 1))


def _path(patient: int, follow_up: int = 0) -> str:
    return f"images_{1 + (patient - 1) * 2 // PATIENTS:03d}/images/{patient:08d}_{follow_up:03d}.png"


def _row(patient: int, follow_up: int) -> str:
    finding = ("No Finding", "Cardiomegaly|Effusion")[patient % 2]
    age, sex, view = 40 + patient, "FM"[patient % 2], ("PA", "AP")[follow_up % 2]
    return (
        f"{patient:08d}_{follow_up:03d}.png,{finding},{follow_up},{patient},{age},{sex},{view},2682,2749,0.143,0.143,"
    )


def _free() -> Iterator[str]:
    return (f"images_002/images/{patient:08d}_000.png" for patient in range(9000, 9100))


def _defects(chests: Tree, images: dict[str, np.ndarray]) -> None:
    paths, originals = _free(), list(images)
    planting.broken_files(chests, paths, files.png, _draw(chests))
    planting.misnamed(chests, paths, ["WEBP"], lambda: _draw(chests))
    planting.unusual(chests, paths, ["sixteen_bit", "palette", "rgba"], lambda: _draw(chests))
    planting.junk(chests, "images_001", "images_001/images")
    planting.near_copies(chests, paths, {path: images[path] for path in originals[:5]}, files.png)
    chests.write_bad("blank", next(paths), files.png(pictures.flat(64, 64, 0)))
    chests.write_bad("no_group", "images_002/images/overview.png", files.png(_draw(chests)))
    again = files.encoded(images[originals[6]], "PNG", compress_level=1)
    chests.plant("copy_of_pixels", pair(originals[6], chests.write(next(paths), again)))
    chests.plant("copy_of_bytes", pair(originals[7], chests.write(next(paths), chests.read(originals[7]))))
