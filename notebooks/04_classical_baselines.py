# %% [markdown]
# # How far do RF, SVM, MLP, KNN get?
# **Needs** the parts of chapter 2 and frozen features · **Produces** no file that later chapters need · **Answers** hypotheses H4.1-H4.7
#
# Before any network is trained: what do methods reach that fit in seconds? What a network gains later counts from here,
# not from chance. Random forest, support vector machine, multilayer perceptron and k nearest neighbours are the four that
# the source document tried; logistic regression and gradient boosting stand beside them, and a dummy that sees nothing.

# %%
import pandas as pd

from lib import (
    baselines,
    cards,
    classical,
    custody,
    features,
    grades,
    hypotheses,
    metrics,
    pixels,
    plots,
    properties,
    texts,
)
from lib.config import chapter

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
PIXEL_SIZE = 16  # pixels per side of the images whose pixels are the features
HOG_SIZE = 48
BACKBONE = "efficientnet_lite0"
FEATURE_SIZE = 64  # pixels per side of the images that the backbone sees
SEEDS = [7, 8]  # each draws the folds anew
FOLDS = 3

# %%
context = chapter("04_classical_baselines", DATASET, PROFILE)
card, development = cards.load(DATASET), custody.development(context)
label, group = development["label"].to_numpy(int), development["group"].to_numpy()

# %% [markdown]
# ## What we expect
# The document found its four methods barely above chance on pixels. Our margin for "barely" is the AUC from which this
# book calls a property of the files a shortcut. Frozen features are what a network that was trained on photographs makes
# of our images: nobody fits it to them. Three more claims ask whether what the models find is more than brightness or
# other properties of the files (chapter 1), and whether features need a curved model at all. On the data set that the
# book is built with by default, these claims were suspected from probes of the same images.

# %%
barely = properties.SHORTCUT
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis("H4.1", "On pixels they are barely above chance", "mean AUC", "less", barely, "S4.3"),
    hypotheses.Hypothesis("H4.2", "Features beat pixels", "mean AUC, features less pixels", "greater", 0, "S0.1"),
    hypotheses.Hypothesis("H4.3", "Features beat gradients", "mean AUC, features less HOG", "greater", 0, "S0.1"),
    hypotheses.Hypothesis("H4.4", "The best beats brightness alone", "AUC, difference", "greater", 0, "S3.5 S4.3"),
    hypotheses.Hypothesis("H4.5", "The best beats all file properties", "AUC, difference", "greater", 0, "S3.5 S4.3"),
    hypotheses.Hypothesis("H4.6", "On features, straight is no worse than curved", "AUC, logistic regression less SVM", "greater", -0.02, "S0.1"),
    hypotheses.Hypothesis("H4.7", "The extreme levels alone are easier", "mean AUC, extremes less all", "greater", 0, "S4.2"),
)  # fmt: skip
claims

# %% [markdown]
# ## Three descriptions of an image
# The pixels of a small picture, one after the other. Histograms of oriented gradients (HOG), which count in which
# directions edges run in each of a few cells. And frozen features: the last layer of the backbone, averaged over
# positions, read from a file that a step of its own has made. The table shows how many numbers each makes of an image.

# %% tags=["nbval-check-output"]
caches = [
    pixels.cached(context.root / "pixels", card.read, development, card.recipe, s) for s in (PIXEL_SIZE, HOG_SIZE)
]
small, larger = (cache.array[cache.rows(development["image"])] for cache in caches)
described = {"pixels": classical.pixel_features(small), "HOG": classical.hog_features(larger)}
described["features"] = features.get(context, BACKBONE, FEATURE_SIZE).of(development["image"])
rows = [(name, *matrix.shape) for name, matrix in described.items()]
texts.table(pd.DataFrame(rows, columns=["of", "images", "numbers"]))

# %% [markdown]
# Every model has one setting, the same for all three descriptions, chosen for descriptions of many numbers and not tuned
# here. Each image is scored by models that saw no image of its group, and images are ranked only against others that the
# same model scored. The folds are drawn anew for every seed. Intervals cover groups of scored images and seeds; that the
# models of all folds learn from nearly the same images is not in them, so they are somewhat too narrow. And the three
# descriptions see pictures of three sizes: what features gain is partly what larger pictures show.
#
# ## First the simpler problem: the extreme levels alone
# Where labels are graded, the doubtful levels are left out at first: the sound images against the worst. A method that
# fails here need not be tried on more.

# %% mystnb={"figure": {"name": "fig-extreme-baselines", "caption": "AUC of each model on the two extreme levels, by what it was fed with; the dashed line is chance."}}
extreme = grades.extreme(development["level"])
simple = baselines.study(described, label, group, SEEDS, FOLDS, within=extreme)
plots.side_by_side(simple.table(), "AUC", 0.5)

# %% [markdown]
# ## Then all levels
# The question that the rest of the book asks, on all development images.

# %% mystnb={"figure": {"name": "fig-baselines", "caption": "AUC of each model on all development images, by what it was fed with; the dashed line is chance."}}
study = baselines.study(described, label, group, SEEDS, FOLDS)
by_model = study.table()
plots.side_by_side(by_model, "AUC", 0.5)

# %% [markdown]
# On pixels, the mean of the document's four:

# %%
four = ("random forest", "support vector machine", "multilayer perceptron", "k nearest neighbours")
on_pixels = study.of("pixels", *four)
claims.measure("H4.1", on_pixels.auc())

# %% [markdown]
# ## What the description brings
# The same models on the same images and folds, so differences are paired and their intervals narrower than those above
# would suggest.

# %% mystnb={"figure": {"name": "fig-descriptions", "caption": "What each model gains in AUC from frozen features over pixels and over HOG; the dashed line is no gain."}}
gains = {f"over {other}": study.gains("features", other) for other in ("pixels", "HOG")}
plots.side_by_side(gains, "AUC, features less other", 0)

# %%
pixels_score, hog_score, features_score = (study.of(description) for description in described)
claims.measure("H4.2", features_score.less(pixels_score))

# %%
claims.measure("H4.3", features_score.less(hog_score))

# %% [markdown]
# ## Is it more than brightness?
# Chapter 1 showed how well brightness, or all properties of the files together, tell the label without a look at the
# picture. The best model must beat that, or it may have learned nothing else. Which one is best is chosen anew for each
# fold, by the other folds, so that luck in choosing is hardly taken for skill. The table counts the choices.

# %%
choices = study.choices()
shares = choices / choices.sum()
texts.table(pd.DataFrame({"times best": choices, "share": shares}), decimals=2)

# %% mystnb={"figure": {"name": "fig-told-by-files", "caption": "The best model beside models that know only brightness, or only the properties of the files; the dashed line is chance."}}
files = properties.described(development, card.properties, card.source(development))
told = {"brightness alone": files[["brightness"]], "all properties": files}
told = baselines.study(told, label, group, SEEDS, FOLDS, properties.models)
scores = {"the best": study.best()} | {name: told.of(name) for name in ("brightness alone", "all properties")}
plots.intervals({name: score.auc() for name, score in scores.items()}, "AUC", 0.5)

# %%
best, brightness = scores["the best"], scores["brightness alone"]
claims.measure("H4.4", best.less(brightness))

# %%
everything = scores["all properties"]
claims.measure("H4.5", best.less(everything))

# %% [markdown]
# ## Straight or curved?
# Where data are few, features are often given to the simplest model there is. If a straight border between the classes
# is as good as a curved one, then the backbone has done the work.

# %%
straight = study.of("features", "logistic regression")
curved = study.of("features", "support vector machine")
claims.measure("H4.6", straight.less(curved))

# %% [markdown]
# And how much of the difficulty lies in the levels between the extremes? Each side is scored on its own images, with
# models that learned from its own.

# %%
on_extremes = simple.of("features")
claims.measure("H4.7", on_extremes.less(features_score))

# %% [markdown]
# ## Which mistakes?
# Counts at the threshold of one half, on frozen features, by the mean over seeds. Where one class is rare, models that
# look alike in AUC may differ in which class they miss.

# %% mystnb={"figure": {"name": "fig-confusions", "caption": "Confusion matrices on frozen features, all development images, each scored by models that did not see its group; the darker, the larger the share of the true class."}}
plots.confusions(study.confusions("features"), card.classes)

# %% [markdown]
# The best model, chosen as above, in every metric, here over all folds together, so that the AUC differs a little from the
# one above, which ranks within folds; a cross marks what is reached without looking at the image. A later
# chapter that trains a network has to beat these.

# %% mystnb={"figure": {"name": "fig-best-metrics", "caption": "The best classical model in every metric, with what is reached without looking at the image."}}
shares = development["label"].value_counts(normalize=True).sort_index().to_numpy()
blind = metrics.chance(label, shares)
plots.metrics(study.metrics(), blind)

# %% [markdown]
# ## What it costs
# Processor time of one fit, calibration included where a model gives no probabilities itself. Features are not counted:
# they are made once for all chapters.

# %% mystnb={"figure": {"name": "fig-fit-seconds", "caption": "Processor seconds of one fit, by model and by what it was fed with."}}
plots.bars(study.seconds().round(2), "processor seconds of one fit")

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# {doc}`Chapter 5 <05_simple_network>` trains the smallest network that can learn. Whether a network is worth its time is
# asked against the best model of this chapter, not against chance.
