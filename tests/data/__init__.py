"""Tiny data sets in exactly the published layouts, with planted defects; `TREES` names them all.

A name is a data set, or a data set and a variant of it. `TREES[name](folder, seed)` writes one and returns what is in it.
"""

from functools import partial

from tests.data import (
    cats_and_dogs,
    chest_xray,
    diabetic_retinopathy,
    elpv_series,
    folder_tree,
    folder_variants,
    mammograms,
    mammograms_dicom,
    medmnist,
    nih_unlabelled,
)
from tests.data.planted import Planted, Write

CARDS = {
    "chest_xray": chest_xray,
    "diabetic_retinopathy": diabetic_retinopathy,
    "cats_and_dogs": cats_and_dogs,
    "mammograms": mammograms,
    "mammograms_dicom": mammograms_dicom,
    "medmnist": medmnist,
    "nih_unlabelled": nih_unlabelled,
    "folder": folder_tree,
}

TREES: dict[str, Write] = {
    **{name: module.write for name, module in CARDS.items()},
    **{f"{name} clean": partial(module.write, defects=False) for name, module in CARDS.items()},
    "chest_xray leaks": chest_xray.write_leaks,
    "diabetic_retinopathy headless": diabetic_retinopathy.write_headless,
    "medmnist short": medmnist.write_short,
    "medmnist colour": medmnist.write_colour,
    "elpv series": elpv_series.write,
    "elpv clean": partial(elpv_series.write, defects=False),
    "folder parts": folder_tree.write_parts,
    "folder parts clean": partial(folder_tree.write_parts, leaks=False),
    "folder hostile": folder_variants.write_hostile,
    "folder undecodable_name": folder_variants.write_undecodable_name,
    "folder empty_class": folder_variants.write_empty_class,
    "folder one_class": folder_variants.write_one_class,
    "folder no_images": folder_variants.write_no_images,
    "folder links": folder_variants.write_links,
    "folder three_classes": folder_variants.write_three_classes,
    "folder imbalanced": folder_variants.write_imbalanced,
    "folder shortcut": folder_variants.write_shortcut,
    "folder mislabelled": folder_variants.write_mislabelled,
}

__all__ = ["TREES", "Planted"]
