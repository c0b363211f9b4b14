"""Networks in ONNX's format: on a CPU they answer about twice as fast as in Keras, and need no deep-learning library."""

import importlib.metadata
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def exported(network: "keras.Model") -> bytes:
    """The network in ONNX's format, by Keras' own export."""
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):  # tensors of its own would become inputs of the file
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # only what was called can be exported
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of Keras' export about NumPy's names
        path = Path(folder) / "network.onnx"
        network.export(path, format="onnx", verbose=False)
        return path.read_bytes()


def forward(network: "keras.Model", threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """What the network answers to a batch, by ONNX Runtime: (n, size, size, channels) of any type -> (n, ...) float32.

    Each thread computes whole images, one at a time: nothing waits for another thread, the numbers stay in the
    processor's cache, and they do not depend on threads or neighbours.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    session = onnxruntime.InferenceSession(exported(network), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    pool = ThreadPoolExecutor(threads)

    def one(image: np.ndarray) -> np.ndarray:
        return session.run(None, {name: image[np.newaxis].astype(np.float32)})[0]

    return lambda images: np.concatenate(list(pool.map(one, images)))


def versions() -> list[str]:
    """Minor versions of what exports a network and of what computes it."""
    found = [importlib.metadata.version(name) for name in ("onnxruntime", "tf2onnx")]
    return [".".join(version.split(".")[:2]) for version in found]
