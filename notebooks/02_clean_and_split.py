# %% [markdown]
# # What do we drop, why, and can anything leak?
# **Needs** the findings of the data step · **Produces** no file that later chapters need · **Answers** hypotheses H2.1-H2.3
#
# Two images that show the same thing, one to learn from and one to be judged on, make every score a lie. So each finding
# gets a decision, each decision a reason, and the parts are checked before anything is trained. Then we measure what a
# careless split would have flattered.

# %%
import pandas as pd

from lib import cards, classical, custody, features, grades, hypotheses, inflation, leaks, pixels, plots, splits
from lib.config import chapter
from lib.findings import labels as label_findings
from lib.findings.copies import KINDS as COPIES

# %% tags=["parameters", "labels-optional"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 48  # pixels per side of the images that the baseline sees
SEEDS = [7, 8]  # each draws the folds anew
PICTURES = 6  # in each row
BACKBONE = "efficientnet_lite0"  # pre-trained, never trained further here
FEATURE_SIZE = 64  # pixels per side that it sees

# %%
context = chapter("02_clean_and_split", DATASET, PROFILE)
card = cards.load(DATASET)
images, ledger = custody.images(context), custody.ledger(context)
pd.options.display.max_colwidth = 120
development, summary = custody.development(context), custody.summary(context)

# %% [markdown]
# ## What we expect
# The baseline is one and the same throughout: histograms of oriented gradients into a support vector machine. Only the
# way in which images are held out differs.

# %%
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis("H2.1", "A random split flatters", "AUC, random less group", "greater", 0, "S3.2 S3.5"),
    hypotheses.Hypothesis(
        "H2.2", "Stretches are as strict as groups", "AUC, block less group", "equivalent", 0.05, "S3.5"
    ),
    hypotheses.Hypothesis(
        "H2.3", "Suspected labels are of doubtful levels", "difference of shares", "greater", 0, "S3.8"
    ),
)
claims

# %% [markdown]
# ## What was decided
# The ledger: every finding with its decision. A rule for each kind stands in `params/ledger.yml`, a card may say
# otherwise, and a person may decide on single images in a small table beside the card. The same findings, rules and
# table give the same images again, bit for bit. Raw files are never touched. One by one they stand in
# [findings.csv](findings.csv).

# %% tags=["nbval-check-output"]
decided = ledger.groupby(["kind", "decision", "reason", "by"], sort=False)
decided.size().rename("findings").reset_index().set_index("kind")

# %% [markdown]
# What that left over, step by step; groups also become fewer where near copies join them. `review` changes nothing by
# itself: such images stay until somebody decides.

# %% tags=["nbval-check-output"]
steps = pd.DataFrame(summary["steps"]).set_index("after")[["images", "groups"]]
steps.assign(**{"left out": -steps["images"].diff().fillna(0).astype(int)})

# %% [markdown]
# ## Copies, side by side
# Equal files and equal pixels are found by their hashes. Near copies, the same photograph at another size, contrast or
# encoding, are suspected from a hash of what is large in them, and verified on what is small. Of equal pictures one
# stays; near copies stay together in one group, so that they never stand in two parts. Pairs are shown next to each
# other; those of the test part are counted, but not shown. Where the labels of a pair differ, experts (or an archive) called
# one picture by two names: a measure of how far labels can be trusted.

# %% mystnb={"figure": {"name": "fig-copies", "caption": "Pairs that are taken for the same picture. Where two of a pair are different pictures after all, the verification is too lax."}}
pairs = ledger[ledger["kind"].isin(COPIES) & ledger["other"].ne("") & ~ledger["hidden"]]
pairs = pairs.groupby("kind").head(PICTURES // 2)
shown = {kind: [*rows[["image", "other"]].to_numpy().ravel()] for kind, rows in pairs.groupby("kind")}
plots.pictures(
    {kind.replace("_", " "): [card.picture(path) for path in paths] for kind, paths in shown.items()},
    list(shown.values()),
)

# %% [markdown]
# ## The parts
# Networks learn from `train`, decide when to stop on `tuning`, and are judged on `validation`; `test` waits for the last
# chapter. Groups (cells of a module, eyes of a patient) are never divided. A published test part stays as it is.

# %% tags=["nbval-check-output"]
images.groupby("part")["group"].agg(images="size", groups="nunique").loc[list(splits.PARTS)]

# %% mystnb={"figure": {"name": "fig-balance", "caption": "Share of each label within a part. Of all divisions that keep groups whole, a nearly even one was taken; what is left uneven is the groups' doing."}}
shares = pd.crosstab(card.named(development), development["part"], normalize="columns").round(3)
plots.bars(shares.rename_axis(columns="part"), "share of the part", plots.PART_COLOURS)

# %% [markdown]
# ## The gate
# Once the parts are made, they are searched anew for whatever stands in two of them: groups, equal files, equal pixels,
# near copies. What is found there stops the build before anything is trained, unless somebody lets it through by name
# and says why; then this table shows it, and the introduction of the site too.

# %% tags=["nbval-check-output"]
for reason, count in summary["let_through"].items():
    print(f"{count} images were let through, because: {reason}")
leaks.table(ledger)

# %% [markdown]
# ## How much would a careless split flatter?
# The same baseline on the same images, three ways of holding images out: at random, in stretches of the data's order,
# and in whole groups. Images are only compared within what one model scored, and every image is scored by a model that
# has not seen it.

# %% mystnb={"figure": {"name": "fig-inflation", "caption": "AUC of the same baseline under three ways of holding images out; the dashed line is chance."}}
cache = pixels.cached(context.root / "pixels", card.read, development, card.recipe, IMAGE_SIZE)
gradients = classical.hog_features(cache.array[cache.rows(development["image"])])
label, group = development["label"].fillna(0).to_numpy(int), development["group"].to_numpy()
study = inflation.study(gradients, label, group, SEEDS)
plots.intervals({scheme: study.auc(scheme) for scheme in inflation.SCHEMES}, "AUC", 0.5)

# %%
claims.measure("H2.1", study.difference("random", "group"))

# %% [markdown]
# What flatters: telling an image from the others of its own group, or knowing which group it comes from? The first row is
# the claim above; in the second, both ways compare the very same pairs of images; in the third, only pairs of one group.
# If little is left there, the random split rewards recognising the group.

# %% mystnb={"figure": {"name": "fig-flattery", "caption": "Random less group, over three sets of pairs of images; the dashed line is no flattery."}}
pairs = {"pairs of their own folds": None, "the same pairs": study.fold.get("group"), "pairs of one group": group}
gain = {name: study.difference("random", "group", strata) for name, strata in pairs.items()}
plots.intervals(gain, "AUC, random less group", 0)

# %% [markdown]
# Where no group is published, stretches of the data's order are the next best guess at what belongs together.

# %%
claims.measure("H2.2", study.difference("block", "group"))

# %% [markdown]
# ## Labels that look wrong
# Confident learning, on what a pre-trained network sees: a label is suspected where a model that never saw the image or its
# group gives the class less than its members usually get, and another class more. Such images stay: a suspicion is no proof. Whoever is sure writes a line
# `manual,<image>,drop,<reason>` into the data set's table of decisions.

# %%
frozen = features.get(context, BACKBONE, FEATURE_SIZE)
seen = frozen.of(development["image"])
honest = inflation.honest(seen, label, group, SEEDS[:2])
suspected = label_findings.label_errors(development["path"], label, honest, card.classes)
print(f"suspected labels: {len(suspected)}, of {len(development)} images; the first are:")
suspected[["image", "detail"]].head(8)

# %% mystnb={"figure": {"name": "fig-labels", "caption": "The most suspected labels, one row a given label. Would you have labelled them so?"}}
worst = suspected[["image", "detail"]].merge(development.drop(columns="image"), left_on="image", right_on="path")
worst = worst.groupby(card.named(worst), observed=True).head(PICTURES)
rows = worst.groupby(card.named(worst), observed=True)
titles = [(found["image"] + "<br>" + found["detail"]).tolist() for _, found in rows]
plots.pictures({name: [card.picture(path) for path in paths] for name, paths in rows["path"]}, titles)

# %% [markdown]
# Levels that experts themselves called doubtful should hold more of the suspected labels than the extreme ones.

# %%
flagged = development["path"].isin(suspected["image"]).to_numpy(float)
claims.measure("H2.3", grades.doubtful_difference(flagged, development["level"], group))

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# The images that are left, in these parts, are what all further chapters use. {doc}`Chapter 5 <05_simple_network>` sends
# them through the whole path with the smallest network that can learn.
