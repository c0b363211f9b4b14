"""Files of pre-trained weights: where they are, and PyTorch's legacy ones read to arrays, without running any of them."""

import contextlib
import importlib.util
import math
import os
import pickle
import socket
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from lib import config

MAGIC = 0x1950A86A20F9469CFC6C  # first value of PyTorch's file format before version 1.6
FORMAT = 1001
HDF5 = b"\x89HDF\r\n\x1a\n"  # what a file of that format begins with
TIMEOUT = 30  # seconds without a byte of a download
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class WeightsRefused(config.UserError):
    """A file that is not just tensors, or tensors that do not fit the network."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers


def find(source: str) -> Path:
    """The file of published weights: the one (`models/*.pth`) of an installed package, or that of an address.

    What has an address lies in Keras' own cache folder, or is downloaded there. Raises WeightsRefused where it cannot be had.
    """
    if source.startswith("https://"):
        return _downloaded(source)
    spec = importlib.util.find_spec(source)
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if len(files) != 1:
        raise WeightsRefused(f"package {source} holds {len(files)} weights files, expected one; install it again")
    return files[0]


def local(path: Path) -> Path:
    """A file of one's own, looked for below the repository where its path is relative. Raises WeightsRefused without it."""
    if not (file := config.REPOSITORY / path).is_file():
        raise WeightsRefused(f"weights {path} do not exist; give the path of a file, `imagenet`, or nothing")
    return file


def _downloaded(address: str) -> Path:
    name = address.rpartition("/")[2]
    file = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / name
    if file.is_file() and _is_hdf5(file):
        return file
    import keras

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # apart first: a download that is killed leaves nothing in its place
        with tempfile.TemporaryDirectory(dir=file.parent) as folder, contextlib.redirect_stdout(sys.stderr), _timeout():
            found = Path(keras.utils.get_file(name, address, cache_dir=folder, cache_subdir=""))
            if not _is_hdf5(found):
                raise ValueError("what came is no HDF5 file, but perhaps the page of a proxy")
            os.replace(found, file)
    except Exception as error:  # Keras raises nothing narrower
        reason = str(error).rpartition(" -- ")[2].splitlines()[0]
        raise WeightsRefused(
            f"{name} cannot be downloaded: {reason:.80}; fetch {address} elsewhere and give the file's path as weights"
        ) from None
    return file


def _is_hdf5(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(HDF5)) == HDF5


@contextlib.contextmanager
def _timeout() -> Iterator[None]:
    """Connections that say nothing for TIMEOUT seconds end: Keras itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def read(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a state dict by name, float32 or int64, in PyTorch's layouts.

    A pickle can name any function and have it called. This one may name tensors, their storages and the ordered
    dictionary that holds them; anything else is refused before it is looked up.
    Raises WeightsRefused naming the file and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        OverflowError,
    ) as error:
        raise WeightsRefused(f"{path.name} is no file of plain weights: {error}") from None


class _TensorsOnly(pickle.Unpickler):
    """Knows four names, all of them ours or harmless."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return partial(_no_call, name)
        raise WeightsRefused(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, _, count, view = pid
        if kind != "storage" or not isinstance(storage, partial) or view is not None or not isinstance(key, str):
            raise WeightsRefused(f"unexpected storage {pid!r:.80}")
        return _Storage(key, STORAGES[storage.args[0]], _whole(count))


def _no_call(name: str, *_: Any) -> NoReturn:
    raise WeightsRefused(f"it calls {name}")


def _tensor(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: Any) -> _Tensor:
    """What stands in for PyTorch's own function: a description, checked when the numbers are there."""
    if not isinstance(storage, _Storage):
        raise WeightsRefused("a tensor without a storage")
    shape, strides = tuple(map(_whole, shape)), tuple(map(_whole, strides))
    if len(shape) != len(strides) or not _dense(shape, strides):
        raise WeightsRefused(f"a tensor of shape {shape} with steps of {strides}")
    if _whole(offset) + math.prod(shape) > storage.count:
        raise WeightsRefused(f"a tensor of shape {shape} reaches beyond its {storage.count} numbers")
    return _Tensor(storage, offset, shape, strides)


def _dense(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether every number of a stretch is used once, whatever the order of the axes."""
    step = 1
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape, strict=True) if size > 1):
        if stride != step:
            return False
        step *= size
    return True


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise WeightsRefused(f"{number!r:.40} is no size")
    return number


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    def load() -> Any:
        return _TensorsOnly(file).load()

    if load() != MAGIC or load() != FORMAT or not load()["little_endian"]:
        raise WeightsRefused("not PyTorch's format of before version 1.6")
    state, keys = load(), load()
    if not isinstance(state, dict) or not all(isinstance(value, _Tensor) for value in state.values()):
        raise WeightsRefused("its content is no dictionary of tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    if sorted(storages) != sorted(keys):
        raise WeightsRefused("its storages are not those of its tensors")
    numbers = {key: _numbers(file, storages[key]) for key in keys}
    if file.read(1):
        raise WeightsRefused("something follows the last tensor")
    return {name: _array(tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


def _numbers(file: BinaryIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(count * storage.dtype.itemsize) if count == storage.count else b""
    if len(data) != storage.count * storage.dtype.itemsize:
        raise WeightsRefused(f"storage {storage.key} is not of {storage.count} numbers")
    return np.frombuffer(data, storage.dtype)


def _array(tensor: _Tensor, numbers: np.ndarray) -> np.ndarray:
    steps = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False)
