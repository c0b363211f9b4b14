"""Where images and what is said of them come from: files in a folder, with or without a table, or one array file."""

from lib.readers.arrays import NpzReader
from lib.readers.files import FilesReader

Reader = FilesReader | NpzReader
