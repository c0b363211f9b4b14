"""Class activation maps against tf-keras-vis: the same network, the same images, batch by batch, two threads, one process.

EfficientNet-Lite0 with random weights and one unit on the average, 96 pixels. Both give maps in the size of the images, and both
have been called once before, so that nothing that is done once is counted. The peer is told the layer, as ours finds it.
"""

from collections.abc import Callable

import keras
import numpy as np
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

from benchmarks import report
from lib import networks
from lib.explain.explainer import Explainer
from lib.training import determinism

IMAGE_SIZE, BATCH, IMAGES, THREADS, SEED = 96, 32, 128, 2, 7
REPEATS = 7
PEERS = {"grad_cam": Gradcam, "grad_cam_plus_plus": GradcamPlusPlus}


def measure(images: int = IMAGES, repeats: int = REPEATS) -> list[report.Figure]:
    """Maps a second of both, and how many times more ours gives. Fewer images or repeats are for a look."""
    determinism.fix(THREADS, SEED)
    model, pixels = network(), np.random.default_rng(SEED).integers(0, 256, (images, IMAGE_SIZE, IMAGE_SIZE, 3))
    explainer = Explainer(model, batch=BATCH)
    batches = [pixels[start : start + BATCH].astype(np.float32) for start in range(0, images, BATCH)]
    measures: dict[str, Callable[[], float]] = {}
    for method, peer in PEERS.items():
        measures[f"{method}, ours"] = _rate(lambda batch, m=method: explainer.maps(m, batch, 1), batches)
        theirs = peer(model, clone=False)
        measures[f"{method}, tf-keras-vis"] = _rate(
            lambda batch, p=theirs: p(
                lambda outputs: outputs[:, 0],
                batch,
                penultimate_layer=explainer.layer,
                seek_penultimate_conv_layer=False,
            ),
            batches,
        )
    report.interleaved(measures, 1)  # traces
    found = report.interleaved(measures, repeats)
    goal = report.Goal("at least", 5)
    figures = [
        report.Figure(
            f"{method}, ours / tf-keras-vis",
            "ratio",
            report.ratios(found[f"{method}, ours"], found[f"{method}, tf-keras-vis"]),
            goal,
        )
        for method in PEERS
    ]
    return figures + [report.Figure(name, "maps a second", values) for name, values in found.items()]


def network() -> keras.Model:
    """As anyone would build it, ending in a logit."""
    family, inputs = networks.family("efficientnet_lite"), keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    features = family.build(inputs, family.Parameters(variant="lite0"))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(features)))


def _rate(explain: Callable[[np.ndarray], np.ndarray], batches: list[np.ndarray]) -> Callable[[], float]:
    number = sum(map(len, batches))
    return lambda: number / report.seconds(lambda: [explain(batch) for batch in batches])
