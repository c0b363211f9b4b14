# %% [markdown]
# # Train one run
# **Needs** the data of the book · **Produces** one finished run · **Answers** nothing by itself: a job of the build graph

# %%
from lib import runs
from lib.config import chapter
from lib.training.configuration import Configuration

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
CONFIGURATION = {}  # a configuration as JSON, from lib.grids

# %%
context = chapter("train_one", DATASET, PROFILE)

# %% [markdown]
# The run is trained, or found if it is there already.

# %%
run = runs.get(Configuration.model_validate(CONFIGURATION), context)

# %% [markdown]
# The last rows of its measured history.

# %%
run.history.tail(3).round(3)
