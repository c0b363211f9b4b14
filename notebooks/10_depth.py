# %% [markdown]
# # How deep should we fine-tune?
# **Needs** the parts of the data, ImageNet's weights · **Produces** the runs of family `depth` · **Answers** hypotheses H10.1-H10.6
#
# The last blocks of a network know what its first task needed, the first ones know edges that any task needs. So it is
# usual to unfreeze from the end, but how far? One of the source documents varied the depth from block to block, and inside
# of blocks too, and found whole blocks best. We ask the same of one network, with everything else held fixed.

# %%
import numpy as np
import pandas as pd

from lib import ablations, cost, effects, fit, grids, hypotheses, lineage, plots, runs, texts, timing, transfer
from lib.config import chapter
from lib.grids import strategies
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
BACKBONES = ["efficientnet_lite0"]  # the first one whose weights can be had is used
IMAGE_SIZE = 32  # pixels per side
HIDDEN = 1
HEAD_EPOCHS = 3
HEAD_RATE = 0.001
TUNING_EPOCHS = 3
TUNING_RATE = 0.0001
PATIENCE = 1
DEPTHS = [0.0, 1.0, 1.5, 2.0]  # blocks unfrozen; a fraction is that share of the layers of the next one
MEASURED_IMAGES = 64
ENGINE = "keras"  # of what is frozen
SEEDS = [7]
THREADS = 1

# %%
context = chapter("10_depth", DATASET, PROFILE)
study = grids.depth(
    DATASET, BACKBONES, IMAGE_SIZE, HIDDEN, HEAD_EPOCHS, HEAD_RATE, TUNING_EPOCHS, TUNING_RATE, PATIENCE, DEPTHS,
    MEASURED_IMAGES, ENGINE, SEEDS, THREADS,
)  # fmt: skip
parents = grids.parents_of("depth", study)
by_depth = dict(zip(sorted({0.0, *DEPTHS}), study, strict=True))  # blocks unfrozen -> name of the setting
features = by_depth[0.0]

# %% [markdown]
# ## The blocks
# Counted from the end, as they are unfrozen. The output of a block's last layer is the only thing that later blocks read:
# there the network can be cut, and everything before the cut be computed once an image.

# %% tags=["nbval-check-output"]
network, deepest = next(iter(strategies.usable(BACKBONES))), max(DEPTHS)
print(strategies.titled(network))
texts.table(transfer.blocks(study[by_depth[deepest]][0].network).head(int(np.ceil(deepest))))

# %% [markdown]
# Each setting differs from features alone, with no block unfrozen, by its depth and nothing else: the same warm-up of the
# head, then the same epochs of the same low rate, at which in the first row the head goes on by itself.

# %%
texts.table(lineage.described(study, parents))

# %% [markdown]
# ## What we expect
# Differences are on the validation part, paired by image and seed. The trend is the slope of a straight line through whole
# blocks. A part of a block is compared with a straight line between the two block ends around it, so that a mere trend with
# depth makes no difference; positive means that whole blocks are better. For H10.4 the depth is chosen by the loss on the
# tuning part, so that choosing it flatters nobody. The choice is not made anew for each resampling, so its interval is too
# narrow; and where the deepest is chosen, H10.4 and H10.5 compare the same two settings, by two measures.

# %%
difference = "difference of AUC"
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H10.1", "Unfreezing one block beats features", difference, "greater", 0, "S4.7 S0.4"),
    Hypothesis("H10.2", "Deeper is better", "slope of AUC per block", "greater", 0, "S4.7"),
    Hypothesis("H10.3", "Whole blocks are better than parts", "AUC, block ends less inside", "greater", 0, "S4.7"),
    Hypothesis("H10.4", "The depth chosen on tuning beats features", difference, "greater", 0, "S4.7 S0.4"),
    Hypothesis("H10.5", "The deepest makes losses lower", "difference of log losses", "less", 0, "S4.7"),
    Hypothesis("H10.6", "The deepest overfits more", "difference of gaps", "greater", 0, "S4.7"),
)
claims

# %% [markdown]
# ## Learning
# Up to the end of the warm-up all lines are one. Where they part, blocks were unfrozen.

# %% mystnb={"figure": {"name": "fig-depth-curves", "caption": "Loss and accuracy through training for some depths: mean over seeds, bands from the lowest to the highest seed."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
drawn = [by_depth[each] for each in sorted({0.0, min(DEPTHS, key=lambda each: abs(each - 1)), deepest})]
curves = transfer.history({name: finished[name] for name in drawn})
plots.compared(curves, {"loss": "loss, nats", "accuracy": "accuracy"}, "setting")

# %% [markdown]
# ## Score against depth
# Open markers are depths inside of a block.

# %% mystnb={"figure": {"name": "fig-depth-auc", "caption": "AUC on validation by the number of blocks unfrozen; open markers lie inside of a block."}}
inside = [each for each in by_depth if each % 1]
auc, accuracy = (transfer.scored(metric, finished) for metric in ("auc", "accuracy"))
plots.trends({"AUC": {each: auc[name] for each, name in by_depth.items()}}, "blocks unfrozen", "AUC", inside)

# %% mystnb={"figure": {"name": "fig-depth-accuracy", "caption": "The same as accuracy, the measure of the source document: the share of images whose class is decided rightly (S0.8). The dashed line is reached by the larger class for every image."}}
unseen = effects.blind(runs.data_of(study[features][0], context))["accuracy"]
by_blocks = {"": {each: accuracy[name] for each, name in by_depth.items()}}
plots.trends(by_blocks, "blocks unfrozen", "accuracy", inside, reference=unseen)

# %% [markdown]
# Differences to features are paired and therefore surer than the bars above: what all settings find hard takes no part
# in them.

# %% mystnb={"figure": {"name": "fig-depth-differences", "caption": "AUC of each depth less that of features alone; right of the dashed line unfreezing helped."}}
plots.intervals(effects.differences("auc", finished, parents), "difference of AUC", 0)

# %%
whole = {name: each for each, name in by_depth.items() if not each % 1}
claims.measure("H10.1", effects.mean_difference("auc", finished, [("1 block", features)]))

# %%
chosen = fit.losses(finished)["tuning"].drop(features).idxmin()
print(f"chosen on the tuning part: {chosen}")
trend, parts = effects.slopes(whole), transfer.whole_less_part(by_depth)
found = {"H10.2": effects.contrast("auc", finished, trend), "H10.3": effects.contrast("auc", finished, parts)}
claims.measure_each(found | {"H10.4": effects.mean_difference("auc", finished, [(chosen, features)])})

# %% [markdown]
# ## Does it overfit?
# The gap is the log loss on validation less that on the images that were learned from: two samples of images, of other groups
# each, whose uncertainties are added. More that learns can learn more by heart.

# %% mystnb={"figure": {"name": "fig-depth-gap", "caption": "Log loss on validation less that on training, by the number of blocks unfrozen; at the dashed line both are alike."}}
plots.intervals({name: fit.gap(group) for name, group in finished.items()}, "gap, nats", 0)

# %%
settings = ablations.of_study(grids.FAMILIES["depth"], study, finished)
lower = effects.mean_difference("log_loss", finished, [(by_depth[deepest], features)])
deep = [setting for setting in settings if setting.title == by_depth[deepest]]
claims.measure_each({"H10.5": lower, "H10.6": ablations.narrowing(deep)})

# %% [markdown]
# ## What depth costs
# Time of an epoch of fine-tuning, with everything below the cut answered from what was stored. Blocks are not alike, so
# what is fitted is the work: a constant for handling the batches, and so many seconds for each million multiplications of
# one image on its way through the layers from the lowest one that learns to the output. Those of depthwise convolutions
# stand apart, where a network has any: each of them takes longer. Inside of a block nothing is saved by storing less: the
# cut is the end of the last block that is frozen as a whole.

# %% mystnb={"figure": {"name": "fig-depth-time", "caption": "Seconds of an epoch by the number of blocks unfrozen, mean over seeds; the line joins what the fitted law gives at these depths."}}
model, log = finished[features][0].model(), timing.phases(finished).query("phase == 2")
points = pd.DataFrame({"series": "fine-tuning", "x": list(by_depth), "y": log["an_epoch"].to_numpy()})
terms = pd.DataFrame([{"constant": 1.0, **cost.learning(model, group[0])} for group in study.values()])
law = timing.law(terms, points["y"])
plots.fitted(points, points.assign(y=law.at(terms)), "blocks unfrozen", "seconds an epoch")

# %%
rows = [(name, str(estimate)) for name, estimate in law.estimates().items()]
texts.table(pd.DataFrame(rows, columns=["seconds an epoch", "with its interval"]))

# %% mystnb={"figure": {"name": "fig-depth-bargain", "caption": "AUC on validation against the time that a run takes, training and stored answers together; hover for the depth."}}
kinds = {name: "inside of a block" if each in inside else "whole blocks" for each, name in by_depth.items()}
plots.tradeoff(auc, timing.seconds(finished), kinds, "AUC")

# %% [markdown]
# ## What could have been told
# Half the width of an interval is about the smallest effect that it could tell from none. Differences between depths that
# are smaller may well be there.

# %%
texts.table(claims.resolution())

# %% [markdown]
# ## What we found
# The verdicts speak of one network at one size with one low rate: a depth that pays with more epochs, or with another rate,
# may not pay here. Blocks of other networks are of other lengths.

# %%
claims.judge()

# %% [markdown]
# Should one fine-tune at all, and deeper rather than less deep?

# %%
claims.answer("H10.2", "H10.4")

# %% [markdown]
# ## What next
# The network sees what the size of its input lets it see. {doc}`Chapter 11 <11_image_size>` makes images larger.
