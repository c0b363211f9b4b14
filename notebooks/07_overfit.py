# %% [markdown]
# # Can we overfit?
# **Needs** the parts of the data, the simple network of chapter 5 · **Produces** the runs of family `overfit` · **Answers** hypotheses H7.1-H7.8
#
# Before a network is regularised it must overfit: fit its training images better than others. One that even learns them
# by heart leaves no doubt about its capacity. So we take a known architecture, a reduced Xception, and train it with a
# constant rate and nothing against overfitting, and see how far it goes. The distance to validation is what chapter 8 has
# to close.

# %%
import pandas as pd

from lib import cards, cost, effects, fit, grids, hypotheses, intervals, plots, runs, sanity, texts
from lib.config import chapter, literature
from lib.hypotheses import Hypothesis
from lib.training import initial, range_test

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 32  # pixels per side
STEM = [4, 8]
SIZES = [8, 16]  # of the blocks, and of the last convolution
MOMENTUM = 0.5  # of batch normalisation
OTHER_MOMENTUM = 0.99
EPOCHS = 3
SWEEP_EPOCHS = 2
LEARNING_RATE = 0.003
OTHER_RATES = [0.001]
L2_CONSTANTS = [0.01]
RANGE = [0.00001, 1.0]  # of rates in the range test
RANGE_STEPS = 30
RANGE_SEEDS = [1, 2, 3]
MEASURED_IMAGES = 128
SEEDS = [7, 8]
SWEEP_SEEDS = [7, 8]
THREADS = 1

# %%
context = chapter("07_overfit", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.overfit(
    DATASET, IMAGE_SIZE, STEM, SIZES, MOMENTUM, OTHER_MOMENTUM, EPOCHS, SWEEP_EPOCHS, LEARNING_RATE, OTHER_RATES,
    L2_CONSTANTS, MEASURED_IMAGES, SEEDS, SWEEP_SEEDS, THREADS,
)  # fmt: skip
usual, data = study["xception"][0], runs.data_of(study["xception"][0], context)

# %% [markdown]
# ## What we expect
# H7.3 and H7.7 speak of seeds and of groups of validation images, which are images that belong together (chapter 2); the
# others speak of seeds on these training images. *Late* means over the last epochs, five at most: the last one alone is
# chance where a curve jumps. For H7.6 the margin is half a power of ten: a range test says no more than the order of magnitude. The constant of H7.7 is
# chosen on the tuning part and judged on validation, so that choosing it flatters nobody.

# %%
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H7.1", "The training loss comes near zero", "late loss on training images", "less", 0.1, "S3.25"),
    Hypothesis("H7.2", "Training images are known by heart", "late training accuracy", "greater", 0.99, "S3.25"),
    Hypothesis("H7.3", "Validation is left behind", "validation less training log loss", "greater", 0, "S3.25"),
    Hypothesis(
        "H7.4", "Xception fits better than simple", "difference of late training losses", "less", 0, "S3.26 S3.28"
    ),
    Hypothesis("H7.5", "A larger momentum lags", "difference of losses, mean over epochs", "greater", 0, "S3.26"),
    Hypothesis("H7.6", "The pinned rate is supported", "log10 of rate to suggestion", "equivalent", 0.5, "S4.4"),
    Hypothesis("H7.7", "Some L2 constant beats none", "difference of log losses", "less", 0, "S4.4"),
    Hypothesis("H7.8", "The largest constant costs fit", "difference of training losses", "greater", 0, "S4.4"),
)
claims

# %% [markdown]
# Both networks are trained for long. Every other setting is short, and differs from the short Xception by one thing.

# %% tags=["nbval-check-output"]
kinds = [(name.split()[0], group[0].epochs, len(group)) for name, group in study.items()]
table = pd.DataFrame(kinds, columns=["setting", "epochs", "runs"])
texts.table(table.groupby(["setting", "epochs"], sort=False).sum())

# %% [markdown]
# ## What a network costs
# Each network in a process of its own, on a batch of noise. Multiplications are those of one image on its way forward;
# a step learns from one batch, and its time is a median after warming up; memory is how much the process, or its GPU, grew
# beyond what it held before the network was built, and includes what the library itself needs to run it.

# %%
channels = data.train.pixels.shape[-1]
networks = {name: study[name][0] for name in ("simple", "xception")}
costs = cost.table(networks, channels, data.classes).rename(columns=cost.TITLES).T
texts.table(costs.rename_axis(f"cost, {usual.batch_size} images a batch"), decimals=1)

# %% [markdown]
# ## The network
# Blocks of two separable convolutions halve the image and grow wider; a projection leads around each of them, so that a
# gradient reaches the first layer undiminished. No block pools below 4 px: where images are small, the last blocks keep
# their size.

# %% mystnb={"figure": {"name": "fig-xception", "caption": "The reduced Xception: what each box gives and holds, with the projection beside each block. Hover for its layers."}}
network = initial.build(usual, data)
plots.diagram(network)

# %% [markdown]
# Beside it the network of chapter 5: fewer parameters, and nothing that leads around a layer.

# %% mystnb={"figure": {"name": "fig-simple", "caption": "The simple network of chapter 5, drawn in the same way."}}
plots.diagram(initial.build(study["simple"][0], data))

# %% [markdown]
# ## Which learning rate?
# In a range test the rate grows by the same factor from step to step, from one that changes next to nothing to one that
# should be too large for the loss to fall on.
# We follow the loss of fixed training images on several fresh networks. The rate of steepest descent of the smoothed curve
# is the suggestion; where that curve has its lowest point, the rate is too large already. The kernel that smooths is wide:
# it can move the steepest place of a lopsided descent by about as much as the margin of H7.6, so compare each suggestion
# with the dotted curve. The rate of this chapter is pinned in the parameters, since later chapters build on it; the test is
# asked whether it supports the pin.

# %% mystnb={"figure": {"name": "fig-range", "caption": "Loss while the rate grows, a colour a seed: dotted as measured, solid smoothed; a diamond marks the suggestion, where the smoothed descent is steepest, the dashed line the pinned rate."}}
tested = range_test.losses(usual, data, RANGE, RANGE_STEPS, RANGE_SEEDS)
suggested = range_test.suggestions(tested)
plots.range_test(tested, range_test.smoothed(tested), suggested, LEARNING_RATE)

# %%
spread = pd.DataFrame({"lowest": [suggested.min()], "median": [suggested.median()], "highest": [suggested.max()]})
published = literature("S3.27")["learning_rate"]
texts.table(spread.assign(pinned=LEARNING_RATE, document=published), decimals=5)

# %%
claims.measure("H7.6", fit.support(LEARNING_RATE, suggested))

# %% [markdown]
# ## Until it overfits
# Validation is watched beside training, and decides nothing: the rate is constant to the end. The dashed line is what the
# class shares of the training part, given to every image, reach on validation: a network above it does worse there than
# one that looks at no image, though it may rank images better.

# %% mystnb={"figure": {"name": "fig-overfit", "caption": "Loss and accuracy of both networks through training, validation beside training: mean over seeds, bands from the lowest to the highest seed. Look whether validation ever gains; dashed, the log loss that the class shares reach on validation."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
history = pd.concat(run.history.assign(network=name) for name in networks for run in finished[name])
blind = {"loss": effects.blind(data)["log_loss"]}
plots.curves(history[history["part"] != "tuning"], {"loss": "loss, nats", "accuracy": "accuracy"}, "network", blind)

# %% [markdown]
# A training curve that still jumps at the end belongs to averages of batch normalisation that follow the last few batches
# closely. So the last epochs count together, each on the same sample of the training images:

# %%
late, sampled = {name: fit.late(finished[name], "loss") for name in networks}, min(MEASURED_IMAGES, len(data.train))
claims.measure("H7.1", intervals.seed_mean_estimate(late["xception"], images=sampled))

# %%
accuracy = fit.late(finished["xception"], "accuracy")
claims.measure("H7.2", intervals.seed_mean_estimate(accuracy, (0.0, 1.0), images=sampled))

# %% [markdown]
# The gap is the log loss on validation less that on the whole training part, after the last epoch. A network may lose
# there without ranking worse: it grows too sure of itself.

# %%
texts.together(claims.measure("H7.3", fit.gap(finished["xception"])), fit.without_images(data))

# %%
claims.measure("H7.4", intervals.seed_mean_estimate(late["xception"] - late["simple"], images=sampled))

# %% [markdown]
# How well do they rank images that they never saw? A network may know its training images by heart and still rank others
# by chance; where an interval reaches the dashed line, that is what has not been excluded, and differences between such
# networks, here and in chapter 8, say little about networks that rank.

# %% mystnb={"figure": {"name": "fig-overfit-auc", "caption": "Validation AUC after training, of the long and of the short trainings, with intervals over groups and seeds; the dashed line is a ranking by chance."}}
ranked = {name: effects.validation_estimate("auc", finished[name]) for name in ("simple", "xception", "short")}
plots.intervals(ranked, "validation AUC", 0.5)

# %% [markdown]
# ## Batch normalisation lags behind
# In prediction, batch normalisation uses averages that follow training at a pace that the momentum sets. With a large
# momentum they begin at what the untrained network gave, and later lag behind weights that keep moving: the network has
# learned, and its predictions show an older one, or a mixture of several. How long the beginning weighs follows from the
# momentum and the steps of an epoch; a loss that still rises after that is the second kind of lag. The measure is the mean
# over all epochs but the untrained one. Short runs, and nothing else changed; another rate is drawn beside them.

# %% mystnb={"figure": {"name": "fig-momentum", "caption": "Short runs with another momentum, and with other rates: mean over seeds, bands from the lowest to the highest seed. A measured training loss that rises while the network learns is the lag."}}
other = f"momentum {OTHER_MOMENTUM:g}"
shown = ["short", other, *(name for name in study if name.startswith("rate "))]
history = pd.concat(run.history.assign(setting=name) for name in shown for run in finished[name])
plots.compared(history[history["part"] != "tuning"], {"loss": "loss, nats"}, "setting")

# %%
through = {name: sanity.by_seed(finished[name], "train", "loss").loc[1:].mean() for name in ("short", other)}
lag = (through[other] - through["short"]) * (1 if OTHER_MOMENTUM > MOMENTUM else -1)
claims.measure("H7.5", intervals.seed_mean_estimate(lag, images=len(data.train)))

# %% [markdown]
# ## The constant of regularisation
# The squares of all kernels are added to the loss, times a constant. Too small, and it does nothing; too large, and
# training images are no longer fitted either. Between them may lie one that helps validation, or none may. A network that
# is sure and wrong gains from any constant that makes it less sure, up to one that leaves nothing but the class shares:
# the dashed line. A constant that beats none and stays above that line has not been shown to make the network see more.
# And the tuning part, on which it is chosen, may be easier by brightness alone, as chapter 8 measures.

# %% mystnb={"figure": {"name": "fig-l2", "caption": "Log loss after short training by the constant of L2, mean over seeds. Look whether validation has its lowest point right of none, and whether it lies below the dashed line, which the class shares reach on validation."}}
swept = {"none": finished["short"], **{f"{constant:g}": finished[f"L2 {constant:g}"] for constant in L2_CONSTANTS}}
sweep = fit.losses(swept)
drawn = plots.lines(sweep, "constant of L2", "log loss, nats").update_traces(mode="lines+markers")
drawn.add_hline(blind["loss"], line_dash="dash", line_color="#888888").update_xaxes(type="category")

# %%
chosen = sweep["tuning"].drop("none").idxmin()
scored = {name: runs.predictions_by_seed(swept[name], "validation") for name in ("none", chosen)}
print(f"chosen on the tuning part: {chosen}")
claims.measure("H7.7", effects.difference("log_loss", scored[chosen], scored["none"]))

# %%
harm = sanity.training_loss(finished[f"L2 {max(L2_CONSTANTS):g}"]) - sanity.training_loss(finished["short"])
claims.measure("H7.8", intervals.seed_mean_estimate(harm, images=len(data.train)))

# %% [markdown]
# ## The first layer
# After so much training, are the first filters smooth edges or noise? Filters of a network that knows its images by heart
# may have changed little: the layers above can learn by heart what the first one gives by chance.

# %% mystnb={"figure": {"name": "fig-first-filters", "caption": "Filters of the first convolution, the same ones before and after training; grey is zero."}}
before, after = (sanity.first_filters(built) for built in (network, finished["xception"][0].model()))
print(f"change of the filters, relative to their size: {sanity.relative_change(before, after):.2f}")
plots.filters({"before training": before, "after": after})

# %% [markdown]
# ## What we found
# Overfitting is a gap: validation is left behind, and that answers the question of this chapter. Whether the training
# loss also comes near zero, and the images are known by heart, says how much capacity is to spare: the second answer.

# %%
claims.judge()

# %%
texts.together(claims.answer("H7.3"), claims.answer("H7.1", "H7.2"))

# %% [markdown]
# ## What next
# Where the first answer is yes, the network lacks something that holds on other images, and there is a gap to close;
# whether it also knows its own images by heart does not matter for that. Where the first answer is not yes, a longer
# training or a wider network would have to come first. What closes the gap, chapter 8 asks with one change at a time, from
# the network, the rate and the momentum that are pinned here, for as many epochs as its own parameters say: where these
# are fewer, its network has not come as far as this one, so it measures its own gap first (H8.1).
