# %% [markdown]
# # What is in the data?
# **Needs** nothing but the data set's card · **Produces** no file that later chapters need · **Answers** hypotheses H1.1-H1.4
#
# Before any network, we look: at whole pictures, at counts, at how brightness and labels vary. Only images of the
# development parts (train, tuning, validation) are shown with their labels; the labels of the test part stay hidden
# from here on.

# %%
import numpy as np
import pandas as pd

from lib import cards, custody, decode, hypotheses, intervals, metrics, plots, statistics
from lib.config import chapter

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGES_PER_LEVEL = 6  # pictures in each row of the grid

# %%
context = chapter("01_explore", DATASET, PROFILE)
card = cards.load(DATASET)
images = custody.images(context)
development = custody.development(context)
kind = development[card.properties[0]]
first_kind = kind.min()  # in the order of the alphabet: which one is not chosen by what the labels say

# %% [markdown]
# ## What we expect
# Each line below is a claim about one number, declared before the cell that measures it; the chapter ends with a verdict
# for each. H1.1 and H1.4 were suspected from probes of the same data: they describe more than they discover.

# %%
positive = card.positive
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis("H1.1", "Neighbours carry related labels", "correlation of labels", "greater", 0.1, "S3.5"),
    hypotheses.Hypothesis(
        "H1.2", f"Kinds are {positive} equally often", "difference of shares", "equivalent", 0.1, "S3.5"
    ),
    hypotheses.Hypothesis(
        "H1.3", f"Images that are {positive} are darker", "difference of grey values", "less", 0, "S3.5"
    ),
    hypotheses.Hypothesis("H1.4", "Darkness alone ranks the images", "AUC of darkness", "greater", 0.5, "S3.4 S3.5"),
)
claims

# %% [markdown]
# ## What the images are
# One row an image, read and decoded in full. The table counts them by format, mode (`L` is 8-bit grey) and size: where
# a data set mixes several, a network can learn the source instead of the content.

# %% tags=["nbval-check-output"]
images.groupby(["format", "mode", "width", "height"]).size().rename("images").reset_index()

# %% [markdown]
# Images of one group belong together (cells of one module, eyes of one patient), so a group is never divided between
# parts; where no group is published, the card says what is assumed instead. Of many random divisions, a program took
# the one that spreads levels and kinds most evenly.

# %% tags=["nbval-check-output"]
images.groupby("part")["group"].agg(images="size", groups="nunique").loc[["train", "tuning", "validation", "test"]]

# %% [markdown]
# ## How the label varies
# Experts graded every image; the book's question has two classes, cut between the grades. Look for two things: grades
# so rare that a network will hardly learn them, and classes of unequal size. Where one class holds most images, a
# classifier that always names it is already right for most, so accuracy alone says little.

# %% mystnb={"figure": {"name": "fig-classes", "caption": "Development images by class and part."}}
classes = pd.Series(card.classes)[development["label"]].rename("class").to_numpy()
by_class = pd.crosstab(classes, development["part"]).loc[card.classes]
plots.bars(by_class.rename_axis(index="class", columns="part"), "images", plots.PART_COLOURS)

# %% mystnb={"figure": {"name": "fig-levels", "caption": "Images by graded level and development part. A level that is short in one part can hardly be judged there."}}
levels = card.named_levels(development["level"])
counts = development.groupby([levels, "part"], observed=True).size().unstack()
plots.bars(counts.rename_axis(index="graded level", columns="part"), "images", plots.PART_COLOURS)

# %% [markdown]
# ## What a picture looks like
# Random images of each level, none left out because it looks odd. Do the rows differ in something that an expert would
# call the reason, or in something beside it: the kind, the exposure, the border? Hover over an image for its name and
# kind.

# %% mystnb={"figure": {"name": "fig-pictures", "caption": "Random images, one row a graded level. Judge for yourself how far the levels can be told apart by eye."}}
chosen = development.sample(frac=1, random_state=7).groupby("level").head(IMAGES_PER_LEVEL).copy()
folder = card.reader.folder()
chosen["picture"] = [decode.decode((folder / path).read_bytes()).pixels for path in chosen["path"]]
chosen["title"] = chosen[["image", *card.properties]].agg("<br>".join, axis=1)
rows = chosen.groupby(card.named_levels(chosen["level"]), observed=True)
plots.pictures(rows["picture"].agg(list).to_dict(), rows["title"].agg(list).tolist())

# %% [markdown]
# ## How bright they are
# The mean grey value of each image, by level. If the curves were far apart, a threshold on brightness would do the
# work of a network; where they overlap, there is something left to learn.

# %% mystnb={"figure": {"name": "fig-brightness", "caption": "Mean grey value of the images of each level. Where they overlap, brightness alone cannot tell the levels apart."}}
described = development.assign(**{"graded level": levels})
plots.histogram(described, "brightness", "graded level", "mean grey value, 0-255")

# %% [markdown]
# Every pixel counted: a peak at 0 or 255 would be clipped exposure, gaps would be a contrast stretched after the fact.

# %% mystnb={"figure": {"name": "fig-pixels", "caption": "Share of pixels of each grey value, all development images of a level together."}}
decoded = (decode.decode((folder / path).read_bytes()).pixels for path in development["path"])
pixel_counts = pd.DataFrame([np.bincount(pixels.ravel(), minlength=256) for pixels in decoded])
pooled = pixel_counts.groupby(levels, observed=True).sum()
plots.lines(pooled.div(pooled.sum(axis=1), axis=0).T, "grey value, 0-255", "share of pixels")

# %% [markdown]
# The standard deviation of the grey values tells how much is going on inside an image.

# %% mystnb={"figure": {"name": "fig-contrast", "caption": "Standard deviation of the grey values of the images of each level."}}
plots.histogram(described, "contrast", "graded level", "standard deviation of grey values")

# %% [markdown]
# The size of a compressed file tells much the same, from outside: if it differs between levels, a network can read it
# from the texture.

# %% mystnb={"figure": {"name": "fig-bytes", "caption": "Size of the image files of each level."}}
plots.histogram(described, "bytes", "graded level", "file size, bytes")

# %% [markdown]
# H1.3 compares the class means of brightness. The interval treats whole groups as the unit, because images of one group
# share camera and exposure.

# %%
label = development["label"].to_numpy()
darker = statistics.mean_difference(development["brightness"].to_numpy(), label == 1)
claims.measure("H1.3", intervals.estimate(darker, development["group"]))

# %% [markdown]
# H1.4 asks what a single threshold on brightness would be worth: the chance that a positive image is darker than a
# negative one. Every network of this book has to beat this number, or it has learned nothing but brightness.

# %%
darkness = 1 - development["brightness"].to_numpy() / 255
alone = metrics.metric_estimate("auc", label, darkness, development["group"])
claims.measure("H1.4", alone)

# %% [markdown]
# ## Do kinds differ?
# The card names properties of the images beside the label. If one kind is defective more often, a network may learn
# the kind; and if parts hold other shares of the kinds, their scores differ for that reason alone.

# %% mystnb={"figure": {"name": "fig-kinds", "caption": "Share of each graded level within a kind, development images."}}
by_kind = pd.crosstab(kind, levels, normalize="index").round(3)
plots.bars(by_kind.rename_axis(index="kind", columns="graded level"), "share of the kind")

# %%
pd.crosstab(images[card.properties[0]], images["part"], normalize="columns").round(2).rename_axis(
    index="kind", columns=None
)

# %%
more_often = statistics.mean_difference(label, kind == first_kind)
shares = intervals.estimate(more_often, development["group"])
claims.measure("H1.2", shares)

# %% [markdown]
# ## Do neighbours resemble each other?
# Where rows that follow one another come from one place, their labels may be related. The figure correlates each label
# with the one `lag` rows further on, within its group: as it is, and after the mean of the group is taken away. The
# first says that groups differ, so a random split would share them between parts; what is left in the second is
# neighbourhood proper. Chapter 2 measures what a random split flatters.

# %% mystnb={"figure": {"name": "fig-neighbours", "caption": "Correlation between the labels of images in one group, by their distance in rows."}}
group = development["group"]
versions = {
    "labels": development["label"],
    "labels less group mean": label - development.groupby("group")["label"].transform("mean"),
}
by_lag = pd.DataFrame({
    name: {str(lag): values.corr(values.groupby(group).shift(-lag)) for lag in (1, 2, 3, 5, 8)}
    for name, values in versions.items()
})  # fmt: skip
plots.bars(by_lag.round(2).rename_axis("lag, rows"), "correlation")

# %%
following = development["label"].groupby(group).shift(-1)
known = following.notna().to_numpy()
claims.measure("H1.1", intervals.estimate(statistics.correlation(label[known], following[known]), group[known]))

# %% [markdown]
# ## What we found
# The verdicts, each from its interval over groups. Above, intervals were drawn for each number by itself; these are
# wider, so that all claims of the chapter together are falsely confirmed about once in twenty chapters at most.

# %%
claims.judge()

# %% [markdown]
# ## What next
# Chapter 2 decides what to drop and measures how much a careless split would flatter. {doc}`Chapter 5
# <05_simple_network>` sends these images through the whole path with the smallest network that can learn.
