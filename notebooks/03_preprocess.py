# %% [markdown]
# # What does the network see, and which enhancement helps?
# **Needs** the parts of chapter 2 · **Produces** the runs of family `preprocess` · **Answers** hypotheses H3.1-H3.19
#
# Between a file and a network stand steps that nobody looks at again: grey values, a size, perhaps more contrast or less
# noise. Each throws something away. We look at pictures before and after every step, at the exact tensor that enters, and
# then ask two very different models which of these steps they profit from.

# %%
import numpy as np
import pandas as pd

from lib import cards, custody, grids, hypotheses, masking, metrics, plots, preprocessing, recipes, runs, texts
from lib.config import chapter
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
RECIPES = [
    "plain", "half_resolution", "clahe", "clahe_z_score", "z_score", "global_contrast", "normal", "multi_otsu",
    "denoised", "synthesised",
]  # of params/recipes.yml  # fmt: skip
IMAGE_SIZE = 32  # pixels per side
EPOCHS = 2
LEARNING_RATE = 0.001
SEEDS = [7, 8]
PICTURES = 5  # shown of every recipe
MASK_EFFORT = "quick"  # or "full": how long the network that finds masks is taught
MASK_WEIGHTS = ""  # path of a local `.weights.h5` file of such a network, instead of teaching one; unused where a card names no mask
MASKED = 60  # development images that it is tried on
TIMED = 8  # pictures that the speed of a step is measured on
THREADS = 1

# %%
context = chapter("03_preprocess", DATASET, PROFILE)
card, development = cards.load(DATASET), custody.development(context)
study = grids.preprocess(DATASET, RECIPES, IMAGE_SIZE, EPOCHS, LEARNING_RATE, SEEDS, THREADS)
parents = grids.parents_of("preprocess", study)
compared = {name: recipes.load(name) for name in RECIPES}
data = {name: runs.data_of(configurations[0], context) for name, configurations in study.items()}

# %% [markdown]
# ## Recipes
# A recipe is a list of steps under a name, in `params/recipes.yml`. Each run stores its own, and its key follows the code
# of these steps. All but the last ones turn an image into 8-bit pixels, once, in parallel, and the result is kept; z-scores
# and the like need more than 8 bits and belong to the network itself, which then carries them wherever it goes.
# A network says which range of values it takes; scaling to it is a step like any other, never done in silence. Behind
# each resize stand the pixels a side that it gives.

# %%
texts.table(preprocessing.described(compared, IMAGE_SIZE))

# %% [markdown]
# Why each of them is here:

# %%
texts.table(pd.DataFrame({"why": {name: recipes.named(name).why for name in RECIPES}}).rename_axis("recipe"))

# %% [markdown]
# ## What we expect
# Every recipe is compared with `plain`: grey values and size, nothing else. Two of them do two things, giving every image
# the same mean and spread, and something more; these are compared with `z_score`, which does the first alone, where the
# profile has it. H3.9 and H3.10 speak of a classical model that draws nothing at random, H3.11 of masks, all others of the
# network, over seeds and over groups of validation images, which are images that belong together (chapter 2).
#
# Contrast should help, and a few levels of grey should harm. Where a picture holds more detail than the task needs, an
# image of half the side should be enough. Histograms of gradients are normalised block by block, so that equal contrast
# changes them little, whatever it does to images: H3.10 is a check of that, not a finding. *Little* is a claim of
# equivalence and needs a margin.

# %%
main_claims = [
    Hypothesis("H3.1", "Local contrast (CLAHE) helps the network", "difference of AUC", "greater", 0, "S1.3"),
    Hypothesis("H3.2", "CLAHE adds to z-scores", "difference of AUC", "greater", 0, "S1.3"),
    Hypothesis("H3.3", "Equal brightness and contrast help it", "difference of AUC", "greater", 0, "S0.10"),
    Hypothesis("H3.4", "Box-Cox adds to equal spread", "difference of AUC", "greater", 0, "S3.9"),
    Hypothesis("H3.5", "Three levels of grey harm it", "difference of AUC", "less", 0, "S0.11"),
    Hypothesis("H3.6", "Removing noise helps it", "difference of AUC", "greater", 0, "S0.11"),
    Hypothesis("H3.7", "Enhancements as channels help it", "difference of AUC", "greater", 0, "S0.12"),
    Hypothesis("H3.8", "Half the detail is enough for it", "difference of AUC", "equivalent", 0.02, "S3.7"),
    Hypothesis("H3.9", "CLAHE helps gradients", "difference of AUC", "greater", 0, "S1.3"),
    Hypothesis(
        "H3.10", "Check: equal contrast leaves gradients alike", "difference of AUC", "equivalent", 0.02, "S0.10"
    ),
    Hypothesis("H3.11", "Masks fit held-out phantoms", "intersection over union", "greater", 0.95, "S1.2"),
]

# %% [markdown]
# The others are claimed where the profile has them. Black and white should harm as few levels do; all else is hoped to help the
# network. A profile for small machines leaves some of them out: each is several trainings, for which it has not the minutes.

# %%
helps = ("difference of AUC", "greater", 0)
further = {
    "z_score": Hypothesis("H3.12", "Equal mean and spread help it", *helps, "S1.3"),
    "padded": Hypothesis("H3.13", "Padding in place of stretching helps it", *helps, "S3.7"),
    "cropped": Hypothesis("H3.14", "The largest bright thing alone helps it", *helps, "S0.14"),
    "clahe_strong": Hypothesis("H3.15", "CLAHE without restraint helps it", *helps, "S1.3"),
    "clahe_512": Hypothesis("H3.16", "The document's order and size help it", *helps, "S1.3"),
    "truncated": Hypothesis("H3.17", "A range without its ends helps it", *helps, "S0.11"),
    "otsu": Hypothesis("H3.18", "Black and white harm it", "difference of AUC", "less", 0, "S0.11"),
    "median": Hypothesis("H3.19", "A median filter helps it", *helps, "S0.11"),
}
further = {name: claim for name, claim in further.items() if name in RECIPES}
claims = hypotheses.Hypotheses(context, *main_claims, *further.values())
claims

# %% [markdown]
# ## Step by step
# One picture of the training part on its way through every recipe: as it is decoded, then after each step. The last
# picture of a row is what enters the first convolution, black at the lowest value and white at the highest, drawn larger than it
# is: look at how little is left, and whether you could still tell the class.

# %% mystnb={"figure": {"name": "fig-stages", "caption": "The same picture before and after each step, a row a recipe, from the decoded file on the left to what enters the first convolution on the right."}}
shown = development.query("part == 'train'").drop_duplicates(["label", "level"]).head(PICTURES)
pictures = [card.picture(path) for path in shown["path"]]
entering = {name: preprocessing.entering(study[name][0], data[name], data[name].train) for name in RECIPES}
entered = {name: preprocessing.pictured(entering[name], data[name].train, shown["image"]) for name in RECIPES}
stages = {name: preprocessing.stages(compared[name], pictures[-1], IMAGE_SIZE, entered[name][-1]) for name in RECIPES}
plots.pictures({name: list(made.values()) for name, made in stages.items()}, below=list(map(list, stages.values())))

# %% [markdown]
# Now several pictures, one of each class or level, after all steps. An enhancement that makes one picture clearer may
# blow up the noise of the next. Of a synthesised image the channels are drawn as colours.

# %% mystnb={"figure": {"name": "fig-recipes", "caption": "The same pictures as they enter the first convolution, after all steps of every recipe; the first row is what the others are compared with."}}
plots.pictures(entered)

# %% [markdown]
# ## The tensor that enters
# What enters the first convolution was read off the graph that trains, after every step and the network's own scaling. It
# is asserted that its shape, type and range are right, that no recipe ends in constant images, that the cached pixels are
# what the recipe makes of the file, and that the recipe can be made again from what a run stores. A difference stops the book.

# %% tags=["nbval-check-output"]
path = development.set_index("image")["path"][data["plain"].train.names[0]]
for name, tensor in entering.items():
    assert tensor.shape[1:3] == (IMAGE_SIZE, IMAGE_SIZE) and tensor.dtype == np.float32
    assert 0 <= tensor.min() < tensor.max() <= 1 and tensor.std(axis=(1, 2, 3)).mean() > 0.01
    assert type(study[name][0]).model_validate_json(study[name][0].model_dump_json()).recipe == compared[name]
    preprocessing.check(compared[name], data[name].train, 0, card.picture(path))
shapes = {name: str(tensor.shape) for name, tensor in entering.items()}
texts.table(pd.DataFrame({"shape": shapes}).rename_axis("recipe"))

# %% [markdown]
# Whole images differ most in brightness and contrast, and some recipes take just that away: *between images* is how far
# the means of single images lie apart, *within* how much the pixels of one image differ.

# %%
values = {
    name: {"mean": tensor.mean(), "between images": tensor.mean(axis=(1, 2, 3)).std(),
           "within an image": tensor.std(axis=(1, 2, 3)).mean()}
    for name, tensor in entering.items()
}  # fmt: skip
texts.table(pd.DataFrame.from_dict(values, orient="index").rename_axis("recipe"))

# %% mystnb={"figure": {"name": "fig-histograms", "caption": "Values that enter the first convolution, over all training images, as shares; 0 is black and 1 is white."}}
plots.lines(preprocessing.histograms(entering), "value that enters", "share of the values")

# %% [markdown]
# ## What of the image is of interest
# A mask keeps the part that the question is about, lungs or a cell, and not what merely betrays where an image comes from.
# Nobody has drawn masks for these images, so a U-Net is taught on phantoms: generated images whose masks are known because
# we drew them, unless a file of weights is given. Those below were not among them. Whether a card has something to mask, it
# says itself.

# %% mystnb={"figure": {"name": "fig-phantoms", "caption": "Held-out phantoms, their true masks, and the masks that the network found: the two lower rows should look alike."}}
finder = masking.finder(card.mask, MASK_EFFORT, MASK_WEIGHTS)
plots.pictures(masking.on_phantoms(finder, PICTURES))

# %% [markdown]
# The measure is the area that the found and the true mask share, over the area that either covers. One and the same mask for
# all phantoms, blind to the image, is what it should be compared with.

# %%
texts.table(masking.fit_table(finder))

# %%
claims.measure("H3.11", masking.fit(finder))

# %% [markdown]
# That fits what we drew, and proves nothing about real images: a network that learned what phantoms look like is at a loss
# where a cell or a lung looks otherwise. So we look at what it makes of the data set. Outside the mask stands the darkest
# value of the image. Look for dark strips and areas *inside* the object that turned black: dark is also what a defect looks
# like. A mask that covers hardly anything, or all, is refused: that image is passed on as it is.

# %% mystnb={"figure": {"name": "fig-masked", "caption": "Images of the data set before and after the mask. Whatever turned black inside the object was cut away."}}
plots.pictures(masking.on_pictures(finder, pictures))

# %% [markdown]
# Two numbers need no drawn mask: what share of an image is covered, and how bright the part outside is, as a fraction of
# the brightness inside. A mask smaller than that of any phantom is suspicious, and so is one that cuts away what is bright.

# %%
apart = max(1, len(development) // MASKED)
tried = development["path"].iloc[::apart]
seen = masking.coverage_table(finder, card.picture, tried)
texts.table(seen.T.rename_axis("masks of"))

# %% [markdown]
# No recipe that is compared below uses a mask, and none should before masks have been drawn for some of these images.

# %%
masking.conclusion(seen)

# %% [markdown]
# ## What it costs
# Images per second, every step by itself. Cached steps, on one core and the pictures that come to them, are paid once, however
# many networks train on their result; steps in the network are paid at every look at an image, a batch at a time, on what the
# network trains on. The numbers are those of the machine that built this page, whatever else it was doing.

# %% mystnb={"figure": {"name": "fig-speed", "caption": "Speed of each step, slowest first; the scale is logarithmic."}}
timed = [card.picture(path) for path in development["path"].head(TIMED)]
speeds = preprocessing.speeds(compared, timed, IMAGE_SIZE)
plots.strips(speeds, "images per second").update_xaxes(type="log")

# %% [markdown]
# ## One network over all recipes
# The network is the small one of {doc}`chapter 5 <05_simple_network>`, at a small size, so that many recipes can be tried with several
# seeds; what helps it need not help a large one. Everything but the recipe is the same. An image of three different channels
# brings a few more weights to the first layer.

# %% mystnb={"figure": {"name": "fig-enhanced", "caption": "Validation AUC of the network by recipe, a dot a seed; the dashed line is chance."}}
finished = {name: [runs.get(configuration, context) for configuration in study[name]] for name in RECIPES}
scored = {name: runs.predictions_by_seed(group, "validation") for name, group in finished.items()}
auc = {name: metrics.by_seed("auc", each.labels, each.probabilities) for name, each in scored.items()}
plots.strips(auc, "validation AUC", 0.5)

# %% [markdown]
# The dots of two recipes lie apart for two reasons: the recipe, and the luck of the draw. So differences are paired: the
# same seed, the same images, with intervals over seeds and groups of images.

# %%
plain, probabilities = scored["plain"], {name: each.probabilities for name, each in scored.items()}
by_network = preprocessing.differences(plain, probabilities, parents)
asked = (
    "clahe", "clahe_z_score", "global_contrast", "normal", "multi_otsu", "denoised", "synthesised", "half_resolution",
)  # fmt: skip
found = [preprocessing.compared(by_network, name, PROFILE) for name in asked]
measured = [claims.measure(f"H3.{number}", each) for number, each in enumerate(found, start=1)]
print(*measured, *(claims.measure(claim.id, by_network[name]) for name, claim in further.items()), sep="\n")

# %% [markdown]
# ## One classical model over all recipes
# Histograms of gradients with principal components and a support vector machine, on the very same tensors; it learns from
# the training part and ranks the validation part. It knows nothing of brightness, only of edges: an enhancement that helps
# both models is more than a cure for a weakness of one of them.

# %%
margins = {name: preprocessing.classical_scores(study[name][0], data[name]) for name in RECIPES}
by_gradients = preprocessing.differences(plain, margins, parents)
found = [preprocessing.compared(by_gradients, name, PROFILE) for name in ("clahe", "global_contrast")]
print(*(claims.measure(f"H3.{number}", each) for number, each in enumerate(found, start=9)), sep="\n")

# %% [markdown]
# Before the differences, the levels. An interval that reaches the dashed line belongs to a model that was not shown to rank
# these images at all; what changes between two such models says little about the recipes.

# %% mystnb={"figure": {"name": "fig-level", "caption": "Validation AUC of both models on every recipe, with intervals over groups, and over seeds for the network; the dashed line is a ranking by chance."}}
scores = {"network": probabilities, "gradients and support vectors": margins}
levels = {model: preprocessing.reached(plain, each) for model, each in scores.items()}
plots.side_by_side(levels, "AUC", 0.5)

# %% mystnb={"figure": {"name": "fig-enhancement", "caption": "Difference of validation AUC of each recipe to the one that it is compared with, paired, for both models; right of the dashed line the enhancement helps."}}
both = {"network": by_network, "gradients and support vectors": by_gradients}
named = {model: {f"{name} less {parents[name]}": each[name] for name in each} for model, each in both.items()}
plots.side_by_side(named, "difference of AUC", 0)

# %% [markdown]
# An interval across the dashed line says that these images, seeds and models cannot tell whether the enhancement helps, not
# that it does not: a model that hardly ranks is as likely a reason as too few images. Many recipes are compared here, and
# the best of many looks better than it is: what later chapters take over is the recipe of the card, and a recipe takes its
# place only when its verdict below says so. {doc}`Chapter 17 <17_final_test>` alone takes another rule: of the networks from
# random weights it pins one by its mean AUC, and judges the pin by that.

# %% [markdown]
# ## What we found

# %%
claims.judge()

# %% [markdown]
# ## What next
# Recipes are judged here with models that are never tuned to them. {doc}`Chapter 4 <04_classical_baselines>` asks how far classical models get on the plain
# recipe, {doc}`chapter 5 <05_simple_network>` whether the whole path from file to verdict works.
