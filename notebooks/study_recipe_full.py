# %% [markdown]
# # Does the recipe hold at its own size?
# **Needs** the development parts of the data · **Produces** the runs of family `recipe_full` · **Answers** hypotheses R1-R4
#
# The chapters train narrow networks on small images, so that a book is built over a cup of tea. Here the list of runs of the
# document that the book follows is repeated at the document's own sizes and widths. That takes hours without a GPU, so it is a
# study that nothing waits for. It sees the development parts alone: **no label of the test part**.
#
# The published numbers are of **another data set, cats and dogs**, with one run each. Values cannot be compared; what can
# be is their order, and by how much one row differs from another.

# %%
import numpy as np
import pandas as pd

from lib import ablations, config, grids, hypotheses, lineage, plots, runs, texts
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "cpu"  # the book whose parts and runs are shared
IMAGE_SIZE = 204  # pixels per side
SMALLER_SIZE = 120
SIZES = [128, 256, 512, 728, 1024]  # widths of the blocks; the last one is no block
LARGER_SIZES = [128, 128, 256, 256, 512, 512, 728, 728, 1024]
EPOCHS = 5
LEARNING_RATE = 0.0003  # of Adam
BATCH_SIZE = 32
SMALLER_BATCH = 16
PATIENCE = 2  # epochs; the document's own could never act
MEASURED_IMAGES = 256  # of the training part, after each epoch
SEEDS = [7, 8, 9]
THREADS = 2

# %%
context = config.study("recipe_full", DATASET)
book = config.of_book(context, PROFILE)
study = grids.recipe_full(
    DATASET, IMAGE_SIZE, SMALLER_SIZE, SIZES, LARGER_SIZES, EPOCHS, LEARNING_RATE, BATCH_SIZE, SMALLER_BATCH, PATIENCE,
    MEASURED_IMAGES, SEEDS, THREADS,
)  # fmt: skip
family, published = grids.STUDIES["recipe_full"], config.literature("S3.39")
accuracies, milliseconds = published["accuracies"], published["step_milliseconds"]

# %% [markdown]
# ## What is trained
# Each row is a fresh network with one change from its parent. In the document, dropout went on training the augmented
# network, and early stopping had a patience that its few epochs never reach; here both act. The pre-trained row of the document is
# left out: its network was never connected to the images.

# %%
texts.table(lineage.described(study, family.parents(study)))

# %% [markdown]
# ## What we expect

# %%
gain = round(accuracies["dropout"] - accuracies["xception"], 3)
claims = hypotheses.Hypotheses(
    book,
    Hypothesis("R1", "The larger network is better than the simple one", "accuracy difference", "greater", 0),
    Hypothesis("R2", "Augmentation helps", "accuracy difference", "greater", 0),
    Hypothesis("R3", "Dropout alone brings less than the document's", "accuracy difference", "less", gain),
    Hypothesis("R4", "The published order of settings holds", "rank correlation", "greater", 0),
)
claims

# %% [markdown]
# ## Training
# Runs that are there already are found. So few epochs are short for a network of this size: batch normalisation at its
# usual momentum is still catching up, and validation curves may jump.

# %%
finished = {name: [runs.get(each, book) for each in group] for name, group in study.items()}
settings = ablations.of_study(family, study, finished)
by_name = {setting.name: setting for setting in settings}

# %% mystnb={"figure": {"name": "fig-recipe-curves", "caption": "Accuracy and loss through training, a line a setting, mean over seeds. Click in the legend to choose."}}
history = ablations.history(settings)
plots.four_panels(history, list(study))

# %% [markdown]
# ## Order and differences
# Each dot is a setting: published accuracy across, ours up. Only the order is meant to be read.

# %%
ours = ablations.scores(settings)["accuracy"]
table = pd.DataFrame({"published, cats and dogs": pd.Series(accuracies), f"ours, {DATASET}": ours}).reindex(ours.index)

# %% mystnb={"figure": {"name": "fig-recipe-order", "caption": "Validation accuracy of each setting, published on another data set and ours; hover for names."}}
plots.agreement(table.dropna(), "validation accuracy")

# %% [markdown]
# What each change brought, with the difference of the two published rows as a cross. Published rows are single runs whose
# neighbours differ by several things.

# %% mystnb={"figure": {"name": "fig-recipe-differences", "caption": "Difference of validation accuracy between each setting and its parent, with its interval over groups and seeds; crosses: the difference of the published rows."}}
found = ablations.differences(settings, "accuracy")
known = [name for name in found if {name, by_name[name].parent.name} <= set(accuracies)]
crosses = {name: accuracies[name] - accuracies[by_name[name].parent.name] for name in known}
plots.intervals(found, "difference of accuracy", crosses, cross="published, another data set")

# %%
claims.measure("R1", found["xception"])

# %%
claims.measure("R2", found["augmentation"])

# %%
claims.measure("R3", found["dropout"])

# %%
claims.measure("R4", ablations.order_as(accuracies, "accuracy", settings))

# %% [markdown]
# ## Times
# Milliseconds a step, ours on the machine of the run, theirs on their GPU; and what one run took.

# %%
records = {name: [run.record for run in group] for name, group in finished.items()}
steps = {
    name: -(-group[0]["images"]["train"] // study[name][0].batch_size) * group[0]["stopped_epoch"]
    for name, group in records.items()
}
seconds = {name: np.mean([record["training_seconds"] for record in group]) for name, group in records.items()}
times = pd.DataFrame(
    {"minutes a run": pd.Series(seconds) / 60, "ours, ms a step": 1000 * pd.Series(seconds) / pd.Series(steps)}
)
texts.table(times.assign(published=pd.Series(milliseconds)).rename_axis("setting"), decimals=1)

# %% [markdown]
# ## In numbers

# %%
told = {"difference of accuracy": found, "difference of AUC": ablations.differences(settings, "auc")}
reached = {"accuracy": ours.round(3), "published accuracy": accuracies}
texts.table(ablations.table(settings, told | reached))

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# Nothing in the book follows from this page. Where its narrow networks and these agree, the narrow ones are a fair stand-in; where
# they do not, the size is part of the answer.
