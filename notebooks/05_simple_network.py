# %% [markdown]
# # Does the whole path work with a very small network?
# **Needs** the parts of the data · **Produces** the runs of family `simple_network` · **Answers** hypotheses H5.1-H5.8
#
# A misconfigured network trains without an exception and is silently a little worse. So we begin with the smallest
# network that can learn anything, and check each station between an image file and a verdict. Nothing is added yet:
# no augmentation, no schedule, no regularisation.

# %%
import functools

import keras
import numpy as np
import pandas as pd

from lib import cards, custody, grids, hypotheses, intervals, metrics, plots, runs
from lib.config import chapter, literature
from lib.hypotheses import Hypothesis
from lib.training import feed, initial, train

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 48  # pixels per side
EPOCHS = 2
LEARNING_RATE = 0.001  # of Adam
SEEDS = [7, 8]
BIAS_SEEDS = [1, 2, 3]  # initialisations for the study of the last bias
THREADS = 1

# %%
context = chapter("05_simple_network", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.simple_network(DATASET, IMAGE_SIZE, EPOCHS, LEARNING_RATE, SEEDS, THREADS)
data = {levels: runs.data_of(configurations[0], context) for levels, configurations in study.items()}

# %% [markdown]
# ## What we expect
# The claims about losses before training hold over initialisations. Those about AUC hold over seeds and groups of images
# together: they speak of this recipe on these training images, not of one lucky network. H5.6 speaks of the watched
# images only.

# %%
printed = literature("S3.19")["bias"]
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H5.1", "The prior as last bias starts lower than zero", "difference of losses", "less", 0, "S3.19"),
    Hypothesis(
        "H5.2", f"The prior starts lower than {printed}, as printed", "difference of losses", "less", 0, "S3.19"
    ),
    Hypothesis("H5.3", "The extreme levels can be told apart", "AUC", "greater", 0.5, "S4.2 S3.16"),
    Hypothesis("H5.4", "All levels can be told apart in two classes", "AUC", "greater", 0.5, "S3.16"),
    Hypothesis("H5.5", "All levels are harder than the extremes", "difference of AUC", "less", 0, "S4.2"),
    Hypothesis("H5.6", "Predictions have come to rest", "mean change an epoch", "less", 0.05, "S3.17"),
    Hypothesis("H5.7", "The network ranks better than darkness alone", "difference of AUC", "greater", 0, "S3.20"),
    Hypothesis("H5.8", "The prior starts at the entropy", "difference of losses", "equivalent", 0.02, "S3.18"),
)
claims

# %% [markdown]
# ## What enters
# We ask the simpler question first: only the lowest and the highest level; then all of them. The parts are those of the
# whole book.

# %% tags=["nbval-check-output"]
sizes = {levels: {name: len(part) for name, part in parts.parts().items()} for levels, parts in data.items()}
pd.DataFrame(sizes).rename_axis("part")

# %% [markdown]
# The first batch of the first epoch, drawn by the same feed that trains, sent through the graph up to the first
# convolution: this is the tensor that the network meets, after every step, with the labels that come with it. Dim or
# constant pictures, mixed-up labels or a wrong range would show here. Shape and range are asserted: a wrong one stops
# the book.

# %% mystnb={"figure": {"name": "fig-batch", "caption": "The tensor that enters the first convolution, with its labels: rows are classes. Only the first channel is drawn; the others repeat it."}}
network, training = initial.build(study["all"][0], data["all"]), data["all"].train
until_convolution = keras.Model(network.input, network.get_layer("convolution_1").input)
pictures, labels = next(iter(feed.training_batches(training, 32, SEEDS[0], 0, 1)))
tensor, labels = np.asarray(until_convolution(pictures)), np.asarray(labels)
assert tensor.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE, 3) and tensor.dtype == np.float32
assert 0 <= tensor.min() < tensor.max() <= 1 and tensor.std() > 0.01
shown = (255 * tensor[..., 0]).astype(np.uint8)
plots.pictures({name: list(shown[labels == index][:8]) for index, name in enumerate(card.classes)})

# %%
described = {"shape": str(tensor.shape), "type": tensor.dtype.name}
values = {name: f"{getattr(tensor, name)():.3f}" for name in ("min", "mean", "max", "std")}
pd.DataFrame(described | values, index=["tensor"])

# %% [markdown]
# Seeds of Python, NumPy and TensorFlow are fixed before a network is built, and its kernels are deterministic: the same
# seed gives the same weights, another seed gives others. This too is asserted.

# %%
first, again, other = (initial.first_weights(study["all"][run], data["all"]) for run in (0, 0, 1))
assert (first == again).all() and (first != other).any()

# %% [markdown]
# ## The network
# Two strided convolutions with a pooling between them, a global average, one output. The number of parameters is known
# from the document for three channels and one output; ours must be the same, exactly.

# %% tags=["nbval-check-output"]
assert network.count_params() == literature("S3.11")["parameters"]
shapes = {layer.name: str(layer.output.shape[1:]) for layer in network.layers}
weights = {layer.name: layer.count_params() for layer in network.layers}
pd.DataFrame({"output": shapes, "parameters": weights}).rename_axis("layer")

# %% [markdown]
# ## The loss before training
# Before it has learned, a network should do about as well as the shares of the classes alone: their entropy is the dashed
# line, and a few draws fall below it by luck. So its last bias should start at log(positives / negatives). Zero claims
# that classes are equal. The source document sets the *ratio* of the classes instead, which is no logit; both the ratio
# that it prints, for its own data, and the ratio here are drawn. (For the same reason, one positive to five negatives is
# a probability of one sixth, not of a quarter.) Each dot is one initialisation, on the whole training part.

# %% mystnb={"figure": {"name": "fig-bias", "caption": "Cross-entropy at initialisation for four starts of the last bias; the dashed line is the entropy of the class shares."}}
share = training.labels.mean()
biases = {"zero": 0.0, "ratio, as printed": printed, "ratio, here": share / (1 - share), "prior": "prior"}
start = initial.losses(study["all"][0], data["all"], biases, BIAS_SEEDS)
entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
plots.strips(start.to_dict("list"), "loss at initialisation, nats", entropy)

# %% [markdown]
# The differences are paired: for one seed, the networks have the same weights but for that bias.

# %%
claims.measure("H5.1", intervals.seed_mean_estimate(start["prior"] - start["zero"], images=len(training)))

# %%
claims.measure("H5.2", intervals.seed_mean_estimate(start["prior"] - start["ratio, as printed"], images=len(training)))

# %% [markdown]
# And the loss at initialisation itself is verified: with the prior it must be the entropy, give or take a little.

# %%
claims.measure("H5.8", intervals.seed_mean_estimate(start["prior"] - entropy, images=len(training)))

# %% [markdown]
# ## Training
# Adam at a constant rate, one run a seed. After each epoch, loss and accuracy are *measured* on fixed images in a pass
# of their own; they are not averages over an epoch during which the network moved. Epoch 0 is the untrained network.

# %% mystnb={"figure": {"name": "fig-curves", "caption": "Loss and accuracy through training, measured after each epoch: mean over seeds, bands from the lowest to the highest seed. Upper row: extreme levels; lower row: all."}}
finished = {levels: [runs.get(configuration, context) for configuration in study[levels]] for levels in study}
history = pd.concat(run.history.assign(levels=levels) for levels, group in finished.items() for run in group)
plots.curves(history, {"loss": "loss, nats", "accuracy": "accuracy"}, by="levels")

# %% [markdown]
# Curves that fall together belong to a network too small to overfit; a tuning curve that stays or turns upwards while the
# training curve falls shows the opposite, and a training curve that still falls at the end was stopped early. A mere difference in *height*, in either direction, says something else:
# that the parts hold different groups, and few of them. The bands show how much the seed matters.

# %% [markdown]
# ## How predictions move
# The same 32 tuning images after every epoch, one line an image, for the first seed. Lines that jump to and fro may
# mean a rate that is too high; when they jump together, it is the level of all predictions that moves, not their order.

# %% mystnb={"figure": {"name": "fig-dynamics", "caption": "Predicted probability for each image of one fixed batch, epoch by epoch, coloured by the true class."}}
first_run = finished["all"][0]
watched = train.first_images(data["all"].tuning, train.DYNAMICS_IMAGES)
plots.dynamics(first_run.dynamics[:, :, 0], watched.labels, card.classes)

# %% [markdown]
# As a number: how far the probability of an image moves from one epoch to the next, on average over the last quarter
# of training.

# %%
quarter = max(1, EPOCHS // 4)
movement = [np.abs(np.diff(run.dynamics, axis=0))[-quarter:].mean() for run in finished["all"]]
claims.measure("H5.6", intervals.seed_mean_estimate(movement, (0.0, 1.0), images=len(watched)))

# %% [markdown]
# ## How good is it?
# On the whole validation part, image by image, never on a few batches; this is asserted. The loss says little to people;
# these metrics do. The interval treats groups and seeds as drawn at random: it says where the average over further
# seeds and groups lies, for networks trained on these images.

# %% mystnb={"figure": {"name": "fig-metrics", "caption": "Metrics on the validation part, all levels, decided at probability one half, with intervals over groups and seeds."}}
validation = {levels: runs.predictions_by_seed(group, "validation") for levels, group in finished.items()}
scored = validation["all"]
assert len(scored.labels) == len(data["all"].validation)
names = [name for name in metrics.METRICS if name != "precision"]  # undefined where nothing is called positive
estimates = {name: metrics.metric_estimate(name, scored.labels, scored.probabilities, scored.groups) for name in names}
shown = {plots.METRIC_TITLES.get(name, name.replace("_", " ")): estimate for name, estimate in estimates.items()}
plots.intervals(shown, "value")

# %% [markdown]
# What makes an interval wide is seldom the number of images; it is how few groups they come from, and how these differ.
# Below, the AUC is computed again without each group in turn, a dot a seed. A row far from the dashed line is a group
# that carries the score, or spoils it. Many images of few groups cannot say how the next group will do.

# %% mystnb={"figure": {"name": "fig-without", "caption": "Validation AUC without each group in turn, a dot a seed; the dashed line is the AUC with all groups."}}
without = {
    f"without {group}": [metrics.score("auc", scored.labels[kept], seed[kept]) for seed in scored.probabilities]
    for group in np.unique(scored.groups)
    for kept in [scored.groups != group]
}
plots.strips(without, "validation AUC", estimates["auc"].value)

# %% [markdown]
# The confusion matrix of the first seed shows what kind of errors are made at probability one half.

# %% mystnb={"figure": {"name": "fig-confusion", "caption": "Validation images by true and predicted class, first seed; hover for shares."}}
decided = (scored.probabilities[0] >= 0.5).astype(int)
matrix = pd.crosstab(scored.labels, decided).reindex(index=[0, 1], columns=[0, 1], fill_value=0)
plots.confusion(matrix.to_numpy(), card.classes)

# %% [markdown]
# ## Extremes against all levels
# Leaving out the doubtful levels changes two things: what the network learns from, and what it is scored on.

# %%
easy = validation["extreme"]
claims.measure("H5.3", metrics.metric_estimate("auc", easy.labels, easy.probabilities, easy.groups))

# %%
claims.measure("H5.4", estimates["auc"])

# %% mystnb={"figure": {"name": "fig-harder", "caption": "Differences of validation AUC: what all levels change in learning, in scoring, and both together."}}
extreme = np.isin(scored.images, easy.images)
all_levels, extremes = scored.probabilities, easy.aligned(scored.images)
difference = functools.partial(metrics.difference_estimate, "auc", scored.labels, groups=scored.groups)
learning = difference(all_levels, extremes, within_a=extreme, within_b=extreme)
scoring = difference(all_levels, all_levels, within_b=extreme)
harder = difference(all_levels, extremes, within_b=extreme)
claims.measure("H5.5", harder)
plots.intervals({"learning": learning, "scoring": scoring, "both": harder}, "difference of AUC, all minus extreme", 0)

# %% [markdown]
# ## More than darkness?
# Chapter 1 measured what a threshold on the mean grey value is worth. A network that does not rank better than that has
# shown nothing yet, however good its AUC looks.

# %%
seen = custody.development(context).set_index("image").loc[scored.images]
darkness = 1 - seen["brightness"].to_numpy() / 255
claims.measure("H5.7", difference(scored.probabilities, darkness))

# %% mystnb={"figure": {"name": "fig-seeds", "caption": "Validation AUC of every seed: the spread is what a single number would hide. The dashed line is chance."}}
by_seed = {
    levels: [metrics.score("auc", group.labels, seed) for seed in group.probabilities]
    for levels, group in validation.items()
}
plots.strips(by_seed, "validation AUC", 0.5)

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# Every station between file and verdict ran, and its assertions held; whether anything was learned, the verdicts say.
# Whether the network reads the *image*, or something else that goes with the label, is the next question (chapter 6); a network large enough to overfit comes after it (chapter 7).
