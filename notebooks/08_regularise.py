# %% [markdown]
# # What closes the gap?
# **Needs** the parts of the data, the network of chapter 7 · **Produces** the runs of family `regularise` · **Answers** hypotheses H8.1-H8.26
#
# A network that can overfit has a gap between what it reaches on images that it learned from and on others. Most of what
# is below is meant to close it; some settings are meant to widen it, for comparison. To know what did, one thing is
# changed at a time: every setting is a fresh network that differs from its parent in exactly one field of its
# configuration, with the same epochs at most and the same seeds.

# %%
import numpy as np
import pandas as pd

from lib import brightness, cards, custody, effects, fit, grids, hypotheses, lineage, plots, runs, texts
from lib.config import chapter
from lib.estimates import Inapplicable
from lib.hypotheses import Hypothesis
from lib.intervals import seed_mean_estimate
from lib.training import augmentation, defects

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 24  # pixels per side
SMALLER_SIZE = 16
STEM = [4, 8]  # widths of the first two convolutions
SIZES = [8, 16]  # widths of the blocks; the last one is no block
LARGER_SIZES = [8, 8, 16]
MOMENTUM = 0.5  # of batch normalisation
EPOCHS = 3
LEARNING_RATE = 0.003  # of Adam; pinned, and judged in chapter 7
PATIENCE = 1  # epochs
SMALLER_BATCH = 16
TRAIN_SHARES = [0.25, 0.5]  # of the training images
DROPOUTS = [0.5, 0.9]  # before the head
BLOCK_DROPOUT = 0.3  # inside the blocks
L2 = 0.01  # times the sum of squares of the kernels; one of those that chapter 7 sweeps
MEASURED_IMAGES = 256  # of the training part, after each epoch
SEEDS = [7]
THREADS = 1

# %%
context = chapter("08_regularise", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.regularise(
    DATASET, IMAGE_SIZE, SMALLER_SIZE, STEM, SIZES, LARGER_SIZES, MOMENTUM, EPOCHS, LEARNING_RATE, PATIENCE, SMALLER_BATCH,
    TRAIN_SHARES, DROPOUTS, BLOCK_DROPOUT, L2, MEASURED_IMAGES, SEEDS, THREADS,
)  # fmt: skip
parents = grids.parents_of("regularise", study)
data = runs.data_of(study["as it is"][0], context)

# %% [markdown]
# ## What we change
# Each row is a setting, what it is compared with, and the one thing that is other.

# %%
texts.table(lineage.described(study, parents))

# %% [markdown]
# One field is changed, which is not one effect: a smaller batch and drawn defects also mean more steps an epoch, and a
# rate that falls by steps is divided by ten each time, so with few epochs it comes close to ending training early. H8.11,
# H8.18 and H8.20 speak of all of that together.

# %% tags=["nbval-check-output"]
images = {name: len(part) for name, part in data.parts().items()}
texts.table(pd.DataFrame({"images": images}).rename_axis("part"))

# %% [markdown]
# ## What we expect
# The measure is the log loss on the validation part, in nats: overfitting shows in it first, because a network that is
# wrong and sure of it pays most. A difference below zero means that the change helped. Settings meant to do worse (fewer
# or smaller images, far too much dropout, a larger network alone) are claimed to do worse. Others are about calm (H8.25,
# H8.26), about variances inside the network (H8.15), and about the gap itself (H8.1).

# %%
less = ("difference of log losses", "less", 0)
more = ("difference of log losses", "greater", 0)
data_claims = [
    Hypothesis("H8.1", "As it is, the network overfits", "validation less training log loss", "greater", 0, "S3.25"),
    Hypothesis("H8.2", "With the fewest images, and fewer steps, it does worse", *more, "S3.30"),
    Hypothesis("H8.3", "With fewer images, and fewer steps, it does worse", *more, "S3.30"),
    Hypothesis("H8.4", "Flips help", *less, "S3.31"),
    Hypothesis("H8.5", "Flips, turns, zoom and crops help", *less, "S3.31"),
    Hypothesis("H8.6", "Changes of brightness and contrast help", *less, "S3.31"),
    Hypothesis("H8.7", "Cut-outs help", *less, "S3.31"),
    Hypothesis("H8.8", "Noise helps", *less, "S3.31"),
    Hypothesis("H8.9", "MixUp helps", *less, "S3.31"),
    Hypothesis("H8.10", "CutMix helps", *less, "S3.31"),
    Hypothesis("H8.11", "Drawn defects help", *less, "S3.33"),
    Hypothesis("H8.12", "Smaller images do worse", *more, "S3.35"),
]

# %%
network_claims = [
    Hypothesis("H8.13", "Dropout before the head helps", *less, "S3.32 S4.5"),
    Hypothesis("H8.14", "Too much of it does worse than none", *more, "S3.32"),
    Hypothesis("H8.15", "With dropout in blocks, a variance too large", "difference of shift", "greater", 0, "S3.32"),
    Hypothesis("H8.16", "L2 helps", *less, "S0.9 S4.5"),
    Hypothesis("H8.17", "Label smoothing helps", *less, "S4.5"),
    Hypothesis("H8.18", "A smaller batch helps", *less, "S3.36"),
    Hypothesis("H8.19", "A rate that falls along a cosine helps", *less, "S0.16"),
    Hypothesis("H8.20", "A rate that falls by steps helps", *less, "S0.16"),
    Hypothesis("H8.21", "A rate that falls on plateaus helps", *less, "S3.37"),
    Hypothesis("H8.22", "Early stopping helps", *less, "S3.37"),
    Hypothesis("H8.23", "A larger network alone does worse", *more, "S3.38"),
    Hypothesis("H8.24", "Early stopping helps the larger network", *less, "S3.38"),
    Hypothesis("H8.25", "Dropout makes learning less erratic", "difference of restlessness", "less", 0, "S4.5"),
    Hypothesis("H8.26", "L2 makes learning less erratic", "difference of restlessness", "less", 0, "S4.5"),
]
claims = hypotheses.Hypotheses(context, *data_claims, *network_claims)
claims

# %% [markdown]
# ## As it is
# The reduced Xception of chapter 7, with Adam at the rate that is pinned and judged there, and nothing against
# overfitting. With so many settings each gets few epochs; where chapter 7 trains for longer, its network has overfitted
# further than this one. The training curve is measured on a fixed sample of the training images.
#
# The dashed line is what costs nothing: the class shares of the training part, given to every image. A network above it
# on validation does worse than one that looks at no image, though it may rank images better. Parts may
# differ in more than class shares, as the table of brightness further down shows; a gap holds that, too.

# %% mystnb={"figure": {"name": "fig-as-it-is", "caption": "The parent of all settings through training: mean over seeds, bands from the lowest to the highest seed. The distance between training and validation is the gap; the dashed line is the log loss that the class shares reach on validation."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
history = {name: pd.concat(run.history for run in group) for name, group in finished.items()}
blind = effects.blind(data)
plots.curves(
    history["as it is"], {"loss": "loss, nats", "accuracy": "accuracy"}, references={"loss": blind["log_loss"]}
)

# %%
effect, ranked = (effects.differences(metric, finished, parents) for metric in ("log_loss", "auc"))
fewest, half = (f"{share:g} of the images" for share in (min(TRAIN_SHARES), max(TRAIN_SHARES)))
unasked = Inapplicable("the card names no simulator of defects")
by_data = ["flips", "geometry", "colour", "cut-out", "noise", "mixup", "cutmix", "drawn defects", "smaller images"]
texts.together(claims.measure("H8.1", fit.gap(finished["as it is"])), fit.without_images(data))

# %% [markdown]
# ## How to read a difference
# Below, *helps* means a lower log loss than the parent's, and no more. There are two ways to it: to rank images better,
# or to be less sure, which moves a network that is sure and wrong towards the class shares, whatever it sees. The parts
# hold other shares of the classes, so the first row is not the best constant either. A setting whose AUC has an interval
# above one half is shown to rank other images better than chance; each such interval stands by itself. Only where its log
# loss also lies below the first row's are its probabilities of more use here than the class shares. Where even the
# parent's AUC is not told from one half, no difference says what would help a network that ranks; that it is not told
# apart may be due to the network as much as to the images.

# %%
texts.table(effects.beside({"log_loss": effect, "auc": ranked}, finished, blind))

# %% [markdown]
# ## More images
# More real images are commonly held to be the best regulariser; whether that shows here is the question. The shares are
# nested, and hold the classes as the whole does. Each may stop early; but within the same epochs fewer images also mean
# fewer steps, and the steps before the weights that are kept may differ by more than the images do, from seed to seed
# too: the table of epochs below counts them. So H8.2 and H8.3 speak of images and steps together, and what images alone
# are worth is not tested. The points share their validation images, so whether their intervals overlap decides nothing:
# H8.2 and H8.3 judge paired differences. Where the curve lies above the dashed line, a fall only means less harm than
# before, not something learned.

# %% mystnb={"figure": {"name": "fig-learning-curve", "caption": "Log loss on the validation part against the number of training images, each stopped early or at its last epoch, with its interval over groups and seeds; dashed, what the class shares reach."}}
shares = {**{f"{share:g} of the images": share for share in sorted(TRAIN_SHARES)}, "early stopping": 1.0}
reached = {name: effects.validation_estimate("log_loss", finished[name]) for name in shares}
plots.dependence(
    {round(shares[name] * len(data.train)): reached[name] for name in shares},
    "training images",
    "validation log loss, nats",
    blind["log_loss"],
)

# %% [markdown]
# ## The same image, changed
# Augmentation is part of the network: it acts on training batches alone, and the same on every device. What must never
# happen is that a change makes an image of one class look like one of the other, or like none at all. A patch may cover
# the very spot that makes the class, and noise may drown it where images are small: the label then is wrong. Where the
# pictures below show that, a setting that does not help says something of its strength at this size, not of the method.

# %%
example = data.train.first(1)
together = {name: study[name][0].augmentation for name in ("geometry", "colour", "cut-out", "noise")}
kinds = {layer.kind: (layer,) for layers in together.values() for layer in layers} | {"geometry": together["geometry"]}
patch, grain = kinds["cutout"][0].share, kinds["noise"][0].deviation
texts.sentence(
    f"The training image below is labelled {card.classes[example.labels[0]]}. A patch covers {round(patch * IMAGE_SIZE)} of",
    f"the {IMAGE_SIZE} px of a side; the noise has a standard deviation of {255 * grain:.0f} of 255 grey levels.",
)

# %% mystnb={"figure": {"name": "fig-augmentation", "caption": "One training image, and how each augmentation by itself may show it to the network, in the last row those of the setting `geometry` together; first in each row, the image as it is."}}
image = example.pixels[example.rows[0]]
plots.pictures(
    {name: [image, *augmentation.examples(layers, image, 7, SEEDS[0], THREADS)] for name, layers in kinds.items()}
)

# %% [markdown]
# Two more change images in pairs: MixUp lays one over another, CutMix sets a piece of one into another; labels are mixed in
# the same proportion.
#
# And a simulator draws cracks, dark areas and broken fingers into sound cells, which then count as defective. Drawings
# in which nothing is to be seen, because they lie at the rim or where the cell is dark anyway, are left out. It was
# written from what such defects look like, not fitted to any image; it adds images to training alone, and what it is
# worth is measured on real ones. But it moves the shares of the classes too, and with them what a network says of every
# image, which log loss pays for: the sentence with the measurements below says how far, for the first seed.

# %% mystnb={"figure": {"name": "fig-drawn", "caption": "Sound training images (first row), the same with drawn defects (second), and where something was drawn (third)."}}
sound = data.train.pixels[data.train.rows[data.train.labels == 0][:16]]
drawn, places = defects.drawn(sound, seed=SEEDS[0])
seen = np.flatnonzero(defects.visible(sound, drawn))[:8]
rows = {"sound": sound, "with drawn defects": drawn, "where": np.uint8(255 * places)[..., None]}
plots.pictures(
    {name: [each.squeeze() for each in images[seen]] for name, images in rows.items()} if card.simulator else {}
)

# %% mystnb={"figure": {"name": "fig-by-data", "caption": "What changes of the images bring: log loss on the validation part less that of the parent; left of the dashed line is better."}}
changed = {name: effect.get(name, unasked) for name in [fewest, half, *by_data]}
plots.intervals(changed, "difference of log losses, nats", 0)

# %%
ids = [f"H8.{number}" for number in range(2, 13)]
drawn_data = [runs.data_of(configuration, context) for configuration in study.get("drawn defects", [])[:1]]
added = [effects.added(data, other, card.classes) for other in drawn_data]
texts.together(claims.measure_each(dict(zip(ids, changed.values(), strict=True))), *added)

# %% [markdown]
# ## The network and its training
# Dropout silences part of the features, L2 keeps kernels small, label smoothing forbids being sure. Smaller batches add
# noise to each step; rates that fall take it away again. Early stopping and plateaus watch the loss on the *tuning* part,
# never on validation. Early stopping keeps the weights of the epoch with the lowest; everything else, plateaus too, keeps
# the last. A patience that could never act within the epochs is refused before anything trains. The table lists every
# seed: epochs trained, the epoch whose weights are kept, and the steps up to it. A run that keeps its last epoch had too
# few of them to stop at its best. Below it stands how brightness alone, which chapters 1 and 5 know as a shortcut, ranks
# each part: where that is better on tuning than on validation, what is chosen on tuning, an epoch, a rate or in
# chapter 7 a constant, may be chosen for brightness.

# %%
stopped = [fewest, half, "early stopping", "lower on plateau", "larger, early stopping"]
told = brightness.ranking(custody.development(context), data.classes)
kept = effects.epochs_kept({name: finished[name] for name in ["as it is", *stopped]})
texts.together(texts.table(kept), texts.table(told))

# %% mystnb={"figure": {"name": "fig-by-network", "caption": "What changes of the network and its training bring: log loss on the validation part less that of the parent; left of the dashed line is better."}}
moderate, heavy = (f"dropout {rate:g}" for rate in (min(DROPOUTS), max(DROPOUTS)))
by_network = {name: effect[name] for name in study if name not in {"as it is", *changed}}
plots.intervals(by_network, "difference of log losses, nats", 0)

# %%
named = {"H8.13": moderate, "H8.14": heavy, "H8.16": "L2", "H8.17": "label smoothing", "H8.18": "smaller batch"}
named |= {"H8.19": "cosine decay", "H8.20": "step decay", "H8.21": "lower on plateau", "H8.22": "early stopping"}
named |= {"H8.23": "larger", "H8.24": "larger, early stopping"}
claims.measure_each({id: effect[name] for id, name in named.items()})

# %% [markdown]
# ## Dropout against batch normalisation
# Batch normalisation divides by a variance that it averaged in training. Dropout *before* it makes that variance larger
# than the one at inference, when nothing is dropped: the layer then divides by too much. Dropout after the last
# normalisation, before the head, has no such effect. The shift is the logarithm of the variance that a layer divides by
# over the one that it meets, measured on training images, layer by layer; above zero it divides by too much.

# %% mystnb={"figure": {"name": "fig-shift", "caption": "Shift between the variance that a batch normalisation divides by and the one it meets, a dot a layer and seed: right of zero it divides by too much, left of it by too little."}}
seen = data.train.first(MEASURED_IMAGES)
watched = seen.pixels[seen.rows]
inside = "dropout in blocks"
shift = {
    name: [effects.variance_shift(run, watched) for run in finished[name]] for name in ("as it is", moderate, inside)
}
plots.strips({name: np.ravel(found) for name, found in shift.items()}, "logarithm of the ratio of variances", 0)

# %% [markdown]
# ## Less erratic?
# How calmly a network learns is a number too: how much the change of validation loss from one epoch to the next varies
# within a run, from the first epoch on. A small difference of two calm runs says little; compare it with how far right
# the dots lie. H8.15 is that of the section above: the shift with dropout in blocks less that without, both as means over
# layers.

# %% mystnb={"figure": {"name": "fig-calm", "caption": "Standard deviation of the epoch-to-epoch change of validation loss, a dot a seed: further left is calmer."}}
calmed = ["as it is", moderate, "L2", "label smoothing", "smaller batch", "cosine decay"]
restless = {name: effects.restlessness(finished[name]) for name in calmed}
plots.strips(restless, "restlessness, nats").update_xaxes(rangemode="tozero")

# %%
calm = {name: effects.calmer(finished[name], finished["as it is"]) for name in (moderate, "L2")}
mean_shift = {name: np.mean(found, axis=1) for name, found in shift.items()}
divided = seed_mean_estimate(mean_shift[inside] - mean_shift["as it is"], images=len(watched))
claims.measure_each({"H8.15": divided, "H8.25": calm[moderate], "H8.26": calm["L2"]})

# %% [markdown]
# ## And the gap?
# The gap by itself is no aim: a network that gives every image the class shares has that of the dashed line, and has
# learned nothing. A setting has closed it for the better where its gap is smaller than the parent's *and* its log loss on
# validation is lower; where the loss is no lower, it only learned less of the training images. Two samples of
# images, of other groups each, are compared here, so intervals are wide; of them only the parent's is judged (H8.1). A
# setting whose seeds learn from other images each has none.

# %% mystnb={"figure": {"name": "fig-gaps", "caption": "Log loss on validation less that on training, by setting; the dashed line is the gap of the class shares, given to every image."}}
plots.intervals({name: fit.gap(group) for name, group in finished.items()}, "gap, nats", fit.unlearned(data))

# %% [markdown]
# ## What could have been told
# Half the width of an interval is about the smallest difference that, when measured, is told from none; a true one of that size
# would be told about every second time, a smaller one seldom. With few seeds, few groups and many hypotheses it is large:
# smaller changes may well be there, and this design would mostly miss them.

# %%
texts.table(claims.resolution())

# %% [markdown]
# ## What we found
# Each verdict speaks of this network on these images, with so few epochs as the profile allows, and of one change
# alone; two that help need not help together. *Undecided* says that these seeds, groups and epochs could not tell.

# %%
claims.judge()

# %% [markdown]
# ## What next
# What pre-training brings, {doc}`chapter 9 <09_transfer>` asks.
# {doc}`Chapter 16 <16_ablations>` puts all changes of the book into one table.
