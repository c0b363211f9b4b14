# %% [markdown]
# # What is in the data, and what is wrong with it?
# **Needs** nothing but the data set's card · **Produces** no file that later chapters need · **Answers** hypotheses H1.1-H1.4
#
# Before any network, we look: at whole pictures, at counts, at what files and tables get wrong, at how properties and
# labels vary together. Only images of the development parts (train, tuning, validation) are shown with their labels; the
# labels of the test part stay hidden from here on.

# %%
import numpy as np
import pandas as pd

from lib import cards, custody, embedding, features, groupwise, hypotheses, plots, properties, texts
from lib.config import chapter

# %% tags=["parameters", "labels-optional"]
DATASET = "elpv"
PROFILE = "smoke"
PICTURES = 6  # in each row
BACKBONE = "efficientnet_lite0"  # pre-trained, never trained further here
FEATURE_SIZE = 64  # pixels per side that it sees
SEED = 7  # of the map

# %%
context = chapter("01_explore", DATASET, PROFILE)
card = cards.load(DATASET)
images, ledger = custody.images(context), custody.ledger(context)
development = custody.development(context)
shown_as = card.named(development)

# %% [markdown]
# ## What we expect
# Each line below is a claim about one number, declared before the cell that measures it; the chapter ends with a verdict
# for each. On the data set that the book is built with by default, H1.1 and H1.3 were suspected from probes of the same
# images: they describe more than they discover. A claim that cannot be put to a data set is not applicable, and says why.
#
# A *shortcut* is more than a hint: what tells the label with an AUC whose whole interval lies above the margin in the
# table. Next to chance, intervals of models that learn from nearly the same images are a little too narrow.

# %%
barely = properties.SHORTCUT
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis(
        "H1.1", "Neighbours of one kind carry related labels", "agreement beyond chance", "greater", 0.1, "S3.5"
    ),
    hypotheses.Hypothesis("H1.2", "Kinds have equal shares", "difference of shares", "equivalent", 0.1, "S3.5"),
    hypotheses.Hypothesis("H1.3", "Brightness alone is a shortcut", "AUC", "greater", barely, "S3.4 S3.5"),
    hypotheses.Hypothesis("H1.4", "Properties of the file are a shortcut", "AUC", "greater", barely, "S3.5"),
)
claims

# %% [markdown]
# ## What the images are
# One row an image, read and decoded in full. The table counts them by format, mode (`L` is 8-bit grey) and size: where
# a data set mixes several, a network can learn the source instead of the content.

# %% tags=["nbval-check-output"]
kinds = images.groupby(["format", "mode", "width", "height"]).size().rename("images").reset_index()
texts.table(kinds.sort_values("images", ascending=False, kind="stable").head(12))

# %% [markdown]
# ## What is wrong with them
# Every file and every row of a table was looked at: files that cannot be read or are no images, names that lie about the
# format, tables that name absent files, copies, labels that contradict each other, values far from all others. None of
# it stops the book, and nothing is deleted: chapter 2 shows what was decided. This table is about all files, in every
# profile; the rest of the chapter is about the development images of this build.
#
# The first of each kind is shown with what was seen. Images that are linked to the test part stand under a name that says
# nothing. [findings.csv](findings.csv) holds them all, with the decisions.

# %%
by_kind = ledger.groupby("kind", sort=False)
first = by_kind[["image", "detail"]].first()
first.insert(0, "findings", by_kind.size())
texts.table(first, "Nothing was found.")

# %% [markdown]
# ## How the label varies
# Where an image has one of several graded levels, the book asks a question of two classes, cut between the levels. Look for
# two things: labels so rare that a network will hardly learn them, and labels of unequal size. Where one class holds most
# images, a classifier that always names it is already right for most, so accuracy alone says little.

# %% mystnb={"figure": {"name": "fig-levels", "caption": "Images by label and development part. A label that is short in one part can hardly be judged there."}}
counts = pd.crosstab(shown_as, development["part"])
plots.bars(counts.rename_axis(columns="part"), "images", plots.PART_COLOURS)

# %% [markdown]
# ## What a picture looks like
# Random images of each label, none left out because it looks odd. Do the rows differ in something that an expert would
# call the reason, or in something beside it: the kind, the exposure, the border? Hover over an image for its name.

# %% mystnb={"figure": {"name": "fig-pictures", "caption": "Random images, one row a label. Judge for yourself how far the labels can be told apart by eye."}}
chosen = development.sample(frac=1, random_state=7).groupby(shown_as, observed=True).head(PICTURES)
rows = {name: list(paths) for name, paths in chosen.groupby(card.named(chosen), observed=True)["path"]}
plots.pictures({name: [card.picture(path) for path in paths] for name, paths in rows.items()}, list(rows.values()))

# %% [markdown]
# ## How properties vary
# Four numbers an image, by label. If the curves of one were far apart, a threshold would do the work of a network; where
# they overlap, there is something left to learn. Sharpness is the variance of the second derivative: blurred pictures
# lie on the left. The size of a compressed file tells much the same, from outside.

# %% mystnb={"figure": {"name": "fig-distributions", "caption": "Brightness (mean grey value), contrast (standard deviation), sharpness and file size, by label."}}
units = {"brightness": "mean grey value, 0-255", "contrast": "standard deviation of grey values"}
units |= {"sharpness": "sharpness, grey values squared", "bytes": "file size, bytes"}
plots.histograms(development.assign(**{shown_as.name: shown_as}), units, shown_as.name)

# %% [markdown]
# Every pixel counted: a peak at 0 or 255 would be clipped exposure, gaps would be a contrast stretched after the fact.

# %% mystnb={"figure": {"name": "fig-pixels", "caption": "Share of pixels of each grey value, all development images of a label together."}}
decoded = (card.picture(path) for path in development["path"])
pixel_counts = pd.DataFrame([np.bincount(pixels.ravel(), minlength=256) / pixels.size for pixels in decoded])
plots.lines(pixel_counts.groupby(shown_as, observed=True).mean().T, "grey value, 0-255", "share of pixels")

# %%
whole, clipped = pixel_counts.mean(), (pixel_counts[[0, 255]] > 0.01).any(axis=1).sum()
ends = [
    f"Grey value {end} holds {whole[end]:.3%} of the pixels, {by} holds {whole[by]:.3%}."
    for end, by in [(0, 1), (255, 254)]
]
texts.sentence(
    *ends,
    "An end that holds far more than the value beside it is exposure that was clipped.",
    f"{clipped:,} of {len(pixel_counts):,} images have more than a hundredth of their pixels at an end.",
)

# %% [markdown]
# Some models expect numbers that are spread like a normal distribution. The skewness of a symmetric property is 0; beyond
# 1 a few large values (below -1: small ones) outweigh all others. The table shows the power transformation that suits each
# property best, and what it leaves; the small models further down get their numbers transformed like this.

# %%
known = properties.described(development, card.properties, card.source(development))
texts.table(properties.normality(known.select_dtypes("number")), "No property of these images varies.", decimals=2)

# %% [markdown]
# ## The odd ones out
# Images that lie far from the others in one property: too dark, too flat, blurred, of another size or shape. Some are
# mistakes, some are just rare, and only looking tells which.

# %% mystnb={"figure": {"name": "fig-outliers", "caption": "The farthest outliers of each property, one row a property; hover for what was measured."}}
outliers = ledger[ledger["kind"].str.startswith("outlier_") & ledger["image"].isin(development["path"])]
odd = outliers.groupby("kind").head(PICTURES).groupby("kind")
pictures = {kind.replace("outlier_", ""): [card.picture(path) for path in rows["image"]] for kind, rows in odd}
plots.pictures(pictures, [(rows["image"] + "<br>" + rows["detail"]).tolist() for _, rows in odd])

# %% [markdown]
# ## Which images lie close together?
# A network that was trained on photographs of everything, and on none of these, gives each image a long row of numbers. Images
# with similar rows lie close together on the map. Islands of one label are easy to tell; islands that hold several labels
# show what else makes images alike: the camera, the kind, the group. Far distances on the map mean nothing.

# %% mystnb={"figure": {"name": "fig-map", "caption": "Development images by what a pre-trained network sees in them, coloured by label; hover for the name."}}
frozen = features.get(context, BACKBONE, FEATURE_SIZE)
seen = frozen.of(development["image"])
places = embedding.neighbours_map(seen, SEED)
plots.scatter(places, shown_as, development["image"])

# %% [markdown]
# ## Can the label be told without looking?
# A small model gets what is known of a **file** before anybody looks at a pixel: its size in bytes, width, height, shape,
# format, mode, the pattern of its name, the folder it came from, what the card names. Bytes follow from the content (busy
# pictures compress worse), but no eye is needed to count them. Another model gets three numbers of the **picture** as a
# whole: brightness, contrast, sharpness. It looks, though not at anything in particular. Both are fitted on some groups and
# asked about others. Whatever they can tell, a network may learn instead of the content.

# %% mystnb={"figure": {"name": "fig-properties", "caption": "AUC of models that know one property, and of those that know all of the file, of the picture, or both; one class against the others, the dashed line is the margin of a shortcut."}}
label, group = development["label"].fillna(0).to_numpy(int), development["group"].to_numpy()
telling = properties.association(known, label, group)
alone = dict(sorted(telling.alone.items(), key=lambda item: item[1].value))
plots.intervals({**alone, **telling.sums()}, "AUC", barely)

# %%
claims.measure("H1.3", telling.by("brightness"))

# %%
claims.measure("H1.4", telling.file)

# %% [markdown]
# One row a property that varies. The association is Cramer's V, for numbers the root of the share of variance between
# classes, on ranks.

# %%
texts.table(telling.table(), "No property can be put to that question here.", decimals=2)

# %% [markdown]
# ## Do kinds differ?
# The card may name a property that divides the images into kinds. If one kind is positive more often, a network may learn
# the kind; and if parts hold other shares of the kinds, their scores differ for that reason alone. The first kind, by the
# alphabet, is compared with the others.

# %% mystnb={"figure": {"name": "fig-kinds", "caption": "Share of each label within a kind, development images."}}
kind = development[card.properties[0]] if card.properties else pd.Series("all images", development.index)
by_kind = pd.crosstab(kind.rename("kind"), shown_as, normalize="index").round(3)
plots.bars(by_kind, "share of the kind") if len(by_kind) > 1 else texts.sentence("All images are of one kind.")

# %%
claims.measure("H1.2", groupwise.share_difference(label, kind, group, card.classes))

# %% [markdown]
# ## Do neighbours resemble each other?
# Where rows that follow one another come from one place, their labels may be related. Compared are images of one group, by
# their distance in rows of the data (an image that was dropped leaves a gap). The agreement is 0 where the order tells
# nothing: what labels would agree in if they were permuted is taken off. Permuted within the kind, because kinds have
# shares of their own; and within the group: what is left then is neighbourhood proper, and what went away says that groups
# differ, so that a random split would share them between parts. Chapter 2 measures what that flatters.

# %% mystnb={"figure": {"name": "fig-neighbours", "caption": "Agreement between the labels of two images of a group, by their distance in rows, beyond labels that are permuted within a kind or within a group."}}
row, lags = development["row"].to_numpy(int), {"next row": 1, "2 rows": 2, "3 rows": 3, "5 rows": 5, "8 rows": 8}
strata = {"permuted within the kind": kind, "permuted within the group": group}
agreement = {
    name: {far: groupwise.neighbour_agreement(label, group, row, within, lag) for far, lag in lags.items()}
    for name, within in strata.items()
}
plots.side_by_side(agreement, "agreement beyond chance", 0)

# %%
claims.measure("H1.1", agreement["permuted within the kind"]["next row"])

# %%
guessed = "themselves guessed from the order of the rows, because none are published"
texts.sentence(f"The groups are {guessed if card.group.kind == 'blocks' else 'those that the card names'}.")

# %% [markdown]
# ## What we found
# The verdicts, each from its interval over groups. Above, intervals were drawn for each number by itself; these are
# wider, so that all claims of the chapter together are falsely confirmed about once in twenty chapters at most.

# %%
claims.judge()

# %% [markdown]
# ## What next
# {doc}`Chapter 2 <02_clean_and_split>` decides what to drop and measures how much a careless split would flatter.
# {doc}`Chapter 5 <05_simple_network>` sends these images through the whole path with the smallest network that can learn.
