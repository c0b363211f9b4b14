# %% [markdown]
# # What do we drop, why, and can anything leak?
# **Needs** the findings of the data step · **Produces** no file that later chapters need · **Answers** hypotheses H2.1-H2.4
#
# Two images that show the same thing, one to learn from and one to be judged on, make every score a lie. So each finding
# gets a decision, each decision a reason, and the parts are checked before anything is trained. Then we measure what a
# careless split would have flattered.

# %%
import pandas as pd

from lib import cards, classical, custody, features, grades, hypotheses, inflation, leaks, pixels, plots, splits, texts
from lib.config import chapter
from lib.estimates import Inapplicable
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
development, summary = custody.development(context), custody.summary(context)

# %% [markdown]
# ## What we expect
# The baseline is one and the same throughout: histograms of oriented gradients into a support vector machine. Only the
# way in which images are held out differs.

# %%
claims = hypotheses.Hypotheses(
    context,
    hypotheses.Hypothesis(
        "H2.1", "A random split flatters", "AUC on the same pairs, random less group", "greater", 0, "S3.2"
    ),
    hypotheses.Hypothesis(
        "H2.2", "Stretches are as strict as groups", "AUC, block less group", "equivalent", 0.05, "S3.5"
    ),
    hypotheses.Hypothesis(
        "H2.3", "Within a class, doubtful levels are suspected more", "difference of shares", "greater", 0, "S3.8"
    ),
    hypotheses.Hypothesis(
        "H2.4", "It flatters less within groups", "all pairs less pairs of one group", "greater", 0, "S3.5"
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
texts.table(decided.size().rename("findings").reset_index(), "Nothing was found.")

# %% [markdown]
# What that left over, step by step; groups also become fewer where near copies join them. `review` changes nothing by
# itself: such images stay until somebody decides.

# %% tags=["nbval-check-output"]
steps = pd.DataFrame(summary["steps"]).set_index("after")[["images", "groups"]]
texts.table(steps.assign(**{"left out": -steps["images"].diff().fillna(0).astype(int)}))

# %% [markdown]
# ## Copies, side by side
# Equal files and equal pixels are found by their hashes. Near copies, the same photograph at another size, contrast or
# encoding, are suspected from a hash of what is large in them, and verified on what is small. Of equal pictures one
# stays; near copies stay together in one group, so that they never stand in two parts. So do series: runs of rows in which
# each image looks like the one at the same distance in an earlier run. Two exposures differ too much for one pair to
# convince; the run does, and its groups become one. Pairs are shown next to each
# other, each once, with the label where this build knows it; those of the test part are counted, but not shown. Where the labels of a pair differ, experts (or an archive) called
# one picture by two names: a measure of how far labels can be trusted.

# %% mystnb={"figure": {"name": "fig-copies", "caption": "Pairs that are taken for the same picture. Where two of a pair are different pictures after all, the verification is too lax."}}
pairs = ledger[ledger["kind"].isin(COPIES) & ledger["other"].ne("") & ~ledger["hidden"]]
pairs = pairs.loc[pairs[["image", "other"]].agg(frozenset, axis=1).drop_duplicates(keep="last").index].replace(
    {"kind": COPIES}
)
shown = pairs.groupby("kind").head(PICTURES // 2).groupby("kind")[["image", "other"]]
shown = {kind: [*rows.to_numpy().ravel()] for kind, rows in shown}
named = card.named(development).astype(str).set_axis(development["path"])
below = [[f"{path.rpartition('/')[2]}<br>{named.get(path, '')}" for path in paths] for paths in shown.values()]
plots.pictures({kind: [card.picture(path) for path in paths] for kind, paths in shown.items()}, below=below)

# %% [markdown]
# ## The parts
# Networks learn from `train`, decide when to stop on `tuning`, and are judged on `validation`; `test` waits for the last
# chapter. Groups (cells of a module, eyes of a patient) are never divided. A published test part stays as it is.

# %%
guessed, whole = card.group.kind == "blocks", summary["steps"][-1]
texts.sentence(
    "No group is published here: stretches of the data's order are taken for groups, which is a guess."
    if guessed
    else "",
    f"Findings and decisions above are those of the whole data set, {whole['images']:,} images in {whole['groups']:,} groups.",
    f"From here on this build has {len(images):,} images in {images['group'].nunique():,} groups"
    f"{', thinned for a first look' if len(images) < whole['images'] else ''}.",
)

# %% tags=["nbval-check-output"]
texts.table(images.groupby("part")["group"].agg(images="size", groups="nunique").loc[list(splits.PARTS)])

# %% mystnb={"figure": {"name": "fig-balance", "caption": "Share of each label within a part. Of many random divisions that keep groups whole, the one whose shares deviate least was taken; what is left uneven is the groups' doing."}}
shares = pd.crosstab(card.named(development), development["part"], normalize="columns").round(3)
plots.bars(shares.rename_axis(columns="part"), "share of the part", plots.PART_COLOURS)

# %%
overall = card.named(development).value_counts(normalize=True)
uneven = shares.sub(overall, axis=0).abs().stack().rename_axis(["label", "part"])
name, part = uneven.idxmax()
texts.sentence(
    f"The share of a label in a part differs from its share in all development images by {uneven.max():.3f} at the most:",
    f"{name} holds {shares.loc[name, part]:.3f} of {part}, and {overall[name]:.3f} of all.",
)

# %% [markdown]
# ## The gate
# The parts follow from files, labels and findings alone, so that no decision moves an image from one to another. They are
# searched for whatever stands in two of them: groups, equal files, equal pixels, near copies. Where one of two copies had
# to go already, of equal pictures the one in the part that matters less, it counts as found and dropped. What is left in
# two parts stops the build before anything is trained, unless somebody lets it through by name and says why; then this
# table shows it, and the introduction of the site too.

# %% tags=["nbval-check-output"]
for reason, count in summary["let_through"].items():
    print(f"{count} images were let through, because: {reason}")
texts.table(leaks.table(ledger))

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

# %% [markdown]
# The claim compares both ways on the very same pairs of images, each pair scored by one model in either way, so that no
# composition of folds plays a part.

# %%
claims.measure("H2.1", study.difference("random", "group"))

# %% [markdown]
# What flatters: telling an image from the others of its own group, or knowing which group it comes from? The second row
# keeps, of the same pairs, only those of one group. The third is the first less the second: where it lies above zero, the
# random split rewards recognising the group.

# %% mystnb={"figure": {"name": "fig-flattery", "caption": "AUC of the random split less that of the group split, over the same pairs of images; the dashed line is no flattery."}}
gain = {
    "all pairs": study.difference("random", "group"),
    "pairs of one group": study.difference("random", "group", group),
}
gain["all pairs less pairs of one group"] = study.beyond("random", "group", group)
plots.intervals(gain, "AUC, random less group", 0)

# %%
claims.measure("H2.4", gain["all pairs less pairs of one group"])

# %% [markdown]
# By kind, where the card names a property that divides the images; the models are the same, only the images that are
# scored differ. The last column is half the width of the interval: a flattery smaller than that could hardly have been told
# from none.

# %%
kind = development[card.properties[0]] if card.properties else pd.Series("all", development.index, name="kind")
asked = not isinstance(gain["all pairs"], Inapplicable)
texts.table(study.by_kind(kind) if asked else pd.DataFrame(), "No kind can be judged here.")

# %%
everywhere = gain["all pairs"]
texts.sentence(
    str(everywhere).capitalize() + "."
    if isinstance(everywhere, Inapplicable)
    else f"Over all kinds, a flattery of less than {everywhere.half_width():.3f} could hardly have been told from none."
)

# %% [markdown]
# Where no group is published, stretches of the data's order are the next best guess at what belongs together. Whether they
# are as strict as groups can only be asked where groups are more than such a guess themselves.

# %%
same = Inapplicable("the groups are themselves stretches, guessed from the data's order")
claims.measure("H2.2", same if guessed else study.difference("block", "group"))

# %% [markdown]
# ## Labels that look wrong
# Confident learning, on what a pre-trained network sees: a label is suspected where a model that never saw the image or its
# group gives the class less than its members usually get, and another class more. A model that hardly tells the classes
# apart suspects at random, so no label is called suspected unless the interval of its AUC lies above a bound. Such images
# stay: a suspicion is no proof. Whoever is sure writes a line `manual,<image>,drop,<reason>` into the data set's table of decisions.

# %%
frozen = features.get(context, BACKBONE, FEATURE_SIZE)
seen = frozen.of(development["image"])
honest = inflation.honest(seen, label, group, SEEDS[:2])
trust = inflation.trusted(label, honest, group)
trusted = not isinstance(trust, Inapplicable)
suspected = label_findings.label_errors(development["path"], label, honest if trusted else None, card.classes)
about = f"The model has an AUC of {trust}. Suspected labels: {len(suspected):,} of {len(development):,}."
texts.sentence(about if trusted else f"No label is suspected: {trust.reason}.")

# %% mystnb={"figure": {"name": "fig-labels", "caption": "The most suspected labels, one row a given label. Would you have labelled them so?"}}
worst = suspected[["image", "detail"]].merge(development.drop(columns="image"), left_on="image", right_on="path")
worst = worst.groupby(card.named(worst), observed=True).head(PICTURES)
rows = worst.groupby(card.named(worst), observed=True)
titles = [(found["image"] + "<br>" + found["detail"]).tolist() for _, found in rows]
plots.pictures({name: [card.picture(path) for path in paths] for name, paths in rows["path"]}, titles)

# %% [markdown]
# Levels that experts themselves called doubtful should hold more of the suspected labels than the extreme ones. One class
# is suspected more often than another whatever its level, so each class is compared with itself, and the mean over classes
# is the claim; the table says which class it comes from.

# %%
flagged = development["path"].isin(suspected["image"]).to_numpy(float)
texts.table(
    grades.shares(flagged, card.named(development), group) if trusted else pd.DataFrame(), "No label is suspected."
)

# %%
difference = grades.doubtful_difference(flagged, development["level"], label, group)
claims.measure("H2.3", difference if trusted else trust)

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# The images that are left, in these parts, are what all further chapters use. {doc}`Chapter 5 <05_simple_network>` sends
# them through the whole path with the smallest network that can learn.
