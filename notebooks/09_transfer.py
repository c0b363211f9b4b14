# %% [markdown]
# # Scratch, features or fine-tuning, for which network?
# **Needs** the parts of the data, frozen features, ImageNet's weights · **Produces** the runs of family `transfer` · **Answers** hypotheses H9.1-H9.7
#
# A network that has learned from a million photographs already knows edges, textures and shapes. There are three ways to
# use one, or not to: begin from *random* weights and train everything; keep it *frozen* and train a small head on its
# features; or *fine-tune* it, with its last blocks unfrozen at a very low rate once the head is warm. They cost very
# different amounts of time, so the question is not only which is best, but which is worth it. Images are learned from as
# they are in chapters 9 to 11: nothing is augmented.

# %%
from lib import (  # noqa: I001
    ablations, backbones, brightness, cards, custody, effects, embedding, epochs, features, grids, heads, hypotheses,
    lineage, plots, runs, texts, timing, transfer,
)  # fmt: skip
from lib.config import chapter
from lib.grids import strategies
from lib.hypotheses import Hypothesis

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"
BACKBONES = ["efficientnet_lite0"]
HIDDEN = 1
EPOCHS = [4, 4]  # of the head's warm-up, and of what follows; so are the next two
OPTIMISERS = ["adam", "sgd"]
RATES = [0.001, 0.0001]
DECAY = 10.0
PATIENCE = [1, 2]  # epochs until the second rate is divided by DECAY, and until training ends
DEPTHS = [1]  # blocks unfrozen in fine-tuning
RATE_BY_BLOCK = 1.0  # of each block as a share of that of the block after it
ALL_TRAINED = "none"  # networks that are trained as a whole too: none, first or every
ALL_SIZE = 32
ALL_EPOCHS = 4
MEASURED_IMAGES = 64
ENGINE = "keras"
BACKBONE = "efficientnet_lite0"  # of the features that classical models learn from
FEATURE_SIZE = 32  # pixels per side, of frozen and of fine-tuned networks
SEEDS = [7]
THREADS = 1

# %%
context = chapter("09_transfer", DATASET, PROFILE)
card = cards.load(DATASET)
study = grids.transfer(
    DATASET, BACKBONES, FEATURE_SIZE, HIDDEN, EPOCHS, OPTIMISERS, RATES, DECAY, PATIENCE, DEPTHS, RATE_BY_BLOCK,
    ALL_TRAINED, ALL_SIZE, ALL_EPOCHS, MEASURED_IMAGES, ENGINE, SEEDS, THREADS,
)  # fmt: skip
parents = grids.parents_of("transfer", study)
data = runs.data_of(next(iter(study.values()))[0], context)
unseen = effects.blind(data)

# %% [markdown]
# ## What is compared
# Each row is a setting; where it has a parent, it differs from it by one thing. To make that true, feature extraction
# goes on for as long as fine-tuning does, with the head alone; the log further down counts the time of each phase by
# itself. H9.2 and H9.7 compare settings that have no such pair: they are said to differ by more before they are asked. The weights that early stopping keeps are chosen on the tuning part.

# %% tags=["nbval-check-output"]
texts.table(lineage.described(study, parents))

# %% [markdown]
# Training a whole network costs far more than anything else here. Where time is short, it is done for few networks, few
# epochs and small images; features of the same small images stand beside it, so that no claim crosses sizes. The size, in
# pixels a side, stands in the name of every setting: in figures with several sizes compare within one.
#
# Which cells of the documents' grid were run in this build, and which were not, stands in the {doc}`catalogue <catalogue>`.
#
# ## The networks
# Those of this build, and, where the profile judges, all others that the book knows. Multiplications are those of one image on its way
# forward at the size of this chapter, where a network takes images so small; the time of an image is measured here, with random
# weights; the accuracy on ImageNet is the published one. A network whose weights cannot be had on this machine
# is left out, and others stand in for it; that and the epochs stand below the table.

# %%
names = list(strategies.usable(BACKBONES))
others = backbones.BACKBONES if context.judged else ()
properties = backbones.table(names, FEATURE_SIZE, THREADS, beside=others)
table = texts.table(properties.rename(index=strategies.titled, columns=backbones.TITLES).rename_axis("network"))
lengths = f"Trained as a whole, where any is: {ALL_EPOCHS} epochs at most; heads and last blocks: {EPOCHS[0]} and then {EPOCHS[1]}."
there = strategies.left_out(BACKBONES) or ["The weights of all networks asked for are there."]
texts.together(table, texts.sentence(lengths, *there))

# %% [markdown]
# ## What we expect
# Differences are of AUC on the validation part, paired by image and seed; a claim about several networks is about the mean
# over them. H9.4 and H9.6 ask whether something simpler does no worse, with a margin that would not matter in use.
#
# **H9.2 and H9.7 cross strategies.** Beside what learns and from which weights, the epochs differ (the numbers stand
# above); a whole network has one optimiser and rate throughout, a head has the same and then those of fine-tuning, at a rate that falls; and batch
# normalisation learns and averages anew in a whole network, but stays as it was in a frozen one. So they say which of
# two usual ways gives more here, and not which one of these differences does it.

# %%
difference = "difference of AUC"
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H9.1", "All trained, ImageNet's weights beat random ones", difference, "greater", 0, "S0.4 S0.8 S3.34"),
    Hypothesis("H9.2", "Frozen features beat training from random weights", difference, "greater", 0, "S0.1 S0.4"),
    Hypothesis("H9.3", "Fine-tuning beats frozen features", difference, "greater", 0, "S0.2 S0.4"),
    Hypothesis("H9.4", "The dense head is no worse than an SVM", difference, "greater", -0.02, "S0.1 S0.3"),
    Hypothesis("H9.5", "A larger variant gives better features", difference, "greater", 0, "S4.6"),
    Hypothesis("H9.6", "Slower rates in earlier blocks change nothing", difference, "equivalent", 0.02, "S0.4"),
    Hypothesis("H9.7", "From ImageNet, training all beats freezing all", difference, "greater", 0, "S0.4 S0.8"),
)
claims

# %% [markdown]
# ## Everything trained
# The same network twice, once from random weights and once from ImageNet's, with every layer learning from the first step.
# A loss on training that stays where it began, with an accuracy that stays at the share of the larger class, belongs to a network
# that has not begun to learn. Early stopping ends a run where the loss on tuning has not fallen for some epochs, and keeps
# the best one: how far the seeds of a setting went stands below the claims. H9.1 and H9.2 say what this rate and these
# epochs give, not what random weights can reach.

# %% mystnb={"figure": {"name": "fig-scratch", "caption": "Everything trained, from random weights and from ImageNet's, a column of panels a part: mean over seeds, bands from the lowest to the highest seed, as far as all seeds were trained. Look whether a curve moves at all, and whether what falls on training falls on validation too."}}
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
table = transfer.described(study)
wholly = table[table["strategy"] == "all trained"]
whole = {name: finished[name] for name in wholly.index}
plots.compared(transfer.history(whole), {"loss": "loss, nats", "accuracy": "accuracy"}, "setting")

# %% mystnb={"figure": {"name": "fig-initialisation", "caption": "Accuracy on validation with everything trained, by network and initialisation; dashed, what always naming the larger class reaches (S0.8)."}}
accuracy, auc = (transfer.scored(metric, finished) for metric in ("accuracy", "auc"))
by_start = transfer.grouped(accuracy, wholly, "initialisation", "network")
plots.side_by_side(by_start, "accuracy", unseen["accuracy"])

# %%
from_imagenet, frozen = transfer.pairs(study, parents, "weights"), transfer.frozen_beside(study, "random")
unfrozen = [(whole, kept) for kept, whole in transfer.frozen_beside(study, "imagenet")]
compared = {"H9.1": from_imagenet, "H9.2": frozen, "H9.7": unfrozen}
claims.measure_each({id: effects.mean_difference("auc", finished, found) for id, found in compared.items()})

# %% [markdown]
# Epochs trained and kept, by seed, and what was reached. A difference between two settings says nothing about how good
# either is. A balanced accuracy as low as that of the class shares belongs to a network that gives every image the same
# class: where both sides of a claim lie there, it compares two networks that fail.

# %%
small = whole | {kept: finished[kept] for kept, _ in frozen}
reached = effects.beside({"auc": {}, "balanced_accuracy": {}}, small, unseen)[["AUC", "balanced_accuracy"]]
texts.together(texts.table(effects.epochs_kept(whole)), texts.sentence(epochs.stopped(whole)), texts.table(reached))

# %% [markdown]
# ## Features
# What a frozen network makes of an image is a vector. On the map below, neighbours have similar vectors; nothing on
# it has learned from a label. Classes that already lie apart need no more than a simple head.

# %% mystnb={"figure": {"name": "fig-feature-map", "caption": "Frozen features of the validation images on a map that keeps neighbours together, coloured by class. Distances between far groups mean nothing."}}
described = features.get(context, BACKBONE, FEATURE_SIZE)
first = next(iter(finished.values()))
seen = {part: runs.predictions_by_seed(first, part) for part in heads.PARTS}
points = embedding.neighbours_map(described.of(seen["validation"].images), SEEDS[0])
plots.scatter(points, transfer.class_names(seen["validation"], card.classes), seen["validation"].images)

# %% [markdown]
# The head here is small: as many hidden layers as the parameters say, each as wide as the square root of the one before, and one output layer. A support vector machine, a logistic regression, a random forest and gradient
# boosting learn from the same features of the same training images, each with one usual setting.

# %% mystnb={"figure": {"name": "fig-heads", "caption": "AUC on validation of the dense head and of classical models on the same frozen features; the dashed line is chance."}}
others = heads.on_features({part: described.of(found.images) for part, found in seen.items()}, seen, SEEDS)
head = runs.predictions_by_seed(finished[f"{strategies.titled(BACKBONE)}, features, {FEATURE_SIZE} px"], "validation")
judged = {"dense head": head} | {name: parts["validation"] for name, parts in others.items()}
plots.intervals({name: effects.scored("auc", found) for name, found in judged.items()}, "AUC", 0.5)

# %%
claims.measure("H9.4", effects.difference("auc", head, judged["support vector machine"]))

# %% [markdown]
# ## Fine-tuning
# The head warms up while everything below it is frozen, and stops early too: one that knew the training images by heart
# would leave nothing to tune. Then the last blocks learn with it, at a rate so low that they keep what they know. The
# rate is divided by `DECAY` where the tuning loss has stopped falling, which is how we read the document's "decay of 10". Batch
# normalisation stays as it was, in frozen and in unfrozen blocks: its averages over photographs are not exchanged for
# those of a few batches. Where epochs are few, the rate is higher than the document's, which the profile `gpu` keeps.

# %% mystnb={"figure": {"name": "fig-every-curve", "caption": "Six metrics through training: dotted on training, solid on validation, a line a setting, mean over seeds, as far as all were trained. A line is broken where fine-tuning begins, with the best weights of the warm-up. Settings of the first network are drawn at first, features of either size; click in the legend for the others."}}
settings = ablations.of_study(grids.FAMILIES["transfer"], study, finished)
usual, small_ones = ("features", f"last {DEPTHS[-1]:g}"), ("features", "all from ImageNet")
drawn = [f"{how}, {size} px" for size, ways in ((FEATURE_SIZE, usual), (ALL_SIZE, small_ones)) for how in ways]
shown = [each.name for each in settings if each.title.removeprefix(f"{strategies.titled(names[0])}, ") in drawn]
plots.every_metric(ablations.history(settings), shown)

# %% mystnb={"figure": {"name": "fig-blocks-trained", "caption": "Accuracy on validation by the number of blocks trained, from ImageNet, a line a network; dashed, what always naming the larger class reaches (S0.8)."}}
plots.trends(transfer.by_depth(accuracy, study, parents), "blocks trained", "accuracy", reference=unseen["accuracy"])

# %% [markdown]
# How much fine-tuning did: which of its epochs was kept, and the log loss before it and with the weights that were kept. A
# loss on training that hardly falls belongs to blocks that have hardly moved; features, with no block unfrozen, say what
# the head alone gains. The epoch is chosen on the tuning part. Below stands how brightness alone, which chapters 1 and 5
# know as a shortcut, ranks each part: where that is better on tuning than on validation, what is chosen on tuning, an epoch
# here and a depth in chapter 10, may be chosen for brightness.

# %%
learnt = epochs.tuned({name: finished[name] for name in table.index if name not in whole})
told = brightness.ranking(custody.development(context), data.classes)
larger = [pair for pair in transfer.pairs(study, parents, "variant") if ", features, " in pair[0]]
compared = {"H9.3": transfer.pairs(study, parents, "unfrozen"), "H9.5": larger}
compared["H9.6"] = transfer.pairs(study, parents, "rate_by_block")
measured = claims.measure_each({id: effects.mean_difference("auc", finished, found) for id, found in compared.items()})
texts.together(texts.table(learnt), texts.table(told), measured)

# %% [markdown]
# ## Which mistakes?
# Counts by true and predicted class, decided by the mean over seeds: of every setting, and of gradient boosting on the
# frozen features. First on the images that were learned from, where a network that knows them by heart shows an empty
# off-diagonal; then on validation.

# %% mystnb={"figure": {"name": "fig-confusions-train", "caption": "Confusion matrices on the training images, a panel a setting; the darker, the larger the share of the true class."}}
boosted = {"gradient boosting": others["gradient boosting"]}
plots.confusions(transfer.confusions(finished, boosted, "train"), card.classes)

# %% mystnb={"figure": {"name": "fig-confusions-validation", "caption": "The same on validation."}}
plots.confusions(transfer.confusions(finished, boosted, "validation"), card.classes)

# %% [markdown]
# ## For how much time?
# What is frozen gives the same answer in every epoch, so it is asked once an image, and its answers are stored; only what
# learns is trained on them. The log has a row for each phase: its epochs, of the seed with most; as medians over seeds the
# seconds of training, beside them
# those of the answers (none where the phase before asked for the same), how many layers and parameters learned. Runs of
# other seeds find the answers of the first one; here each is charged for them, as if it stood alone.

# %%
columns = {"epochs": "epochs, at most", "seconds": "training, s", "stored_seconds": "answers, s", "layers": "layers"}
columns |= {"parameters": "parameters"}
log = timing.phases(finished).set_index(["setting", "phase"])
texts.table(log[list(columns)].rename(columns=columns), decimals=1)

# %% mystnb={"figure": {"name": "fig-network-times", "caption": "Summed time of all runs of a network, training and stored answers together as if each run stood alone, coloured by how many of its blocks were trained; a column an initialisation (S0.8)."}}
plots.times(ablations.costs(settings))

# %% [markdown]
# Score against time: of settings of one size, what lies further left and no lower is the better bargain. Times are of this machine and of
# whatever else ran on it.

# %% mystnb={"figure": {"name": "fig-bargain", "caption": "AUC on validation against the time that a run takes, training and stored answers together; hover for names and sizes."}}
plots.tradeoff(auc, timing.seconds(finished), table["strategy"].to_dict(), "AUC")

# %% [markdown]
# ## All metrics of all settings
# For looking up; nothing is judged by it. Within a column, darker is better.

# %% mystnb={"figure": {"name": "fig-transfer-scores", "caption": "Every metric of every setting, and of classical models on frozen features, on the validation part, mean over seeds; classes are decided at probability one half, or by the largest (S0.8)."}}
classical = {f"{name}, features, {FEATURE_SIZE} px": parts["validation"] for name, parts in others.items()}
plots.scores(ablations.scores(settings, classical))

# %% [markdown]
# ## What could have been told
# Half the width of an interval is about the smallest difference that, when measured, is told from none; a true one
# of that size would be told about every second time. With few seeds and few groups it is large; where it exceeds what
# pre-training or another few blocks can plausibly bring, *undecided* speaks of the design and not of the networks.

# %%
texts.table(claims.resolution())

# %% [markdown]
# ## What we found
# The verdicts speak of networks that begin at ImageNet, on images that look nothing like it, with the sizes and epochs of
# this profile. Networks that are trained as a whole for a few epochs say what a short time buys, and not what they could
# reach. The sentence below answers whether two steps pay: from random weights to frozen features, and on to fine-tuning.

# %%
sizes = f"H9.2 was asked of images of {ALL_SIZE} pixels a side, H9.3 of images of {FEATURE_SIZE}."
apart = "" if ALL_SIZE == FEATURE_SIZE else "They are two answers, and not two steps of one staircase."
texts.together(claims.answer("H9.2", "H9.3"), texts.sentence(sizes, apart))

# %%
claims.judge()

# %% [markdown]
# ## What next
# Fine-tuning has one setting that nobody can guess: how many blocks. {doc}`Chapter 10 <10_depth>` varies it alone.
