# %% [markdown]
# # Does the whole path work with a very small network?
# **Needs** the parts of the data · **Produces** the runs of family `simple_network` · **Answers** hypotheses H5.1-H5.6
#
# A misconfigured network trains without an exception and is silently a little worse. So we begin with the smallest
# network that can learn anything, and check each station between an image file and a verdict. Nothing is added yet:
# no augmentation, no schedule, no regularisation.

# %%
import keras
import numpy as np
import pandas as pd

from lib import cards, grids, hypotheses, intervals, metrics, plots, runs
from lib.config import chapter, literature
from lib.training import initial

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
# The claims about losses before training hold over initialisations; those about trained networks hold over seeds and
# groups of images together: they speak of the method, not of one lucky network.

# %%
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis(
        "H5.1", "The prior as last bias starts lower than zero", "difference of losses", "less", 0, "S3.19"
    ),
    hypotheses.Hypothesis(
        "H5.2", "The prior starts lower than the document's ratio", "difference of losses", "less", 0, "S3.19"
    ),
    hypotheses.Hypothesis("H5.3", "The extreme levels can be told apart", "AUC", "greater", 0.5, "S4.2 S3.16"),
    hypotheses.Hypothesis("H5.4", "All levels can be told apart in two classes", "AUC", "greater", 0.5, "S3.16"),
    hypotheses.Hypothesis("H5.5", "All levels are harder than the extremes", "difference of AUC", "less", 0, "S4.2"),
    hypotheses.Hypothesis("H5.6", "Predictions have come to rest", "mean change an epoch", "less", 0.05, "S3.17"),
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
# This is one batch exactly as the network meets it, after every preprocessing step, cached pixels and in-graph steps
# alike: not the files, not what we believe the pipeline does. Dim or constant pictures, mixed-up labels or a wrong
# range would show here.

# %% mystnb={"figure": {"name": "fig-batch", "caption": "The first training images as they enter, with their labels: rows are classes."}}
train = data["all"].train
by_class = {name: np.flatnonzero(train.labels == index)[:8] for index, name in enumerate(card.classes)}
grid = {name: [train.pixels[train.rows[i]].squeeze() for i in chosen] for name, chosen in by_class.items()}
plots.pictures(grid, [train.names[chosen].tolist() for chosen in by_class.values()])

# %% [markdown]
# The tensor that reaches the first convolution must be of the declared shape and lie between 0 and 1. This is asserted:
# a wrong range stops the book.

# %%
network = initial.build(study["all"][0], data["all"])
until_convolution = keras.Model(network.input, network.get_layer("convolution_1").input)
tensor = np.asarray(until_convolution(train.pixels[train.rows[:32]]))
assert tensor.dtype == np.float32 and 0 <= tensor.min() < tensor.max() <= 1 and tensor.std() > 0.01
pd.Series(
    {"shape": tensor.shape, "minimum": tensor.min(), "mean": tensor.mean(), "maximum": tensor.max()}, name="tensor"
)

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
# With an untrained network and random weights, the best a network can do is to predict the shares of the classes. Its
# last bias should start there: at log(positives / negatives). Zero claims that classes are equal. The source document
# sets the *ratio* of the classes instead, which is no logit. Each dot is one initialisation, on the whole training
# part; the dashed line is the entropy of the class shares, the best possible without looking.

# %% mystnb={"figure": {"name": "fig-bias", "caption": "Cross-entropy at initialisation for three starts of the last bias; the dashed line is the entropy of the class shares."}}
biases = {"zero": 0.0, "the document's": literature("S3.19")["bias"], "prior": "prior"}
start = initial.losses(study["all"][0], data["all"], biases, BIAS_SEEDS)
share = train.labels.mean()
entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
plots.strips(start.to_dict("list"), "loss at initialisation, nats", entropy)

# %% [markdown]
# The differences are paired: for one seed, the three networks have the same weights but for that bias.

# %%
claims.measure("H5.1", intervals.seed_mean_estimate(start["prior"] - start["zero"], images=len(train)))
claims.measure("H5.2", intervals.seed_mean_estimate(start["prior"] - start["the document's"], images=len(train)))
start.describe().loc[["mean", "std", "min", "max"]].round(3)

# %% [markdown]
# ## Training
# Adam at a constant rate, one run a seed. After each epoch, loss and accuracy are *measured* on fixed images in a pass
# of their own; they are not averages over an epoch during which the network moved. Epoch 0 is the untrained network.

# %% mystnb={"figure": {"name": "fig-curves", "caption": "Loss and accuracy through training, measured after each epoch: mean over seeds, bands from the lowest to the highest seed. Upper row: extreme levels; lower row: all."}}
finished = {levels: [runs.get(configuration, context) for configuration in study[levels]] for levels in study}
history = pd.concat(run.history.assign(levels=levels) for levels, group in finished.items() for run in group)
plots.curves(history, {"loss": "loss, nats", "accuracy": "accuracy"}, by="levels")

# %% [markdown]
# Curves that fall together belong to a network too small to overfit; a tuning curve that turns upwards while the
# training curve falls would show the opposite. A mere difference in *height*, in either direction, says something else:
# that the parts hold different groups, and few of them. The bands show how much the seed matters.

# %% [markdown]
# ## How predictions move
# The same 32 tuning images after every epoch, one line an image, for the first seed. Lines that jump to and fro would
# mean a rate that is too high; lines that still climb mean that training has been stopped early.

# %% mystnb={"figure": {"name": "fig-dynamics", "caption": "Predicted probability for each image of one fixed batch, epoch by epoch, coloured by the true class."}}
first_run = finished["all"][0]
tuning = data["all"].tuning
fixed = np.linspace(0, len(tuning) - 1, first_run.dynamics.shape[1]).round().astype(int)
plots.dynamics(first_run.dynamics[:, :, 0], tuning.labels[fixed], card.classes)

# %% [markdown]
# As a number: how far the probability of an image moves from one epoch to the next, on average over the last quarter
# of training.

# %%
quarter = max(1, EPOCHS // 4)
movement = [np.abs(np.diff(run.dynamics, axis=0))[-quarter:].mean() for run in finished["all"]]
claims.measure("H5.6", intervals.seed_mean_estimate(movement, images=len(fixed)))

# %% [markdown]
# ## How good is it?
# On the whole validation part, image by image, never on a few batches. The loss says little to people; these metrics do. The
# interval treats groups and seeds as drawn at random, so it says what another seed on other modules would give.

# %% mystnb={"figure": {"name": "fig-metrics", "caption": "Metrics on the validation part, all levels, decided at probability one half, with intervals over groups and seeds."}}
validation = {levels: runs.predictions_by_seed(group, "validation") for levels, group in finished.items()}
names = [
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "f1",
    "brier",
    "log_loss",
]
scored = validation["all"]
estimates = {name: metrics.metric_estimate(name, scored.labels, scored.probabilities, scored.groups) for name in names}
plots.intervals({name.replace("_", " "): estimate for name, estimate in estimates.items()}, "value")

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
# Leaving out the doubtful levels makes the question easier, for the network and for the score. Both are measured here on
# the validation part.

# %%
easy = validation["extreme"]
claims.measure("H5.3", metrics.metric_estimate("auc", easy.labels, easy.probabilities, easy.groups))
claims.measure("H5.4", estimates["auc"])
both = scored.probabilities, easy.aligned(scored.images)
extreme = np.isin(scored.images, easy.images)
harder = metrics.difference_estimate("auc", scored.labels, *both, scored.groups, within_b=extreme)
claims.measure("H5.5", harder)

# %% mystnb={"figure": {"name": "fig-seeds", "caption": "Validation AUC of every seed: the spread is what a single number would hide."}}
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
# The path works from file to verdict. Whether the network reads the *image*, or something else that goes with the
# label, is the next question (chapter 6); a network large enough to overfit comes after it (chapter 7).
