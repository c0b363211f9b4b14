# %% [markdown]
# # What do larger images buy?
# **Needs** the parts of the data, ImageNet's weights · **Produces** the runs of family `image_size` · **Answers** hypotheses H11.1-H11.7
#
# Small images are cheap, and hide what is small. One of the source documents doubled the side of its images and found every
# network better; another one made them smaller and lost. Both leave open *why*: a larger image shows more detail, but the
# same detail also covers more of the positions at which a network looks, whose filters were learned at one size. Here both
# are told apart.

# %%
import numpy as np
import pandas as pd

from lib import cards, effects, grades, grids, hypotheses, lineage, plots, runs, texts, timing, transfer, turned
from lib.config import chapter
from lib.grids import strategies
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
BACKBONES = ["efficientnet_lite0"]
SIZES = [32, 48]  # pixels per side, from small to large
HIDDEN = 1
EPOCHS = [4, 4]  # of the head's warm-up, and of what follows; so are the next two
OPTIMISERS = ["adam", "sgd"]
RATES = [0.001, 0.0001]
DECAY = 10.0
PATIENCE = [1, 2]  # epochs until the second rate is divided by DECAY, and until training ends
DEPTHS = [0]  # blocks unfrozen; 0: features alone
TIMED_SHARES = [0.3, 0.5]  # of the training images, at the smallest size, for the time that it takes
MEASURED_IMAGES = 64
ENGINE = "keras"  # of what is frozen
PICTURES = 3  # images shown of each kind
SEEDS = [7]
THREADS = 1

# %%
context = chapter("11_image_size", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.image_size(
    DATASET, BACKBONES, SIZES, HIDDEN, EPOCHS, OPTIMISERS, RATES, DECAY, PATIENCE, DEPTHS, TIMED_SHARES,
    MEASURED_IMAGES, ENGINE, SEEDS, THREADS,
)  # fmt: skip
parents = grids.parents_of("image_size", study)

# %% [markdown]
# ## What is compared
# The same network, head and epochs at every size; first on the two extreme levels, where labels are graded, then on all. The
# *extreme* levels are the least and the greatest one; those between are *doubtful*, and whoever learns from extreme levels is
# also scored on them alone, on fewer images. *Coarse* images are as large as the largest ones, but were shrunk to the smallest size before: they fill as many positions
# and show no more than small ones do. Shares of the training images, at the smallest size, are there to be timed.

# %% tags=["nbval-check-output"]
table = transfer.by_size(study)
counts = {
    name: {part: len(each) for part, each in runs.data_of(study[name][0], context).parts().items()} for name in study
}
texts.table(table.join(pd.DataFrame.from_dict(counts, orient="index")).reset_index(drop=True))

# %%
levels = ", ".join(f"{name} ({level:.2g})" for level, name in sorted(card.level_names.items()))
texts.sentence(f"Levels of this data set: {levels}." if levels else "The labels of this data set have no levels.")

# %% [markdown]
# Each but the first of its kind differs from another one by one thing. A network whose weights cannot be had on this machine
# is left out, and others stand in for it: that stands below the table.

# %%
there = strategies.left_out(BACKBONES) or ["The weights of all networks are there."]
texts.together(texts.table(lineage.described(study, parents)), texts.sentence(*there))

# %% [markdown]
# One validation image of each class as the network gets it, at every size and coarse. Can you see what makes it what it is?

# %% mystnb={"figure": {"name": "fig-sizes", "caption": "One validation image of each class at every size, and as coarse ones of the largest size."}}
ours = table[(table["network"] == table["network"].iloc[0]) & table["images"].isin(["all", "coarse"])]
parts = {name: runs.data_of(study[name][0], context).validation for name in ours.index}
places = [np.flatnonzero(next(iter(parts.values())).labels == index)[0] for index in range(len(card.classes))]
named = {f"{images}, {size} px": parts[name] for name, _, images, size in ours.itertuples()}
drawn = {name: [part.pixels[part.rows[place]].squeeze() for place in places] for name, part in named.items()}
plots.pictures(drawn, below=[card.classes] * len(drawn), fewest_columns=3)

# %% [markdown]
# ## What we expect
# Trends are slopes of AUC for each doubling of the side, of a straight line through all sizes, mean over networks. Fine
# signs of a defect are what doubtful levels hang on, so a larger size should bring more where they take part: H11.4 compares
# networks that learn and are scored on all levels with those that learn and are scored on the extreme ones. H11.5 compares images of one size with
# more and less detail, H11.6 images of one detail at two sizes; their sum is H11.3, the whole step from the smallest
# to the largest size.

# %%
slope, difference = "slope of AUC per doubling", "difference of AUC"
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H11.1", "On extreme levels, larger is better", slope, "greater", 0, "S4.2 S4.9"),
    Hypothesis("H11.2", "On all levels, larger is better", slope, "greater", 0, "S4.8 S4.9"),
    Hypothesis("H11.3", "The largest images beat the smallest", difference, "greater", 0, "S4.9 S3.35"),
    Hypothesis(
        "H11.4", "AUC rises more with size on all levels than on extremes", "difference of slopes", "greater", 0, "S4.9"
    ),
    Hypothesis("H11.5", "At one size, detail helps", difference, "greater", 0, "S4.9 S4.12"),
    Hypothesis("H11.6", "With one detail, size helps", difference, "greater", 0, "S4.9"),
    Hypothesis("H11.7", "More images turn right than wrong", "share of images", "greater", 0, "S4.12"),
)
claims

# %% [markdown]
# ## First the simpler problem
# On the extreme levels alone, then on all. Each is scored on the images that it is about.

# %% mystnb={"figure": {"name": "fig-size-auc", "caption": "AUC on validation by the size of the images, a line for each network and for each set of levels."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
auc = transfer.scored("auc", finished)
plain = table[table["images"].isin(["extreme", "all"])]
series = plain.assign(series=plain["network"] + ", " + plain["images"])
plots.trends(transfer.grouped(auc, series, "series", "size"), "pixels per side", "AUC", logarithmic=True)

# %%
extreme, every = (transfer.trend(table[table["images"] == levels]) for levels in ("extreme", "all"))
easier = effects.contrast("auc", finished, extreme) if extreme else grades.UNGRADED
claims.measure_each({"H11.1": easier, "H11.2": effects.contrast("auc", finished, every)})

# %%
small, large, coarse = ("all", min(SIZES)), ("all", max(SIZES)), ("coarse", max(SIZES))
step = transfer.between(table, large, small)
claims.measure("H11.3", effects.mean_difference("auc", finished, step))

# %%
more = every | {name: -weight for name, weight in extreme.items()}
claims.measure("H11.4", effects.contrast("auc", finished, more) if extreme else grades.UNGRADED)

# %% [markdown]
# ## Detail, or size?
# A network sees a larger image through more positions, and each of its filters covers a smaller part of the object. A
# photograph network was trained with objects of one size, and may prefer images near it, whatever they show. Coarse images
# tell detail apart from everything else that a larger side brings. Where all sizes lie below the one that the weights
# learned at, as those of `cpu` below 224 pixels, more positions and nearness to that size always grow together: what coarse
# images gain may be either.

# %% mystnb={"figure": {"name": "fig-detail", "caption": "AUC on validation: small images, the same enlarged to the largest size, and those with all their detail."}}
chosen = table[[(row.images, row.size) in (small, coarse, large) for row in table.itertuples()]]
labels = {small: f"small, {small[1]} px", coarse: f"coarse, {coarse[1]} px", large: f"with detail, {large[1]} px"}
kinds = chosen.assign(kind=[labels[row.images, row.size] for row in chosen.itertuples()])
found = transfer.grouped(auc, kinds, "kind", "network")
plots.side_by_side({label: found[label] for label in labels.values()}, "AUC")

# %%
apart = {"H11.5": transfer.between(table, large, coarse), "H11.6": transfer.between(table, coarse, small)}
claims.measure_each({id: effects.mean_difference("auc", finished, found) for id, found in apart.items()})

# %% [markdown]
# ## Images that turn
# For the first network: which images of the validation part are decided wrongly when small and rightly when large, and the
# other way round? A decision is that of the mean over seeds, in the table and in H11.7, which is the second column less the
# third one as a share of all images.

# %%
largest, smallest = step[0]
turning = turned.turns(*(runs.predictions_by_seed(finished[name], "validation") for name in (smallest, largest)))
texts.table(turned.counts(turning, card.classes))

# %% [markdown]
# How many of them would be right without looking: who always decides for the larger class of the training part reaches this.

# %%
unseen = effects.blind(runs.data_of(study[largest][0], context))["accuracy"]
texts.sentence(f"The larger class for every image: accuracy {unseen:.3f}.")

# %%
claims.measure("H11.7", turned.balance(turning))

# %% [markdown]
# Those that gained most, at both sizes, with the probability that is given to their true class. Is there something in
# the large picture that is not in the small one?

# %% mystnb={"figure": {"name": "fig-turned", "caption": "Validation images that turn from wrong to right: small above, large below, with their class and the probability that it is given."}}
rows = turning[turning["turn"] == turned.RIGHT].head(PICTURES)
drawn, below = turned.drawn(rows, {"small": parts[smallest], "large": parts[largest]}, card.classes)
plots.pictures(drawn, below=below, fewest_columns=3)

# %% mystnb={"figure": {"name": "fig-turned-back", "caption": "Validation images that turn from right to wrong, drawn in the same way."}}
back = turning[turning["turn"] == turned.WRONG].tail(PICTURES)
drawn, below = turned.drawn(back, {"small": parts[smallest], "large": parts[largest]}, card.classes)
plots.pictures(drawn, below=below, fewest_columns=3)

# %% [markdown]
# ## What size costs
# Time of a run, with what was stored for it, by the size of its images and by their number, that of all parts. A power law is fitted to all of
# them: how many times longer it takes for twice as many of each is two to the power of the exponent. Time that is the same
# for all, such as that of the head, makes an exponent smaller.

# %% mystnb={"figure": {"name": "fig-size-time", "caption": "Seconds of a run by the size of its images, a series a set of levels, with the fitted power law."}}
points, terms = transfer.costs(table, timing.phases(finished))
law = timing.law(terms, np.log(points["y"]))
plots.fitted(points, points.assign(y=np.exp(law.at(terms))), "pixels per side", "seconds a run", logarithmic=True)

# %% mystnb={"figure": {"name": "fig-images-time", "caption": "Seconds of a run at the smallest size by the number of its images, that of all parts, with the same fitted law: settings that learn from all training images, from shares of them, and, where labels are graded, from extreme levels alone."}}
fewer = points[points["x"] == min(SIZES)].sort_values("images")
fewer = fewer.assign(series=table["network"].loc[fewer.index], x=fewer["images"])
line = fewer.assign(y=np.exp(law.at(terms.loc[fewer.index])))
plots.fitted(fewer, line, "images of all parts", "seconds a run", logarithmic=True)

# %%
exponents = [(name, str(found)) for name, found in law.estimates().items() if name != "constant"]
texts.table(pd.DataFrame(exponents, columns=["exponent", "with its interval"]))

# %% [markdown]
# ## What could have been told
# Half the width of an interval is about the smallest difference that, when measured, is told from none; a true one
# of that size would be told about every second time.

# %%
texts.table(claims.resolution())

# %% [markdown]
# ## What we found
# The verdicts speak of these sizes and of networks that learned at one size from photographs. What larger images buy
# may differ where objects fill another share of the picture, or where the files have no more detail to give.

# %%
claims.judge()

# %% [markdown]
# Do larger images pay on all levels, and is it their detail?

# %%
claims.answer("H11.3", "H11.5")

# %% [markdown]
# ## What next
# All of this began with weights that photographs gave. {doc}`Chapter 16 <16_ablations>` puts what each change brought into
# one table.
