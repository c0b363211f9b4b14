"""Like INbreast: `INbreast.csv` with semicolons beside `AllDICOMs/`; only a file's name tells the patient."""

import hashlib
from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import dicom, files, pictures
from tests.data.planted import Planted, Tree, pair, tree

PATIENTS = 20
VIEWS = [("R", "CC"), ("L", "CC"), ("R", "ML"), ("L", "ML")]
ASSESSMENTS = ["1", "5", "2", "4a", "2", "6", "1", "4c", "3", "4b", "2"]  # Bi-Rads of one breast after the other
HEADER = "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads"


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """DICOM files of 56 x 44 pixels, 12 bits, four a patient. defects: of files, headers and rows."""
    scans = tree(folder, seed)
    rows, images = [HEADER], {}
    for patient in range(PATIENTS):
        for view in range(len(VIEWS)):
            path, assessment = _path(patient, view), _assessment(patient, view)
            images[path] = _draw(scans, assessment)
            scans.write(path, dicom.encoded(images[path], path))
            rows.append(_row(path, assessment))
    if defects:
        rows += _bad_files(scans, images) + _bad_rows(scans)
    scans.write("INbreast.csv", ("\n".join(rows) + "\n").encode())
    return scans.planted(len(images))


def _draw(scans: Tree, assessment: str = "1") -> np.ndarray:
    return pictures.grey(scans.generator, 56, 44, float(assessment[0] in "456"))


def _assessment(patient: int, view: int) -> str:
    return ASSESSMENTS[(2 * patient + view % 2) % len(ASSESSMENTS)]


def _path(patient: int, view: int = 0) -> str:
    key = hashlib.sha256(b"patient %d" % patient).hexdigest()[:16]
    side, projection = VIEWS[view]
    return f"AllDICOMs/{20_586_908 + 26 * (4 * patient + view)}_{key}_MG_{side}_{projection}_ANON.dcm"


def _row(path: str, assessment: str) -> str:
    """A row of the table: people are removed, `ML` is called MLO, some densities are spaces."""
    number, _, _, side, view, _ = Path(path).name.split("_")
    density = "     " if int(number) % 11 == 0 else str(1 + int(number) % 4)
    return f"removed;removed;{side};{view.replace('ML', 'MLO')};201001;{number};{density};{assessment}"


def _bad_files(scans: Tree, images: dict[str, np.ndarray]) -> list[str]:
    """Broken and odd files, and copies of healthy breasts; returns their rows."""
    paths = [_path(patient) for patient in range(500, 530)]
    free = iter(paths)
    for data in dicom.truncated(dicom.encoded(_draw(scans), "cut")):
        scans.write_bad("truncated", next(free), data)
    scans.write_bad("empty_file", next(free), b"")
    scans.write_bad("not_an_image", next(free), files.WEB_PAGE)
    scans.write_bad("unsupported", next(free), dicom.not_allowed(_draw(scans), "not allowed"))
    scans.write_bad("too_large", next(free), dicom.bomb("bomb"))
    scans.write_bad("wrong_extension", next(free), files.png(_draw(scans)))
    scans.write_bad("blank", next(free), dicom.encoded(pictures.flat(56, 44, 90), "blank"))
    scans.unusual["windowed"] = scans.write(next(free), dicom.windowed(_draw(scans), "windowed"))
    healthy = [_path(patient) for patient in range(PATIENTS) if _assessment(patient, 0) in "123"]
    scans.unusual["inverted"] = scans.write(next(free), dicom.inverted(images[healthy[0]], "inverted"))
    scans.plant("near_copy", pair(healthy[0], scans.unusual["inverted"]))
    copies = {path: images[path] for path in healthy[4:6]}
    planting.near_copies(scans, free, copies, lambda pixels: dicom.encoded(pixels, f"near copy {pixels.shape}"))
    scans.plant("copy_of_pixels", pair(healthy[8], scans.write(next(free), dicom.encoded(images[healthy[8]], "again"))))
    return [_row(path, "1") for path in paths if (scans.folder / path).exists()]


def _bad_rows(scans: Tree) -> list[str]:
    """Rows that a table should not have, and an image whose name tells no patient."""
    bad = {"without_row": [], "missing_label": ["  "], "unknown_label": ["7"], "repeated_row": ["2", "2"]}
    bad |= {"label_conflict": ["1", "5"]}
    rows = []
    for patient, (kind, assessments) in enumerate(bad.items()):
        path = _path(700 + patient)
        scans.write_bad(kind, path, dicom.encoded(_draw(scans), kind))
        rows += [_row(path, assessment) for assessment in assessments]
    scans.unusual["label with spaces"] = scans.write(_path(710), dicom.encoded(_draw(scans, "4a"), "spaces"))
    scans.write_bad("no_group", "AllDICOMs/20000001.dcm", dicom.encoded(_draw(scans), "no group"))
    absent = [_path(800 + patient) for patient in range(5)]
    scans.plant("missing_file", *(Path(path).name.split("_")[0] for path in absent))
    nameless = "removed;removed;R;CC;201001;20000001;2;1"
    return [*rows, _row(_path(710), " 4a "), nameless, *(_row(path, "1") for path in absent)]
