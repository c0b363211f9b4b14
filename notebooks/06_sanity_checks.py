# %% [markdown]
# # Is the network reading the images?
# **Needs** the parts of the data, the network of chapter 5 · **Produces** the runs of family `sanity_checks` · **Answers** hypotheses H6.1-H6.8
#
# A loss that falls proves little. The share of the classes alone gives a fair loss, and a network that is wired wrongly, or
# goes on from another's weights, trains without an exception. So we take away, one by one, what the network should need,
# and see whether it notices; and we make the mistakes of the source documents on purpose, and see whether they are caught.

# %%
import numpy as np
import pandas as pd

from lib import cards, effects, faults, grids, hypotheses, intervals, metrics, plots, runs, sanity, texts
from lib.config import chapter
from lib.hypotheses import Hypothesis
from lib.training import checks, initial

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 32  # pixels per side
EPOCHS = 2
LEARNING_RATE = 0.001
ZERO_LEARNING_RATE = 0.01  # of the network that sees nothing: one bias is all that it can learn
INPUT_DROPOUT = 0.99
WIDE_FILTERS = 128  # of each convolution
BATCH_FILTERS = 32
BATCH_IMAGE_SIZE = 32  # pixels per side
BATCH_EPOCHS = 20  # at most
BATCH_LOSS = 0.02  # nats: here learning by heart ends
SEEDS = [7, 8]
THREADS = 1

# %%
context = chapter("06_sanity_checks", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.sanity_checks(
    DATASET, IMAGE_SIZE, EPOCHS, LEARNING_RATE, ZERO_LEARNING_RATE, INPUT_DROPOUT, WIDE_FILTERS,
    BATCH_FILTERS, BATCH_IMAGE_SIZE, BATCH_EPOCHS, BATCH_LOSS, SEEDS, THREADS,
)  # fmt: skip
usual, data = study["real"][0], runs.data_of(study["real"][0], context)

# %% [markdown]
# ## What we expect
# What follows from how a network is built needs no training: it is asserted below, in every profile, and a network that
# ignores its input stops the book. What needs training is declared now. H6.2, H6.3 and H6.5-H6.7 speak of seeds and of
# groups of validation images, the others of seeds on these training images.
#
# *At chance* is a claim of equivalence, so it needs a margin. For H6.7 it is what a classifier loses that sees nothing and
# is also wrong about the share of a class by some fifteen in a hundred: who gains less than that has learned nothing of
# use. For H6.4 it is a fifth of that: a network that sees nothing has one number to learn.

# %%
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H6.1", "One batch can be learned by heart", "loss on the batch", "less", 0.05, "S3.22"),
    Hypothesis("H6.2", "Real images beat black ones", "difference of log losses", "less", 0, "S3.21"),
    Hypothesis("H6.3", "They also rank better", "difference of AUC", "greater", 0, "S3.21"),
    Hypothesis("H6.4", "Black images end at the entropy", "difference of losses", "equivalent", 0.01, "S3.18 S3.21"),
    Hypothesis("H6.5", "Input dropout, as printed, harms", "difference of log losses", "greater", 0, "S3.21"),
    Hypothesis("H6.6", "The few pixels left still tell", "AUC", "greater", 0.5, "S3.21"),
    Hypothesis("H6.7", "Shuffled labels leave chance", "difference of log losses", "equivalent", 0.05, "S3.21"),
    Hypothesis("H6.8", "Wider fits better", "difference of training losses", "less", 0, "S3.23"),
)
claims

# %% [markdown]
# ## Mistakes, made on purpose
# None of these mistakes raises an exception by itself. In one of the source documents the result of a pre-trained network is
# dropped, and the head takes the raw image; in the same document a run under a new name goes on training the network of the
# run before, and one optimiser serves them all. Each is made again here, on the network of this chapter, and must be
# stopped by a check, in one line; one that is not stops the book instead.
#
# Every training run of the book makes the checks of wiring, of fresh weights and optimiser, and of an answer to the image,
# before its first step. The others need images, and are made in this chapter.

# %%
network = initial.build(usual, data)
checks.reads_input(network)
mistakes = faults.caught(usual, data)
mistakes.style.hide().set_uuid("mistakes").set_properties(**{"text-align": "left", "white-space": "normal"})

# %% [markdown]
# ## The network as it is
# The network that is right passes the same checks, before training: its output changes with the image, and the gradient
# of the loss reaches each of its weights, and each image of a batch.

# %% tags=["nbval-check-output"]
images, labels = sanity.balanced_batch(data)
sizes = checks.gradients(network, images, labels)
texts.table(pd.DataFrame({"gradient arrives": sizes > 0}))

# %% [markdown]
# Trained twice for an epoch, the same seed gives the same weights, bit for bit, and another seed starts from others. And every stored run of
# this chapter began at the loss of the untrained network of its seed, so that none of them goes on from another.

# %%
sanity.repeats(usual, data, SEEDS[1])
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
sanity.begin_as_their_seeds(finished, context)

# %% [markdown]
# After training, too, an image gets the same probability whatever else its batch holds, and in whatever order: what is
# left is rounding.

# %%
trained = finished["real"][0].model()
checks.reads_input(trained)
print(f"largest change of a probability: {checks.independent_of_batch(trained, images):.0e}")

# %% [markdown]
# ## One batch by heart
# A network that cannot even learn one batch by heart has something wrong between image and loss. The batch has the classes in
# turn; training ends when its loss is low enough, or after a number of epochs that is generous. The document stopped
# earlier; its network had no rescaling, and with it, more epochs are needed.

# %% mystnb={"figure": {"name": "fig-batch-loss", "caption": "Loss on the one batch that is trained on, a line a seed; the dashed line is the bar of H6.1."}}
memory = sanity.by_seed(finished["one batch"], "train", "loss")
plots.lines(memory, "epoch", "loss on the batch, nats").add_hline(0.05, line_dash="dash").update_yaxes(
    type="log", tickvals=[0.02, 0.05, 0.1, 0.2, 0.5]
)

# %%
results = sanity.one_batch_results(finished["one batch"])
assert (results["coincide"] == results["images"])[results["loss"] < BATCH_LOSS].all()
texts.table(results)

# %% [markdown]
# Below a certain loss no image of the batch can be wrong; the assertion holds the stored predictions against that.

# %% mystnb={"figure": {"name": "fig-coincide", "caption": "Probability that the network of the first seed gives to the label of each image of its batch, by class. Right of the dashed line, prediction and label coincide."}}
plots.strips(sanity.given_to_labels(finished["one batch"][0], card.classes), "probability of the label", 0.5)

# %%
claims.measure("H6.1", intervals.seed_mean_estimate(results["loss"], (0.0, np.inf), images=len(images)))

# %% [markdown]
# ## What is left when something is taken away
# Beside real images: all pixels black; most pixels of every image black, the same ones of an image in every
# epoch; labels shuffled among the training images. (The document's dropout of the input comes below: its
# losses begin so high that they would hide all others.)

# %% mystnb={"figure": {"name": "fig-settings", "caption": "Measured loss and accuracy through training, by what was taken away: mean over seeds, bands from the lowest to the highest seed."}}
taken = ["real", "black", "most black", "shuffled"]
history = pd.concat(run.history.assign(setting=name) for name in taken for run in finished[name])
plots.compared(history, {"loss": "loss, nats", "accuracy": "accuracy"}, "setting")

# %% [markdown]
# With black images all predictions are the same number, so AUC is one half exactly, not nearly. This is asserted. Where training is
# real, so is this: on the images that it learned from, the network with real images fits better, in every seed.

# %%
scored = {name: runs.predictions_by_seed(finished[name], "validation") for name in [*taken, "dropout, as printed"]}
real, black = scored["real"], scored["black"]
learned = {name: sanity.training_loss(finished[name]) for name in finished}
assert (np.ptp(black.probabilities, axis=1) == 0).all()
blind = metrics.by_seed("auc", black.labels, black.probabilities)
assert set(blind[~np.isnan(blind)]) <= {0.5}  # not a number where a class is missing
assert not context.judged or (learned["real"] < learned["black"]).all()

# %%
claims.measure("H6.2", effects.difference("log_loss", real, black))

# %%
claims.measure("H6.3", effects.difference("auc", real, black))

# %% [markdown]
# Of the two, the log loss is the harder to be sure of: it depends on how many images of each class a group holds, which a
# network cannot know, and the AUC hardly does. With few groups its interval is wide.
#
# The one number that is left to learn is the last bias. It began at zero, and must find the share of the classes.

# %%
shares = np.bincount(data.train.labels) / len(data.train)
entropy = -(shares * np.log(shares)).sum()
claims.measure("H6.4", intervals.seed_mean_estimate(learned["black"] - entropy, images=len(data.train)))

# %% [markdown]
# Dropout of the input is a poor blindfold. As printed, it acts in training alone, so that the scores are those of whole
# images; and the network has no rescaling, so that what is left, made larger to make up for the rest, comes in tens of
# thousands. A bad score then shows that training was hampered, not that the images were needed.

# %%
claims.measure("H6.5", effects.difference("log_loss", scored["dropout, as printed"], real))

# %% [markdown]
# Done cleanly, with the same share of pixels black in every part, something still comes through: a mean of the few
# pixels left is an estimate of brightness. Only black images are independent of the image. And the training loss may
# fall far below that of real images: which pixels are left names each image, and can be learned by heart.

# %%
few = scored["most black"]
seen = metrics.metric_estimate("auc", few.labels, few.probabilities, few.groups)
claims.measure("H6.6", seen)

# %% [markdown]
# With shuffled labels there is nothing to learn that holds for other images. We compare log losses with those of black
# images. AUC would be a poor judge here: it ranks by differences however small, so a network that gives all images nearly
# the prior may rank them by brightness either way, and its AUC strays far from one half, from seed to seed.

# %%
claims.measure("H6.7", effects.difference("log_loss", scored["shuffled"], black))

# %% mystnb={"figure": {"name": "fig-taken", "caption": "Validation AUC by what was taken away, a dot a seed; the dashed line is chance."}}
auc = {name: metrics.by_seed("auc", group.labels, group.probabilities) for name, group in scored.items()}
plots.strips(auc, "validation AUC", 0.5)

# %% [markdown]
# ## A wider network
# Training loss should fall when capacity rises: if it does not, something else than capacity holds it back. In
# the document both networks had many epochs; after few, both are still on their way, and width may not show yet.

# %% mystnb={"figure": {"name": "fig-capacity", "caption": "The network and a wider one through training: mean over seeds, bands from the lowest to the highest seed."}}
widths = {"real": "as it is", "wide": "wider"}
history = pd.concat(run.history.assign(network=widths[name]) for name in widths for run in finished[name])
plots.compared(history, {"loss": "loss, nats", "accuracy": "accuracy"}, "network")

# %%
claims.measure("H6.8", intervals.seed_mean_estimate(learned["wide"] - learned["real"], images=len(data.train)))

# %% [markdown]
# ## The first layer
# The filters of the first convolution before and after training. In a network that has learned much they are smooth edges and
# blobs; noise that stays noise says that this layer was hardly needed, or hardly trained. Kernels as small as these show
# little more than a direction.

# %% mystnb={"figure": {"name": "fig-filters", "caption": "Filters of the first convolution, the same ones before and after training; grey is zero."}}
before, after = sanity.first_filters(network), sanity.first_filters(trained)
print(f"change of the filters, relative to their size: {sanity.relative_change(before, after):.2f}")
plots.filters({"before training": before, "after": after})

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# A network that passes all this uses something of its images; that may be no more than how bright they are, and it may
# still be far too small for them. Whether it beats what fits in seconds is asked against {doc}`chapter 4 <04_classical_baselines>`.
