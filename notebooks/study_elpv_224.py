# %% [markdown]
# # Does fine-tuning reach what was published?
# **Needs** all images of the data set with their labels, ImageNet's weights · **Produces** the runs of family `fine_tuned` · **Answers** hypotheses F1-F4
#
# Published networks on these images were trained and tested on one random split of all of them. To stand beside them, a
# network is fine-tuned here as a whole, anew for every split, on images of the published size and on every image with its
# label, **the test part included**. That is why it is a study and no chapter: nothing in the book is chosen by it or
# depends on it, and it is the same in every profile.

# %%
import numpy as np
import pandas as pd

from lib import cards, config, custody, grids, hypotheses, plots, protocols, texts, transfer, yardstick
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
BACKBONE = "efficientnet_lite0"
IMAGE_SIZE = 224  # pixels per side
EPOCHS = 10
LEARNING_RATE = 0.0003  # of Adam, the first one
BATCH_SIZE = 32
MEASURED_IMAGES = 128  # of those that a run learns from, after each epoch
TEST_SHARES = [0.2, 0.25]  # of Song et al., and of Deitsch et al.
TUNING_SHARE = 0.05  # of the images that are not tested; they are set aside, and decide nothing
SPLITS = 4  # of each kind
SEED = 7
REACH = 0.889  # accuracy that this network had in a first trial, on one split
THREADS = 2

# %%
context = config.study("elpv_224", DATASET)
card, images = cards.load(DATASET), custody.yardstick_labels(context)
study = grids.fine_tuned(
    DATASET, BACKBONE, IMAGE_SIZE, EPOCHS, LEARNING_RATE, BATCH_SIZE, MEASURED_IMAGES, SPLITS, SEED, THREADS
)
kinds = protocols.divided(images, card, TEST_SHARES, TUNING_SHARE, SPLITS, SEED)
song, deitsch = config.literature("Song2024"), config.literature("Deitsch2019")

# %% [markdown]
# ## What we expect
# Song et al. (2024) fine-tuned two networks on one split, Deitsch et al. (2019) one on another; all are much larger than
# ours. The last claim is chapter 2's, for a network that may adapt to the modules that it has seen.

# %%
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("F1", "Fine-tuning reaches the published ResNet50", "accuracy", "greater", song["resnet50"]),
    Hypothesis("F2", "Fine-tuning reaches the published VGG19", "accuracy", "greater", song["vgg19"]),
    Hypothesis("F3", "Fine-tuning reaches the published CNN", "weighted accuracy", "greater", deitsch["cnn"]),
    Hypothesis("F4", "Random splits flatter", "accuracy, random less block", "greater", 0),
)
claims

# %% [markdown]
# ## The splits
# For each published share of tested images there are two kinds. Random: single images are drawn, each type of module and each
# level evenly, as was published. Block: whole blocks are held out, which stand for modules, types and levels as even as
# blocks allow. Of the first split of each kind:

# %%
first = {name: pd.Series(parts[0]) for name, parts in kinds.items()}
counts = pd.DataFrame({name: part.value_counts() for name, part in first.items()}).T
group = {name: images["group"].groupby(part.to_numpy()).unique() for name, part in first.items()}
counts["blocks on both sides"] = {name: len({*of["train"]} & {*of["validation"]}) for name, of in group.items()}
texts.table(counts.rename(columns={"validation": "tested"}).rename_axis("split"))

# %% [markdown]
# ## Training
# Every layer learns from the first epoch on, at a rate that falls along a cosine; images are flipped and turned by quarters,
# which changes nothing that makes a cell defective. **The weights of the last epoch are kept: no image decides when to stop**,
# neither one that is tested nor one of the few that are set aside, as in every run of the book. Runs that are there already
# are found.

# %%
finished = {
    name: [
        protocols.trained(part, images, each, card, context) for part, each in zip(parts, *study.values(), strict=True)
    ]
    for name, parts in kinds.items()
}
found = {name: protocols.decided(images, runs) for name, runs in finished.items()}
song_random, song_block, deitsch_random, deitsch_block = found.values()

# %% mystnb={"figure": {"name": "fig-fine-tuned-curves", "caption": "Loss and accuracy through training, mean over splits with their range; `validation` stands for the tested images, on which nothing is chosen. The gap between its lines is that between kinds of splits."}}
history = transfer.history(finished)
plots.compared(history, {"loss": "loss in nats", "accuracy": "accuracy"}, "setting")

# %% [markdown]
# ## Beside Song et al.
# A published number is one split, and so is each of our dots. How far our dots lie apart is how far theirs might have
# lain elsewhere.

# %% mystnb={"figure": {"name": "fig-fine-tuned-splits", "caption": "Accuracy of each split, and the two published ones; the dashed line is what this network had in a first trial."}}
spread = {"random splits": song_random.accuracies(), "block splits": song_block.accuracies()}
spread |= {"published, ResNet50": [song["resnet50"]], "published, VGG19": [song["vgg19"]]}
plots.strips(spread, "accuracy of a split", REACH)

# %% [markdown]
# The interval over splits says what other splits and seeds would give on average *on these very images*, whose number is to be
# compared. That over blocks of images speaks of other modules. Theirs has both kinds of uncertainty, and nobody printed them.

# %% mystnb={"figure": {"name": "fig-fine-tuned", "caption": "Mean accuracy with its interval over splits of the same images, and over blocks of images; the dashed line is what this network had in a first trial."}}
ours = {"random, over splits": song_random.over_splits(), "random, over images": song_random.over_images()}
ours |= {"block, over splits": song_block.over_splits(), "block, over images": song_block.over_images()}
plots.intervals(ours, "accuracy", REACH)

# %%
claims.measure_each(dict.fromkeys(("F1", "F2"), song_random.over_splits()))

# %% [markdown]
# ## The best epoch, picked on the tested images
# Song et al. report the epoch that does best on the images that are tested. That is a choice by the test, and its result is
# an upper bound of what the network does. **Ours does not pick**; what picking would have added:

# %% mystnb={"figure": {"name": "fig-fine-tuned-picked", "caption": "Accuracy of the best epoch on the tested images less that of the last epoch, a dot a split."}}
added = {name: protocols.picked(runs) - found[name].accuracies() for name, runs in finished.items()}
plots.strips(added, "accuracy added by picking", 0)

# %% [markdown]
# ## Beside Deitsch et al.
# They report one split with more images tested. Their number comes out exactly only where images count by the confidence of their
# label; that is our inference from their tables, so both readings are shown.

# %% mystnb={"figure": {"name": "fig-fine-tuned-confidence", "caption": "Accuracy of each split, plain and weighted by the confidence of labels, and the published one."}}
weights = yardstick.confidence(images["level"])
spread = {"random": deitsch_random.accuracies(), "random, weighted": deitsch_random.accuracies(weights=weights)}
spread |= {"block": deitsch_block.accuracies(), "block, weighted": deitsch_block.accuracies(weights=weights)}
plots.strips(spread | {"published": [deitsch["cnn"]]}, "accuracy of a split", deitsch["cnn"])

# %%
claims.measure("F3", deitsch_random.over_splits(weights=weights))

# %% [markdown]
# ## Random less block
# Where cells of one module stand on both sides, a network may know the module. The difference is over all decisions of each
# kind, its interval over blocks of images; the hypothesis is about the share of Song et al.

# %% mystnb={"figure": {"name": "fig-fine-tuned-gap", "caption": "Accuracy on random splits less that on block splits, with its interval over blocks of images."}}
gaps = dict(zip(TEST_SHARES, (song_random.less(song_block), deitsch_random.less(deitsch_block)), strict=True))
plots.intervals({f"{share:.0%} tested": gap for share, gap in gaps.items()}, "difference of accuracy", 0)

# %%
claims.measure("F4", song_random.less(song_block))

# %% [markdown]
# ## In numbers
# The last column: whether the interval over splits contains the accuracy of the first trial, or lies above it.

# %%
minutes = {name: np.mean([run.record["training_seconds"] for run in runs]) / 60 for name, runs in finished.items()}
rows = {name: (each.over_splits(), each.over_splits(weights=weights)) for name, each in found.items()}
numbers = {
    name: (str(plain), str(weighted), minutes[name], plain.interval()[1] >= REACH)
    for name, (plain, weighted) in rows.items()
}
columns = ["accuracy", "weighted accuracy", "minutes a run", f"reaches {REACH}"]
texts.table(pd.DataFrame(numbers, index=columns).T.infer_objects().rename_axis("protocol"))

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# Nothing follows from this page for the book. What the book claims of fine-tuning comes from {doc}`chapter 9 <09_transfer>`
# and the chapters after it, on parts where no block stands on both sides.
