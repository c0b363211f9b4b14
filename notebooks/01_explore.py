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

from lib import cards, custody, embedding, features, groupwise, hypotheses, plots, properties
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
pd.options.display.max_colwidth = 120

# %% [markdown]
# ## What we expect
# Each line below is a claim about one number, declared before the cell that measures it; the chapter ends with a verdict
# for each. On the data set that the book is built with by default, H1.1 and H1.3 were suspected from probes of the same
# images: they describe more than they discover. A claim that cannot be put to a data set is not applicable, and says why.

# %%
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis("H1.1", "Neighbours carry related labels", "correlation of labels", "greater", 0.1, "S3.5"),
    hypotheses.Hypothesis("H1.2", "Kinds have equal shares", "difference of shares", "equivalent", 0.1, "S3.5"),
    hypotheses.Hypothesis("H1.3", "Brightness alone tells the label", "AUC", "greater", 0.5, "S3.4 S3.5"),
    hypotheses.Hypothesis("H1.4", "Properties of files alone tell the label", "AUC", "greater", 0.5, "S3.5"),
)
claims

# %% [markdown]
# ## What the images are
# One row an image, read and decoded in full. The table counts them by format, mode (`L` is 8-bit grey) and size: where
# a data set mixes several, a network can learn the source instead of the content.

# %% tags=["nbval-check-output"]
kinds = images.groupby(["format", "mode", "width", "height"]).size().rename("images").reset_index()
kinds.sort_values("images", ascending=False, kind="stable", ignore_index=True).head(12)

# %% [markdown]
# ## What is wrong with them
# Every file and every row of a table was looked at: files that cannot be read or are no images, names that lie about the
# format, tables that name absent files, copies, labels that contradict each other, values far from all others. None of
# it stops the book, and nothing is deleted: chapter 2 shows what was decided. In every profile, this is about all files.
#
# The first of each kind is shown with what was seen. Images that are linked to the test part stand under a name that says
# nothing. [findings.csv](findings.csv) holds them all, with the decisions.

# %%
by_kind = ledger.groupby("kind", sort=False)
first = by_kind[["image", "detail"]].first()
first.insert(0, "findings", by_kind.size())
first

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

# %% [markdown]
# Some models expect numbers that are spread like a normal distribution. The table shows how skewed each property is (a
# symmetric one has 0), and how far the power transformation that suits it best makes it symmetric. A property that is a
# word (format, mode, pattern of the name, what the card names) becomes one column a value.

# %%
known = properties.described(development, card.properties, card.source(development))
numbers = properties.normality(known, known.select_dtypes("number")).round(2)
words = known.select_dtypes(exclude="number").nunique().rename("columns").rename_axis("property").reset_index()
table = pd.concat([numbers, words]).set_index("property").astype({"columns": "Int64"}).dropna(how="all")
table.astype(object).fillna("")

# %% [markdown]
# ## The odd ones out
# Images that lie far from the others in one property: too dark, too flat, blurred, of another size or shape. Some are
# mistakes, some are just rare, and only looking tells which.

# %% mystnb={"figure": {"name": "fig-outliers", "caption": "The farthest outliers of each property, one row a property; hover for what was measured."}}
outliers = ledger[ledger["kind"].str.startswith("outlier_") & ledger["image"].isin(development["path"])]
odd = outliers.groupby("kind").head(PICTURES).groupby("kind")
pictures = {kind.replace("_", " "): [card.picture(path) for path in rows["image"]] for kind, rows in odd}
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
# A small model gets the properties of the files alone: brightness, contrast, sharpness, size, shape, format, mode, the
# pattern of the name, and what the card names beside. It is fitted on some groups and asked about others. Whatever it
# can tell, a network may learn instead of the content; every network of this book has to beat it.

# %% mystnb={"figure": {"name": "fig-properties", "caption": "AUC of models that know one property of the files, and of one that knows all; one class against the others, the dashed line is chance."}}
label, group = development["label"].fillna(0).to_numpy(int), development["group"].to_numpy()
telling = properties.association(known, label, group)
alone = dict(sorted(telling.alone.items(), key=lambda item: item[1].value))
plots.intervals({**alone, "all together": telling.together}, "AUC", 0.5)

# %%
claims.measure("H1.3", telling.by("brightness"))

# %%
claims.measure("H1.4", telling.together)

# %% [markdown]
# Where the lower end of an interval lies clearly above chance, that is a warning of a shortcut. The association is Cramer's
# V, for numbers the root of the share of variance between classes, on ranks.

# %%
warned = telling.findings()["detail"].str.replace(":.*", "", regex=True)
table = telling.table().round(2)
table.assign(shortcut=table["property"].isin(warned)).set_index("property")

# %% [markdown]
# ## Do kinds differ?
# The card may name a property that divides the images into kinds. If one kind is positive more often, a network may learn
# the kind; and if parts hold other shares of the kinds, their scores differ for that reason alone. The first kind, by the
# alphabet, is compared with the others.

# %% mystnb={"figure": {"name": "fig-kinds", "caption": "Share of each label within a kind, development images."}}
kind = development[card.properties[0]] if card.properties else pd.Series("all images", development.index)
by_kind = pd.crosstab(kind.rename("kind"), shown_as, normalize="index").round(3)
plots.bars(by_kind, "share of the kind")

# %%
claims.measure("H1.2", groupwise.share_difference(label, kind, group, card.classes))

# %% [markdown]
# ## Do neighbours resemble each other?
# Where rows that follow one another come from one place, their labels may be related. The figure correlates each label
# with the one `lag` rows further on, within its group: as it is, and after the mean of the group is taken away. The
# first says that groups differ, so a random split would share them between parts; what is left in the second is
# neighbourhood proper. Chapter 2 measures what a random split flatters.

# %% mystnb={"figure": {"name": "fig-neighbours", "caption": "Correlation between the labels of images in one group, by their distance in rows."}}
lags = groupwise.lag_correlations(label, group, (1, 2, 3, 5, 8))
plots.bars(lags.round(2), "correlation")

# %%
claims.measure("H1.1", groupwise.neighbour_correlation(label, group, card.classes))

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
