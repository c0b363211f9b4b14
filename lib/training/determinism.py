"""What must be fixed before TensorFlow computes anything, so that a run repeats bit for bit."""

import keras
import tensorflow as tf


def fix(threads: int, seed: int) -> None:
    """Fix the seeds of Python, NumPy and TensorFlow (S3.13), the number of threads, and choose deterministic kernels.

    Raises RuntimeError when TensorFlow already runs with another number.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        running = tf.config.threading.get_intra_op_parallelism_threads()
        raise RuntimeError(
            f"TensorFlow already runs with {running or 'its default number of'} threads, this run asks for {threads}; "
            "restart the kernel"
        ) from None
