# %% [markdown]
# # What is in the data?
# **Needs** nothing but the data set's card · **Produces** no file that later chapters need · **Answers** hypotheses H1.1-H1.3
#
# Before any network, we look: at whole pictures, at counts, at how brightness and labels vary. Only images of the
# development parts (train, tuning, validation) are shown with their labels; the labels of the test part stay hidden
# from here on.

# %%
from lib import cards, custody, decode, hypotheses, intervals, plots, statistics
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
# We say what we expect before we measure it. Each line below is a claim about one number; the chapter ends with a
# verdict for each.

# %%
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis(
        "H1.1", "Neighbouring images carry related labels", "correlation of labels", "greater", 0.1, "S3.1 S3.5"
    ),
    hypotheses.Hypothesis(
        "H1.2",
        f"The kind {first_kind} is defective more often than others",
        "difference of shares",
        "greater",
        0.0,
        "S3.5",
    ),
    hypotheses.Hypothesis(
        "H1.3", "Defective images are darker", "difference of brightness (grey values)", "less", 0.0, "S3.4 S3.5"
    ),
)
claims

# %% [markdown]
# ## What the images are
# One row an image, read and decoded in full. The table counts them by format, mode (`L` is 8-bit grey) and size: where
# a data set mixes several, a network can learn the source instead of the content.

# %% tags=["nbval-check-output"]
images.groupby(["format", "mode", "width", "height"]).size().rename("images").reset_index()

# %% [markdown]
# Images of one group belong together (cells of one module, eyes of one patient), so a group is never divided between parts.
# The parts were drawn before anyone looked.

# %% tags=["nbval-check-output"]
images.groupby("part")["group"].agg(images="size", groups="nunique").loc[["train", "tuning", "validation", "test"]]

# %% [markdown]
# ## How the label varies
# Experts graded every image; the book's question has two classes, cut between the grades. Look for two things: grades
# so rare that a network will hardly learn them, and classes of unequal size. Where one class holds most images, a
# classifier that always names it is already right for most, so accuracy alone says little.

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
# The standard deviation of the grey values tells how much is going on inside an image.

# %% mystnb={"figure": {"name": "fig-contrast", "caption": "Standard deviation of the grey values of the images of each level."}}
plots.histogram(described, "contrast", "graded level", "standard deviation of grey values")

# %% [markdown]
# H1.3 compares the class means of brightness. The interval treats whole groups as the unit, because images of one
# group share camera and exposure.

# %%
label = development["label"].to_numpy()
darker = statistics.mean_difference(development["brightness"].to_numpy(), label == 1)
claims.measure("H1.3", intervals.estimate(darker, development["group"]))

# %% [markdown]
# ## Do kinds differ?
# The card names properties of the images beside the label. If one kind is defective more often, a network may learn
# the kind; and if parts hold other shares of the kinds, their scores differ for that reason alone.

# %% mystnb={"figure": {"name": "fig-kinds", "caption": "Development images by kind and graded level."}}
by_kind = development.groupby([kind, levels], observed=True).size().unstack()
plots.bars(by_kind.rename_axis(columns="graded level"), "images")

# %%
more_often = statistics.mean_difference(label, kind == first_kind)
shares = intervals.estimate(more_often, development["group"])
claims.measure("H1.2", shares)

# %% [markdown]
# ## Do neighbours resemble each other?
# Rows that follow one another come from one place. The figure correlates each image's label with the one `lag` rows
# further on, within its group. Were the images independent, all bars would be near zero, and a random split into
# training and test images would be harmless. Bars well above zero say that a neighbour gives the label away, and that
# only whole groups may be divided between parts.

# %% mystnb={"figure": {"name": "fig-neighbours", "caption": "Correlation between the labels of images in one group, by their distance in rows."}}
defective = development["label"].rename("label")
shifted = {lag: defective.groupby(development["group"]).shift(-lag) for lag in (1, 2, 3, 5, 8)}
by_lag = (
    defective.to_frame().assign(**{str(lag): later for lag, later in shifted.items()}).corr()["label"].drop("label")
)
plots.bars(by_lag.round(2).rename_axis("lag, rows").to_frame("correlation"), "correlation of labels")

# %%
has_neighbour = shifted[1].notna().to_numpy()
related = statistics.correlation(label[has_neighbour], shifted[1].dropna().to_numpy())
claims.measure("H1.1", intervals.estimate(related, development["group"][has_neighbour]))

# %% [markdown]
# ## What we found
# The verdicts, each from its interval over groups, at levels that keep the chapter's chance of a false confirmation
# within five per cent.

# %%
claims.judge()

# %% [markdown]
# ## What next
# Chapter 2 decides what to drop and measures how much a careless split would flatter. {doc}`Chapter 5
# <05_simple_network>` sends these images through the whole path with the smallest network that can learn.
