# %% [markdown]
# # How deep should we fine-tune?
# **Needs** the parts of the data, ImageNet's weights · **Produces** the runs of family `depth` · **Answers** hypotheses H10.1-H10.7
#
# The last blocks of a network know what its first task needed, the first ones know edges that any task needs. So it is
# usual to unfreeze from the end, but how far? One of the source documents varied the depth from block to block, and inside
# of blocks too, and found whole blocks best. We ask the same of one network, with everything else held fixed.

# %%
import numpy as np
import pandas as pd

from lib import ablations, cost, effects, epochs, fit, grids, hypotheses, lineage, plots, runs, texts, timing, transfer
from lib.config import chapter
from lib.estimates import Inapplicable
from lib.grids import strategies
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
BACKBONES = ["efficientnet_lite0"]  # the first one whose weights can be had is used
IMAGE_SIZE = 32  # pixels per side
HIDDEN = 1
EPOCHS = [4, 4]  # of the head's warm-up, and of what follows; so are the next two
OPTIMISERS = ["adam", "sgd"]
RATES = [0.001, 0.0001]
DECAY = 10.0
PATIENCE = [1, 2]  # epochs until the second rate is divided by DECAY, and until training ends
DEPTHS = [0.0, 1.0, 1.5, 2.0]  # blocks unfrozen; a fraction is that share of the layers of the next one
MEASURED_IMAGES = 64
ENGINE = "keras"  # of what is frozen
SEEDS = [7]
THREADS = 1

# %%
context = chapter("10_depth", DATASET, PROFILE)
study = grids.depth(
    DATASET, BACKBONES, IMAGE_SIZE, HIDDEN, EPOCHS, OPTIMISERS, RATES, DECAY, PATIENCE, DEPTHS, MEASURED_IMAGES,
    ENGINE, SEEDS, THREADS,
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
# tuning part, so that choosing it flatters nobody; no depth at all is among the choices. The choice is not made anew for each
# resampling, so its interval is too narrow. Where one block is chosen, H10.4 is H10.1; where the deepest is, H10.4 and H10.5
# compare the same two settings, by two measures. H10.7 asks of the numbers of H10.1 whether they lie within a margin that
# would not matter in use, as in chapter 9.

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
    Hypothesis("H10.7", "One block changes nothing that matters", difference, "equivalent", 0.02, "S4.7 S0.4"),
)
claims

# %% [markdown]
# ## Learning
# Up to the end of the warm-up all lines are one. Then the weights of its best epoch are put back, and at the dotted line
# blocks are unfrozen; epochs that early stopping spared are left out. Epoch 0, before any step, is left out: its loss would fix the scale.

# %% mystnb={"figure": {"name": "fig-depth-curves", "caption": "Loss and accuracy through training for some depths: mean over seeds, bands from the lowest to the highest seed, as far as all seeds were trained. Right of the dotted line blocks learn; look how far the lines part there, on training and on validation."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
drawn = [by_depth[each] for each in sorted({0.0, min(DEPTHS, key=lambda each: abs(each - 1)), deepest})]
curves = transfer.history({name: finished[name] for name in drawn})
plots.compared(curves[curves["epoch"] > 0], {"loss": "loss, nats", "accuracy": "accuracy"}, "setting")

# %% [markdown]
# Which epoch of fine-tuning was kept, and the log loss before it and with the weights that were kept. A loss on training
# that hardly falls belongs to blocks that have hardly moved: such a row says nothing of its depth.

# %%
texts.table(epochs.tuned(finished))

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

# %% mystnb={"figure": {"name": "fig-depth-differences", "caption": "AUC of each depth less that of features alone; only an interval that lies wholly to the right of the dashed line speaks for unfreezing. Each interval is that of one depth by itself, and verdicts need wider ones."}}
plots.intervals(effects.differences("auc", finished, parents), "difference of AUC", 0)

# %%
whole = {name: each for each, name in by_depth.items() if not each % 1}
one = effects.mean_difference("auc", finished, [("1 block", features)])
claims.measure_each({"H10.1": one, "H10.7": one})

# %% [markdown]
# The depth is chosen by the mean log loss on the tuning part, from all depths with none among them:

# %%
losses = fit.losses(finished)["tuning"].rename("tuning loss, nats")
chosen = losses.idxmin()
meaning = {by_depth[deepest]: "H10.5 compares the same settings.", "1 block": "So H10.4 is H10.1."}
meaning |= {features: "Not to unfreeze is a choice too; H10.4 has nothing to compare."}
choice = texts.sentence(f"Chosen on the tuning part: {chosen}.", meaning.get(chosen, ""))
texts.together(texts.table(losses.rename_axis("setting").to_frame()), choice)

# %%
best = effects.mean_difference("auc", finished, [(chosen, features)])
best = Inapplicable("on the tuning part no depth has a lower loss than features alone") if chosen == features else best
trend, parts = effects.slopes(whole), transfer.whole_less_part(by_depth)
found = {"H10.2": effects.contrast("auc", finished, trend), "H10.3": effects.contrast("auc", finished, parts)}
claims.measure_each(found | {"H10.4": best})

# %% [markdown]
# ## Does it overfit?
# The gap is the log loss on validation less that on the images that were learned from: two samples of images, of other groups
# each, whose uncertainties are added. More that learns can learn more by heart. Parts with other shares of the classes have a
# gap without any learning: it is not 0 but that of the class shares at which a network that tells nothing apart lies.

# %% mystnb={"figure": {"name": "fig-depth-gap", "caption": "Log loss on validation less that on training, by the number of blocks unfrozen; the dashed line is the gap of the class shares, given to every image."}}
data = runs.data_of(study[features][0], context)
plots.intervals({name: fit.gap(group) for name, group in finished.items()}, "gap, nats", fit.unlearned(data))

# %%
settings = ablations.of_study(grids.FAMILIES["depth"], study, finished)
lower = effects.mean_difference("log_loss", finished, [(by_depth[deepest], features)])
deep = [setting for setting in settings if setting.title == by_depth[deepest]]
measured = claims.measure_each({"H10.5": lower, "H10.6": ablations.narrowing(deep)})
texts.together(measured, fit.without_images(data))

# %% [markdown]
# ## What depth costs
# Time of an epoch of fine-tuning, with everything below the cut answered from what was stored. Blocks are not alike, so
# what is fitted is the work: a constant for handling the batches, and so many seconds for each million multiplications of
# one image on its way through the layers from the lowest one that learns to the output, whatever their kind: few depths
# cannot tell more terms apart. Inside of a block nothing is saved by storing less: the
# cut is the end of the last block that is frozen as a whole.

# %% mystnb={"figure": {"name": "fig-depth-time", "caption": "Seconds of an epoch by the number of blocks unfrozen, median over seeds; the line joins what the fitted law gives at these depths."}}
model, log = finished[features][0].model(), timing.phases(finished).query("phase == 2")
points = pd.DataFrame({"series": "fine-tuning", "x": list(by_depth), "y": log["an_epoch"].to_numpy()})
work = [sum(cost.learning(model, group[0]).values()) for group in study.values()]
terms = pd.DataFrame({"constant": 1.0, cost.PLAIN: work})
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
# Half the width of an interval is about the smallest difference that, when measured, is told from none; a true one
# of that size would be told about every second time. Differences between depths that are smaller may well be there.

# %%
texts.table(claims.resolution())

# %% [markdown]
# ## What we found
# The verdicts speak of one network at one size with one rate: a depth that pays with another one may not pay here. Blocks of
# other networks are of other lengths.

# %%
texts.sentence(epochs.stopped(finished))

# %%
claims.judge()

# %% [markdown]
# Should one fine-tune at all, and deeper rather than less deep?

# %%
texts.together(claims.answer("H10.2", "H10.4"), choice)

# %% [markdown]
# ## What next
# The network sees what the size of its input lets it see. {doc}`Chapter 11 <11_image_size>` makes images larger.
