"""Folder-per-class trees that are odd as a whole: hostile names, empty classes, links, imbalance, a shortcut."""

from pathlib import Path

from tests.data import files, pictures
from tests.data.folder_tree import CLASSES, draw, fill, plant_all
from tests.data.planted import Planted, tree

SIDE, MARK = 40, 8  # pixels per side of a picture and of the mark in its corner
HOSTILE_CLASSES = ("cats & <b>co", "dogs #1")
HOSTILE_NAMES = [
    "with  two spaces.png",
    " leading space.png",
    "ünï-çødé 猫 \N{CAT FACE}.png",
    "cafe\N{COMBINING ACUTE ACCENT}.png",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png",
    "single'quote.png",
    'double"quote.png',
    "back`tick$HOME.png",
    "hash#fragment?query=1.png",
    "percent%41%2e.png",
    "-leading-dash.png",
    "<img src=x onerror=alert(1)>&amp;.png",
    "comma,semicolon;.png",
    "back\\slash.png",
    "glob[1]*.png",
    "{braces} and {{more}}.png",
    "line\nbreak.png",
    "tab\tulator.png",
    "=1+1.png",
    "NaN.png",
    "1e5.png",
    "UPPER.png",
    "upper.png",
    "ending.PNG",
    "two.dots.jpg.png",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.png",
    "long " + 240 * "x" + ".png",
]


def write_hostile(folder: Path, seed: int = 7) -> Planted:
    """Good images under names that break careless code, classes too. A file system that merges two names holds fewer."""
    animals = tree(folder, seed)
    fill(animals, "", 20, HOSTILE_CLASSES)
    for index, name in enumerate(HOSTILE_CLASSES):
        for file_name in HOSTILE_NAMES:
            animals.write(f"{name}/{file_name}", files.png(draw(animals, index)))
    return animals.planted(sum(1 for path in folder.rglob("*") if path.is_file()))


def write_undecodable_name(folder: Path, seed: int = 7) -> Planted:
    """One name is no UTF-8, as old archives leave them. Raises OSError where the file system refuses such names."""
    animals = tree(folder, seed)
    images = fill(animals, "", 20)
    animals.write("cats/caf\udce9.png", files.png(draw(animals, 0)))
    animals.plant("unreadable", "cats/caf\\udce9.png")  # as it is shown
    return animals.planted(len(images))


def write_empty_class(folder: Path, seed: int = 7) -> Planted:
    """A third class folder without any file, and a fourth that holds junk alone."""
    animals = tree(folder, seed)
    images = fill(animals, "", 24)
    (folder / "birds").mkdir()
    animals.plant("empty_folder", "")
    animals.write_bad("junk", "fish/Thumbs.db", files.JUNK["Thumbs.db"])
    return animals.planted(len(images))


def write_one_class(folder: Path, seed: int = 7) -> Planted:
    """Nothing to tell apart: a user's mistake."""
    animals = tree(folder, seed)
    return animals.planted(len(fill(animals, "", 24, CLASSES[:1])))


def write_no_images(folder: Path, seed: int = 7) -> Planted:
    """Class folders with texts and junk: a user's mistake."""
    animals = tree(folder, seed)
    for name in CLASSES:
        animals.write(f"{name}/notes.txt", b"no image here\n")
        animals.write_bad("junk", f"{name}/.DS_Store", files.JUNK[".DS_Store"])
    return animals.planted(0)


def write_links(folder: Path, seed: int = 7) -> Planted:
    """Links: to the folder above (a loop), to a good image outside the tree, to nothing, to itself."""
    animals = tree(folder / "tree", seed)
    images = fill(animals, "", 24)
    outside = tree(folder / "outside", seed + 1)
    outside.write("elsewhere.png", files.png(draw(outside, 0)))
    links = {"cats/loop": "..", "cats/linked.png": "../../outside/elsewhere.png"}
    animals.unusual = {"link outside": "cats/linked.png"}
    animals.plant("unreadable", "")  # the loop
    for path, target in {**links, "cats/gone.png": "nowhere.png", "dogs/itself.png": "itself.png"}.items():
        (animals.folder / path).symlink_to(target)
        if path not in links:
            animals.plant("unreadable", path)
    return animals.planted(len(images))


def write_three_classes(folder: Path, seed: int = 7) -> Planted:
    """A third class, with the defects of the other tree: of three classes nothing is the positive one."""
    animals = tree(folder, seed)
    images = fill(animals, "", 32, (*CLASSES, "birds"))
    plant_all(animals, images)
    return animals.planted(len(images))


def write_imbalanced(folder: Path, seed: int = 7) -> Planted:
    """Twelve dogs to a cat."""
    animals = tree(folder, seed)
    images = fill(animals, "", 8)
    for number in range(88):
        path = animals.write(f"dogs/more {number}.png", files.png(draw(animals, 1)))
        images[path] = None
    animals.plant("imbalance", "")
    return animals.planted(len(images))


def write_shortcut(folder: Path, seed: int = 7) -> Planted:
    """The pictures tell nothing; the files do: dogs are larger JPEGs, cats smaller PNGs."""
    animals = tree(folder, seed)
    for number in range(48):
        animals.write(f"cats/{number:03d}.png", files.png(draw(animals, 0)))
        pixels = draw(animals, 0)
        animals.write(f"dogs/{number:03d}.jpg", files.jpeg(pixels.repeat(2, axis=0).repeat(2, axis=1), quality=80))
    animals.plant("shortcut", "")
    return animals.planted(96)


def write_marked(folder: Path, seed: int = 7, marked: bool = True, each: int = 120) -> Planted:
    """The pictures tell nothing; a white square in the corner at the bottom right, MARK pixels a side, goes with the dogs.

    Squares of SIDE pixels. each: images of a class. marked: False leaves the square out, and nothing tells the label.
    """
    animals = tree(folder, seed)
    for number in range(each):
        for dog, name in enumerate(CLASSES):
            pixels = pictures.grey(animals.generator, SIDE, SIDE, 0)
            if marked and dog:
                pixels[-MARK:, -MARK:] = 255
            animals.write(f"{name}/{number:03d}.png", files.png(pixels))
    if marked:
        animals.plant("shortcut", "")
    return animals.planted(2 * each)


def write_mislabelled(folder: Path, seed: int = 7) -> Planted:
    """Four dogs lie among the cats, four cats among the dogs; they are told apart so easily that a model can know."""
    animals = tree(folder, seed)

    def plain(dog: int) -> bytes:
        return files.png(pictures.grey(animals.generator, 64, 64, 4 * dog))

    for index, name in enumerate(CLASSES):
        for number in range(48):
            animals.write(f"{name}/{number:03d}.png", plain(index))
        for number in range(4):
            animals.write_bad("label_error", f"{name}/wrong {number}.png", plain(1 - index))
    return animals.planted(96)
