# %% [markdown]
# # Does the whole path work with a very small network?
# **Needs** the parts of the data · **Produces** the runs of family `simple_network` · **Answers** hypotheses H5.1-H5.8
#
# A misconfigured network trains without an exception and is silently a little worse. So we begin with the smallest
# network that can learn anything, and check each station between an image file and a verdict. Nothing is added yet:
# no augmentation, no schedule, no regularisation.

# %%
import keras
import numpy as np
import pandas as pd

from lib import brightness, cards, custody, grades, grids, groupwise, hypotheses, intervals, metrics, plots, runs, texts
from lib.config import chapter, literature
from lib.hypotheses import Hypothesis
from lib.training import feed, initial, progress

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
# images only. A claim that cannot be put to a data set (extreme levels where nothing is graded, a ratio of more than two
# classes) is not applicable there, and says so.

# %%
printed = literature("S3.19")["bias"]
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H5.1", "The prior as last bias starts lower than zero", "difference of losses", "less", 0, "S3.19"),
    Hypothesis(
        "H5.2", f"The prior starts lower than {printed}, as printed", "difference of losses", "less", 0, "S3.19"
    ),
    Hypothesis("H5.3", "The extreme levels can be told apart", "AUC", "greater", 0.5, "S4.2 S3.16"),
    Hypothesis("H5.4", "The classes can be told apart on all images", "AUC", "greater", 0.5, "S3.16"),
    Hypothesis("H5.5", "All levels are harder than the extremes", "difference of AUC", "less", 0, "S4.2"),
    Hypothesis("H5.6", "Predictions have come to rest", "mean change an epoch", "less", 0.05, "S3.17"),
    Hypothesis("H5.7", "The network ranks better than brightness alone", "difference of AUC", "greater", 0, "S3.20"),
    Hypothesis("H5.8", "The prior starts at the entropy", "difference of losses", "equivalent", 0.02, "S3.18"),
)
claims

# %% [markdown]
# ## What enters
# Where the labels are cut from graded levels, we ask the simpler question first: only the lowest and the highest level;
# then all of them. The parts are those of the whole book.

# %% tags=["nbval-check-output"]
sizes = {levels: {name: len(part) for name, part in parts.parts().items()} for levels, parts in data.items()}
texts.table(pd.DataFrame(sizes).rename_axis("part"))

# %% [markdown]
# The first batch of the first epoch, drawn by the same feed that trains, sent through the graph up to the first
# convolution: this is the tensor that the network meets, after every step, with the labels that come with it. Dim or
# constant pictures, mixed-up labels or a wrong range would show here. Shape and range are asserted: a wrong one stops
# the book.

# %% mystnb={"figure": {"name": "fig-batch", "caption": "The tensor that enters the first convolution, with its labels: rows are classes, as far as the batch holds them."}}
network, training = initial.build(study["all"][0], data["all"]), data["all"].train
until_convolution = keras.Model(network.input, network.get_layer("convolution_1").input)
pictures, labels = next(iter(feed.training_batches(training, 32, SEEDS[0], 0, 1)))
tensor, labels = np.asarray(until_convolution(pictures)), np.asarray(labels)
assert tensor.shape[1:3] == (IMAGE_SIZE, IMAGE_SIZE) and tensor.dtype == np.float32
assert 0 <= tensor.min() < tensor.max() <= 1 and tensor.std() > 0.01
shown = (255 * tensor).astype(np.uint8)
plots.pictures({card.classes[index]: list(shown[labels == index][:8]) for index in np.unique(labels)})

# %%
described = {"shape": str(tensor.shape), "type": tensor.dtype.name}
values = {name: f"{getattr(tensor, name)():.3f}" for name in ("min", "mean", "max", "std")}
texts.table(pd.DataFrame([described | values]))

# %% [markdown]
# Seeds of Python, NumPy and TensorFlow are fixed before a network is built, and its kernels are deterministic: the same
# seed gives the same weights, another seed gives others. This too is asserted.

# %%
first, again, other = (initial.first_weights(study["all"][run], data["all"]) for run in (0, 0, 1))
assert (first == again).all() and (first != other).any()

# %% [markdown]
# ## The network
# Two strided convolutions with a pooling between them, a global average; one output for two classes, else one a class.
# The number of parameters is known from the document for three channels and one output. Less what other channels and
# further outputs bring, ours must be the same, exactly.

# %% tags=["nbval-check-output"]
channels, outputs = tensor.shape[-1], network.output_shape[-1]
brought = 9 * 32 * (channels - 3) + (32 + 1) * (outputs - 1)  # kernels of 9 for 32 filters; 32 weights and a bias
assert network.count_params() - brought == literature("S3.11")["parameters"]
shapes = {layer.name: str(layer.output.shape[1:]) for layer in network.layers}
weights = {layer.name: layer.count_params() for layer in network.layers}
texts.table(pd.DataFrame({"output": shapes, "parameters": weights}).rename_axis("layer"))

# %% [markdown]
# ## The loss before training
# Before it has learned, a network should do about as well as the shares of the classes alone: their entropy is the dashed
# line, and a few draws fall below it by luck. So its last bias should start at the log-odds of the second class, or with
# more than two outputs at the logarithm of each share. Zero claims that classes are equal. For two classes the source
# document sets their *ratio* instead, which is no logit; both the ratio that it prints, for its own data, and the ratio
# here are drawn. (For the same reason, one positive to five negatives is a probability of one sixth, not of a quarter.)
# Each dot is one initialisation, on the whole training part.

# %% mystnb={"figure": {"name": "fig-bias", "caption": "Cross-entropy at initialisation by the start of the last bias; the dashed line is the entropy of the class shares."}}
shares = np.bincount(training.labels, minlength=len(card.classes)) / len(training)
ratios = {"ratio, as printed": printed, "ratio, here": shares[1] / shares[0]} if len(shares) == 2 else {}
start = initial.losses(study["all"][0], data["all"], {"zero": 0.0, **ratios, "prior": "prior"}, BIAS_SEEDS)
entropy = -(shares * np.log(shares)).sum()
plots.strips(start.to_dict("list"), "loss at initialisation, nats", entropy)

# %% [markdown]
# The differences are paired: for one seed, the networks have the same weights but for that bias.

# %%
claims.measure("H5.1", intervals.seed_mean_estimate(start["prior"] - start["zero"], images=len(training)))

# %%
unasked = intervals.Inapplicable(f"a ratio is of two classes, there are {len(shares)}")
lower = ratios and intervals.seed_mean_estimate(start["prior"] - start["ratio, as printed"], images=len(training))
claims.measure("H5.2", lower or unasked)

# %% [markdown]
# And the loss at initialisation itself is verified: with the prior it must be the entropy, give or take a little.

# %%
claims.measure("H5.8", intervals.seed_mean_estimate(start["prior"] - entropy, images=len(training)))

# %% [markdown]
# ## Training
# Adam at a constant rate, one run a seed. After each epoch, loss and accuracy are *measured* on fixed images in a pass
# of their own; they are not averages over an epoch during which the network moved. Epoch 0 is the untrained network.

# %% mystnb={"figure": {"name": "fig-curves", "caption": "Loss and accuracy through training, measured after each epoch: mean over seeds, bands from the lowest to the highest seed. A row a set of levels, where there are several."}}
finished = {levels: [runs.get(configuration, context) for configuration in study[levels]] for levels in study}
history = pd.concat(run.history.assign(levels=levels) for levels, group in finished.items() for run in group)
plots.curves(history, {"loss": "loss, nats", "accuracy": "accuracy"}, by="levels")

# %% [markdown]
# Curves that fall together belong to a network too small to overfit; a tuning or validation curve that stays or turns upwards while
# the training curve falls shows the opposite, and a training curve that still falls at the end was stopped early. A mere difference in *height*, in either direction, says something else:
# that the parts hold different groups, and few of them. The bands show how much the seed matters.

# %% [markdown]
# ## How predictions move
# The same 32 tuning images after every epoch, one line an image, for the first seed. Lines that jump to and fro may
# mean a rate that is too high; when they jump together, it is the level of all predictions that moves, not their order.
# With two classes the line is the probability of the second, with more that of the image's true class.

# %% mystnb={"figure": {"name": "fig-dynamics", "caption": "Predicted probability for each image of one fixed batch, epoch by epoch, coloured by the true class."}}
first_run = finished["all"][0]
watched = data["all"].tuning.first(progress.DYNAMICS_IMAGES)
plots.dynamics(first_run.dynamics, watched.labels, card.classes)

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
# seeds and groups lies, for networks trained on these images. The cross is what a classifier reaches that sees no image
# and knows only the shares of the classes. With more than two classes, AUC and precision are those of each class against
# the rest, averaged. The AUC *within groups* asks only for the order of images of one group: what it lacks against the
# other AUC, the network owes to groups that differ as a whole.

# %% mystnb={"figure": {"name": "fig-metrics", "caption": "Metrics on the validation part, all levels, with intervals over groups and seeds. Two classes are decided at probability one half, more by the largest; crosses mark what is reached without looking at the image."}}
validation = {levels: runs.predictions_by_seed(group, "validation") for levels, group in finished.items()}
scored = validation["all"]
assert len(scored.labels) == len(data["all"].validation)
estimates = metrics.metric_estimates(scored.labels, scored.probabilities, scored.groups)
within = groupwise.auc_within(scored.labels, scored.probabilities, scored.groups)
blind = metrics.chance(scored.labels, shares)
plots.metrics({**estimates, "auc_within_groups": within}, {**blind, "auc_within_groups": 0.5})

# %% [markdown]
# What makes an interval wide is seldom the number of images; it is how few groups they come from, and how these differ.
# Below, the AUC is computed again without each group in turn, a dot a seed; of many groups, the largest are left out. A
# row far from the dashed line is a group that carries the score, or spoils it. Many images of few groups cannot say how
# the next group will do.

# %% mystnb={"figure": {"name": "fig-without", "caption": "Validation AUC without each group in turn, a dot a seed; the dashed line is the AUC with all groups."}}
without = groupwise.without_each("auc", scored.labels, scored.probabilities, scored.groups)
plots.strips(without, "validation AUC", estimates["auc"].value)

# %% [markdown]
# The confusion matrix of the first seed shows which classes are taken for which.

# %% mystnb={"figure": {"name": "fig-confusion", "caption": "Validation images by true and predicted class, first seed; hover for shares."}}
plots.confusion(metrics.confusion(scored.labels, scored.probabilities[0]), card.classes)

# %% [markdown]
# ## Can the classes be told apart?
# First on the extreme levels alone, where the labels are graded; then on all images.

# %%
easy = validation.get("extreme")
claims.measure("H5.3", grades.extremes_auc(easy))

# %%
claims.measure("H5.4", estimates["auc"])

# %% [markdown]
# Leaving out the doubtful levels changes two things: what the network learns from, and what it is scored on. *Learning*
# compares the two kinds of networks on the extreme levels; *scoring* compares all levels with the extreme ones for one
# kind of network.

# %% mystnb={"figure": {"name": "fig-harder", "caption": "Differences of validation AUC: what all levels change in learning, in scoring, and both together."}}
harder = grades.differences(scored, easy)
claims.measure("H5.5", harder["both"])
plots.intervals(harder, "difference of AUC, all minus extreme", 0)

# %% [markdown]
# ## More than brightness?
# A logistic regression gets one number of each image, the mean grey value, and learns from the same training part. A
# network that does not rank better than that has shown nothing yet, however good its AUC looks.

# %%
alone = brightness.probabilities(custody.development(context), scored.images, len(card.classes))
more = metrics.difference_estimate("auc", scored.labels, scored.probabilities, alone, scored.groups)
claims.measure("H5.7", more)

# %% mystnb={"figure": {"name": "fig-seeds", "caption": "Validation AUC of every seed, and of brightness alone: the spread is what a single number would hide. The dashed line is chance."}}
auc = {levels: metrics.by_seed("auc", group.labels, group.probabilities) for levels, group in validation.items()}
auc["brightness alone"] = metrics.by_seed("auc", scored.labels, alone)
plots.strips(auc, "validation AUC", 0.5)

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# Every station between file and verdict ran, and its assertions held; whether anything was learned, the verdicts say.
# Whether the network reads the *image*, or something else that goes with the label, is the next question (chapter 6); a network large enough to overfit comes after it (chapter 7).
