# %% [markdown]
# # How good is it, on images put aside?
# **Needs** the runs of all chapters before, frozen features · **Produces** the record of the final test · **Answers** hypotheses H17.1-H17.12
#
# Whatever was chosen by looking at validation is flattered by it. So one part of the images is put aside before anything
# is measured, and its labels are opened on this page, for models in which nothing can be chosen any more: which model, how
# sure it may be, from where on it says *positive*. Everything that is decided is decided above the opening; everything
# below it is read off. Whether this was the only look at them, and so whether nobody could know the result before, the
# ledger says.

# %%
from lib import ablations, cards, features, grids, hypotheses, metrics, plots, runs, texts
from lib.config import chapter
from lib.custody import opening
from lib.explain import subjects
from lib.final import (
    beside,
    calibration,
    comparison,
    curves,
    decision,
    errors,
    external,
    finalists,
    frozen,
    questions,
    record,
    selection,
    slices,
)
from lib.hypotheses import Hypothesis

# %% tags=["parameters", "reads-runs"]
DATASET = "elpv"
PROFILE = "smoke"
CLASSICAL = "support vector machine"  # pinned: the model on frozen features
SCRATCH = ["regularise", "flips"]  # pinned: family and setting that began from random weights
TRANSFER = ["depth", "1 block"]  # pinned: family and setting that began from ImageNet's
CHOSEN = "transfer"  # the finalist that the page speaks of
BACKBONE = "efficientnet_lite0"
FEATURE_SIZE = 64  # pixels per side
CONSTRAINED = "sensitivity"
AT_LEAST = 0.8  # a fraction, on the tuning part
PICTURES = 5  # errors shown of each class
SEED = 7
EXTERNAL = ""  # name of another card of the same classes

# %%
context = chapter("17_final_test", DATASET, PROFILE)
card = cards.load(DATASET)
pins = grids.final_test(DATASET, PROFILE, SCRATCH, TRANSFER)

# %% [markdown]
# ## What decides, and what is opened
# Temperature and threshold come from the tuning part, the choice between models from validation. Groups are images that
# belong together; where they are few, intervals are wide, however many images there are.

# %% tags=["nbval-check-output"]
texts.table(selection.sizes(context))

# %% [markdown]
# ## What we expect
# The first four claims ask whether validation supports what is pinned: each finalist against the best other one of its kind,
# which is flattered by being the best of many, and the chosen one against the other two. The rest is about the test part.

# %%
metric, kept, unkept = "difference of AUC", -0.02, f"{CONSTRAINED} less what was asked"
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H17.1", "The classical finalist is no worse than the best other of its kind", metric, "greater", kept, "S4.3"),
    Hypothesis("H17.2", "The finalist from scratch is no worse than the best other of its kind", metric, "greater", kept, "S3.39"),
    Hypothesis("H17.3", "The finalist by transfer is no worse than the best other of its kind", metric, "greater", kept, "S4.6"),
    Hypothesis("H17.4", "The chosen finalist is no worse than the best other of them", metric, "greater", kept, "S3.39"),
    Hypothesis("H17.5", "Transfer beats training from scratch", metric, "greater", 0, "S4.6 S0.1"),
    Hypothesis("H17.6", "Transfer beats the classical model", metric, "greater", 0, "S0.1"),
    Hypothesis("H17.7", "The test part keeps what validation promised", "AUC, test less validation", "greater", -0.05),
    Hypothesis("H17.8", "Probabilities mean what they say", "calibration slope less 1", "equivalent", 0.3),
    Hypothesis("H17.9", "The operating point keeps what was asked of it", unkept, "greater", -0.05),
    Hypothesis("H17.10", "Acting on the model beats acting on all or none", "difference of net benefits", "greater", 0),
    Hypothesis("H17.11", "Doubtful labels are harder", "AUC, doubtful less certain", "less", 0, "S4.2"),
    Hypothesis("H17.12", "Another card's images are no harder", "AUC, other card less test", "greater", -0.1),
)  # fmt: skip
claims

# %% [markdown]
# ## The finalists
# The rule was stated before: of each kind, classical model, network from random weights, network from ImageNet's, the one
# with the highest mean AUC on validation. Pins are part of the parameters, so that it is known what to build before
# anything runs; runs of later builds may leave another one ahead. The table says where each pinned one stands, and with how
# many seeds; of a network, its first seed is the model that goes on. Claims compare means over seeds, as the rule does.

# %%
described, settings = features.get(context, BACKBONE, FEATURE_SIZE), ablations.read(context)
found = {"classical": selection.classical_candidates(described, context, SEED), **selection.candidates(settings)}
pinned = {"classical": CLASSICAL, "scratch": selection.named(SCRATCH), "transfer": selection.named(TRANSFER)}
finals = {kind: found[kind][name] for kind, name in pinned.items() if name in found[kind]}
among = {**found, "chosen": finals}
picked = {**pinned, "chosen": CHOSEN}
support = {f"H17.{n}": selection.supported(picked[kind], among[kind]) for n, kind in enumerate(among, start=1)}
followed = selection.followed(among, picked)
texts.together(texts.table(selection.table(found, pinned)), texts.sentence(followed), claims.measure_each(support))

# %% [markdown]
# ## Frozen
# One temperature divides all logits of a model: fitted on tuning, it moves every probability towards the middle or away from
# it, and changes no order. Then the operating point: the highest threshold that still finds the share of positive images
# that was asked for, on tuning. Where no threshold does, the table says so.

# %%
models = {"classical": finalists.of_model("classical", CLASSICAL, described, context, SEED)}
for name, pin in {"scratch": SCRATCH, "transfer": TRANSFER}.items():
    models[name] = finalists.of_run(name, runs.get(pins[name][0], context), selection.facts(pin))
held = {name: frozen.freeze(model, CONSTRAINED, AT_LEAST) for name, model in models.items()}
texts.table(frozen.table(held))

# %% [markdown]
# Whether the temperature helped is seen on validation, which it did not see. Shaded is where a model without any fault would
# lie, with so few images in a bin; outside of it the model is too sure, or not sure enough.

# %% mystnb={"figure": {"name": "fig-reliable-validation", "caption": "Reliability of the chosen finalist on validation, before and after its temperature: the share that is so against the probability that was said, bins of equally many images; shaded is what a perfect model would show."}}
model = held[CHOSEN]
before = model.finalist.known["validation"]
seen = {"as trained": before, "at its temperature": model.calibrated(before)}
plots.reliability({name: calibration.reliability(each.labels, each.probabilities[0]) for name, each in seen.items()})

# %% [markdown]
# ## The opening
# Predictions are made before a label is seen, and each model first repeats what it said of validation. So does what the
# finalists have to be better than, a regression on what is known of an image without looking at what it shows: brightness
# and the properties of the card, fitted on the training part, nothing in it chosen. Then one function opens the labels. It enters the ledger before it reads them: data, models, temperatures, thresholds. The same entries again
# are the same opening; any other needs a stated reason, and stands here too.

# %%
hidden, read = opening.hidden(context), opening.pictures(context)
said = {}
for name, each in held.items():
    finalists.check_same(each.finalist, context)
    said[name] = each.finalist.of_images(context, hidden, read)
alone = beside.unseen(context, hidden, card.properties, len(card.classes))
opened = opening.open_labels(context, frozen.decisions(CHOSEN, held))
texts.together(texts.table(record.openings_table(context)), record.told(context, opened))

# %% [markdown]
# Now that labels are known, so is what the parts are made of. A part that is made of other kinds may be harder or easier:
# then a number of one part is no promise for another, whatever the model.

# %%
shares = beside.parts(context, opened.images, card.classes, card.properties)
differ = beside.apart(shares)
texts.together(texts.table(shares, decimals=1), texts.sentence(differ))

# %% [markdown]
# ## How good
# Classes are decided at the operating point, where there is one. Crosses are what is reached without looking at what an image
# shows: by the shares of the classes, and by brightness and properties, which need no threshold for ranks and
# probabilities. Precision has no cross where nothing would be called positive.

# %% mystnb={"figure": {"name": "fig-final-metrics", "caption": "All metrics of the chosen finalist on the test part, with intervals over groups; crosses: without looking at the image, and by brightness and properties alone."}}
raw = {name: frozen.labelled(opened.images, each) for name, each in said.items()}
test = {name: held[name].calibrated(each) for name, each in raw.items()}
label, groups, probability = test[CHOSEN].labels, test[CHOSEN].groups, test[CHOSEN].probabilities[0]
blind = metrics.chance(label, selection.shares(context))
known = beside.names(context, card.properties)
reached, told = record.scores(test[CHOSEN], model.threshold), beside.told(test[CHOSEN], alone, known)
plots.metrics(reached, blind, {f"{known} alone": beside.crosses(label, alone)})

# %% [markdown]
# An order between kinds of images is no look at any one of them: the same in words, with the interval of the difference.

# %%
texts.sentence(told)

# %% [markdown]
# The finalists on the same images, paired, by group; of single images it is DeLong's comparison. Were the measured
# difference the true one, so many images would tell the two apart.

# %%
order = ("transfer", "scratch", "classical")
compared = comparison.pairwise(label, {name: test[name].probabilities[0] for name in order}, groups)
own = {"H17.5": comparison.between(compared, *order[:2]), "H17.6": comparison.between(compared, *order[::2])}
own["H17.7"] = questions.drop("auc", test[CHOSEN], model.known("validation"))
texts.together(texts.table(comparison.table(compared)), claims.measure_each(own))

# %% mystnb={"figure": {"name": "fig-final-roc", "caption": "Sensitivity against false positives on the test part, a line a finalist, with the pointwise band of the chosen one over groups, those of the others on a click; where a value is one the band is the exact one of so few groups, and where it has no value without one of them it is all that is possible; dashed: chance."}}
drawn = {name: curves.roc(label, each.probabilities[0], groups) for name, each in test.items()}
plots.bands(drawn, "false positives, share of negative images", "sensitivity", CHOSEN)

# %% [markdown]
# With few positive images the curve above flatters: precision says how many of those called positive are.

# %% mystnb={"figure": {"name": "fig-final-precision", "caption": "Precision against recall on the test part, a line a finalist, with bands as in the figure before; dashed: the share of positive images."}}
drawn = {name: curves.precision_recall(label, each.probabilities[0], groups) for name, each in test.items()}
plots.bands(drawn, "recall", "precision", CHOSEN, reference=label.mean())

# %% mystnb={"figure": {"name": "fig-final-confusion", "caption": "Test images by true class and by the class that each finalist decides for at its operating point."}}
plots.confusions({name: record.counts(each, held[name].threshold) for name, each in test.items()}, card.classes)

# %% [markdown]
# ## Do its probabilities hold, and is it worth acting on?
# A slope below one says that the model is surer than it may be. Net benefit weighs what is found against false alarms, by
# the odds of the probability from which one would act: a model is of use where its line lies above both others.

# %% mystnb={"figure": {"name": "fig-final-benefit", "caption": "Net benefit of the chosen finalist on the test part, of acting on every image and on none; dotted: its operating point."}}
point = model.decision()["threshold"]
plots.benefit(decision.curve(label, probability, decision.THRESHOLDS), point)

# %% mystnb={"figure": {"name": "fig-reliable-test", "caption": "Reliability of the chosen finalist on the test part, at its temperature; shaded is what a perfect model would show."}}
plots.reliability({"test": calibration.reliability(label, probability)})

# %% [markdown]
# The table says the same in numbers, with the error that a model without any fault would show on so few images.

# %%
kept = questions.above(CONSTRAINED, test[CHOSEN], model.point, AT_LEAST)
gained = decision.gain(label, probability, groups, point)
answers = {"H17.8": questions.slope_less_one(test[CHOSEN]), "H17.9": kept, "H17.10": gained}
parts = {f"validation, {name}": each for name, each in seen.items()} | {"test": test[CHOSEN]}
texts.together(texts.table(record.calibration_table(parts)), claims.measure_each(answers))

# %% [markdown]
# ## For whom is it worse?
# A number for all images hides those that it is wrong for. Each slice has its own number, and its difference from all other
# images; so many looks at once are adjusted together. A slice without images of both classes has no number. Where people
# who graded the images were in doubt, so may a model be: extreme levels are *certain*, those between them *doubtful*.

# %%
kinds = slices.kinds(opened.images, card.properties, card.level_names)
sliced = slices.measured(label, probability, groups, kinds)
doubtful = questions.within("auc", test[CHOSEN], kinds.get("label"), "doubtful", "certain")
inside = beside.within_kinds(sliced, reached["auc"].value)
unasked = slices.unasked(opened.images, card.properties, card.level_names)
of_slices = texts.sentence(slices.worst(sliced)[1], inside, unasked)
texts.together(texts.table(slices.table(sliced, card.classes, "AUC")), of_slices, claims.measure("H17.11", doubtful))

# %% [markdown]
# ## The surest errors
# Of each class the wrongly decided images that the model was surest of, with what it decided and how sure it was. Whoever
# knows such images may see more in them than any of these numbers: a wrong label, a mark, a defect that nobody had named.

# %% mystnb={"figure": {"name": "fig-surest-errors", "caption": "Test images that were decided wrongly, the surest first, a row a true class; below each the class decided for and its probability."}}
wrong = errors.surest(opened.images, probability, card.classes, model.threshold, PICTURES)
rows, below = errors.pictures(wrong, read)
plots.pictures(rows, below=below)

# %% [markdown]
# ## On another card
# A test part comes from where the training part came from. The same frozen model on images of another origin, with the
# same classes, says more; weights, recipe, temperature and threshold stay as they are.

# %%
elsewhere = external.tried(model, EXTERNAL, context, test[CHOSEN])
texts.together(elsewhere.told(), elsewhere.table(), claims.measure("H17.12", elsewhere.gain("auc")))

# %% [markdown]
# Everything above goes into one record, which the model card and the other report pages are filled from; with it, whether
# the chosen finalist is one of the networks that {doc}`chapter 15 <15_explain>` explains.

# %%
constraint = {"metric": CONSTRAINED, "at_least": AT_LEAST}
networks = subjects.of_book(settings, context) | subjects.linear(settings, context)
explained = finalists.explained(model.finalist, networks)
sentences = {"rule": followed, "alone": told, "within_kinds": inside, "parts": differ, "explained": explained}
more = beside.record(sentences, shares)
path = record.write(context, CHOSEN, constraint, held, opened, raw, sliced, compared, elsewhere.record(), more)
texts.sentence(explained, f"The record is {path.name}.")

# %% [markdown]
# ## What we found
# The verdicts speak of these three models, on images of the same origin as those that they learned from. What the ledger
# counts decides how much they are worth: each further opening makes this part a little more like validation.

# %%
claims.judge()

# %% [markdown]
# ## What next
# Nothing is chosen by this page. Whoever goes on improving the models does it on validation, and needs new images to know
# whether it helped.
