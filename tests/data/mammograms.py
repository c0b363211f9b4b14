"""Like mini-MIAS: `Info.txt` starts with prose, then a row an abnormality; `.pgm` files, two in a row of one patient."""

from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

IMAGES = 96  # two of a patient
KINDS = (
    "NORM",
    "CIRC B",
    "NORM",
    "SPIC M",
    "NORM",
    "CALC M",
    "NORM",
    "ARCH B",
)  # of one image after the other, shifted
SIGNAL = {"M": 1.0, "B": 0.8}
PROSE = """INFORMATION

This file lists the films in the MIAS database and provides appropriate details as follows:

1st column:\tMIAS database reference number.

2nd column:\tCharacter of background tissue:
\t\t\tF\tFatty
\t\t\tG\tFatty-glandular
\t\t\tD\tDense-glandular

3rd column:\tClass of abnormality present:
\t\t\tCALC\tCalcification
\t\t\tCIRC\tWell-defined/circumscribed masses
\t\t\tSPIC\tSpiculated masses
\t\t\tNORM\tNormal

4th column:\tSeverity of abnormality;
\t\t\tB\tBenign
\t\t\tM\tMalignant

NOTES
1) The list is arranged in pairs of films, where each pair represents the left (even filename numbers)
   and right mammograms (odd filename numbers) of a single patient.

"""


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """Grey images of 64 x 64 pixels, half of them normal. defects: of files and rows, and a copy of another patient."""
    films = tree(folder, seed)
    rows, images = [], {}
    for number in range(1, IMAGES + 1):
        kind = _kind(number)
        images[_path(number)] = _draw(films, kind)
        films.write(_path(number), files.pgm(images[_path(number)]))
        rows += [_row(number, kind, spot) for spot in range(2 if number % 12 == 5 and kind != "NORM" else 1)]
    if defects:
        rows += _defects(films, images)
    films.write("Info.txt", (PROSE + "\n".join(rows) + "\n").encode())
    return films.planted(len(images))


def _kind(number: int) -> str:
    return KINDS[(number + number // len(KINDS)) % len(KINDS)]


def _draw(films: Tree, kind: str = "NORM") -> np.ndarray:
    return pictures.grey(films.generator, 64, 64, 0.0 if kind == "NORM" else SIGNAL[kind[-1]])


def _path(number: int) -> str:
    return f"mdb{number:03d}.pgm"


def _row(number: int, kind: str, spot: int = 0) -> str:
    """A line of the table; widespread calcifications have a note in place of a position."""
    place = (
        "" if kind == "NORM" else " *NOTE 3*" if kind == "CALC M" else f" {500 + number} {425 - 9 * spot} {60 + spot}"
    )
    return f"mdb{number:03d} {'FGD'[number % 3]} {kind}{place}"


def _defects(films: Tree, images: dict[str, np.ndarray]) -> list[str]:
    """Files and rows behind the good ones, and rows that contradict; returns the rows."""
    numbers = range(201, 301)
    paths = iter([_path(number) for number in numbers])
    planting.broken_files(films, paths, files.pgm, _draw(films))
    films.write_bad("too_large", next(paths), b"P5\n60000 60000\n255\n" + bytes(100))
    planting.misnamed(films, paths, ["JPEG"], lambda: _draw(films))
    planting.unusual(films, paths, ["sixteen_bit_pgm"], lambda: _draw(films))
    films.write_bad("blank", next(paths), files.pgm(pictures.flat(64, 64, 0)))
    normal = [path for number, path in enumerate(images, 1) if _kind(number) == "NORM"]
    planting.near_copies(films, paths, {path: images[path] for path in normal[:4]}, files.pgm)
    films.plant("copy_of_bytes", pair(normal[5], films.write(next(paths), films.read(normal[5]))))
    written = [number for number in numbers if (films.folder / _path(number)).exists()]
    return [_row(number, "NORM") for number in written] + _bad_rows(films, normal)


def _bad_rows(films: Tree, normal: list[str]) -> list[str]:
    for number, kind in {401: "without_row", 402: "unknown_label"}.items():
        films.write_bad(kind, _path(number), files.pgm(_draw(films)))
    contradicted, repeated = (int(path[3:6]) for path in normal[6:8])
    films.plant("label_conflict", _path(contradicted))
    films.plant("repeated_row", _path(repeated))
    films.plant("missing_file", *(f"mdb{number}" for number in range(501, 521)))
    absent = [_row(number, "NORM") for number in range(501, 521)]
    return ["mdb402 G WHAT X 1 2 3", _row(contradicted, "SPIC M"), _row(repeated, "NORM"), *absent]
