# %% [markdown]
# # Train some runs
# **Needs** the data of the book · **Produces** finished runs · **Answers** nothing by itself: a job of the build graph

# %%
from lib import runs
from lib.config import chapter
from lib.training.configuration import Configuration

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
CONFIGURATIONS = []  # as JSON, from lib.grids

# %%
context = chapter("train", DATASET, PROFILE)

# %% [markdown]
# One after the other, each is trained, or found if it is there already: a job that was killed goes on with what is missing.

# %%
for number, settings in enumerate(CONFIGURATIONS, start=1):
    run = runs.get(Configuration.model_validate(settings), context)
    last = run.history.iloc[-1]
    print(
        f"{number} of {len(CONFIGURATIONS)}: {run.record['name']}, {last['part']} loss {last['loss']:.3f}", flush=True
    )
