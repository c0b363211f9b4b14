# %% [markdown]
# # What do we drop, why, and can anything leak?
# **Needs** the findings of the data step · **Produces** no file that later chapters need · **Answers** hypotheses H2.1-H2.3
#
# Two images that show the same thing, one to learn from and one to be judged on, make every score a lie. So each finding
# gets a decision, each decision a reason, and the parts are checked before anything is trained. Then we measure what a
# careless split would have flattered.

# %%
import pandas as pd

from lib import cards, classical, custody, decode, hypotheses, inflation, pixels, plots
from lib.config import chapter
from lib.findings import labels as label_findings

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
IMAGE_SIZE = 48  # pixels per side of the images that the baseline sees
FOLDS = 4
SEEDS = [7, 8]  # each draws the folds anew
PICTURES = 6  # in each row

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
    hypotheses.Hypothesis("H2.1", "A random split flatters", "AUC, random less group", "greater", 0, "S3.2 S3.5"),
    hypotheses.Hypothesis("H2.2", "Stretches flatter as groups do", "AUC, block less group", "equivalent", 0.05, "S3.5"),
    hypotheses.Hypothesis(
        "H2.3", "Suspected labels are of doubtful levels", "difference of shares", "greater", 0, "S3.8"
    ),
)
claims

# %% [markdown]
# ## What was decided
# The ledger: every finding with its decision. A rule for each kind stands in `params/ledger.yml`, a card may say
# otherwise, and a person may decide on single images in a small table beside the card. The same findings, rules and
# table give the same images again, bit for bit. Raw files are never touched.

# %% tags=["nbval-check-output"]
ledger.groupby(["kind", "decision", "reason", "by"], sort=False).size().rename("findings").reset_index()

# %% [markdown]
# What that left over, step by step. `review` changes nothing by itself: such images stay until somebody decides.

# %% mystnb={"figure": {"name": "fig-steps", "caption": "Images that are left after each step of cleaning and splitting."}}
plots.bars(pd.DataFrame({"images": summary["steps"]}).rename_axis("after the step"), "images")
