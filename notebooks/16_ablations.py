# %% [markdown]
# # What did each change bring?
# **Needs** the runs that all chapters before this one used · **Produces** no run of its own · **Answers** hypotheses H16.1-H16.4
#
# A list of results, each a little better than the one above it, is easily written and says little when several things
# changed between two rows. Sometimes a row goes on training the network of the row above it, and rows of many epochs stand
# beside rows of few. Here all settings of the book come into one table: each is a fresh network that
# differs from a named parent by exactly one thing, with the same epochs at most and the same seeds.

# %%
import pandas as pd

from lib import ablations, cards, composition, custody, effects, hypotheses, plots, texts
from lib.config import chapter
from lib.hypotheses import Hypothesis

# %% tags=["parameters", "reads-runs"]
DATASET = "elpv"
PROFILE = "smoke"
SHOWN = 6  # settings whose curves are drawn before anything is clicked

# %%
context = chapter("16_ablations", DATASET, PROFILE)
settings = ablations.once(ablations.read(context))
compared = [setting for setting in settings if setting.parent]
regularising = ablations.regularising(settings)

# %% [markdown]
# ## What there is
# Only what the chapters noted when they ran is read, and nothing is trained. That each setting has one change is not
# promised but computed, from its configuration and its parent's; a setting with two changes stops the book. What two chapters
# trained alike, the same runs, stands here once, under the earlier one.

# %% tags=["nbval-check-output"]
counts = pd.DataFrame([(setting.chapter, setting.network, bool(setting.parent)) for setting in settings])
counts.columns = ["chapter", "network", "compared with a parent"]
texts.table(counts.groupby(["chapter", "network"])["compared with a parent"].agg(settings="size", compared="sum"))

# %% [markdown]
# ## What we expect
# The chapters have judged their own changes. What can be asked only of all together: whether changes that are *meant* to
# close the gap between training and validation help on average (augmentation, mixing, dropout, L2, label smoothing, drawn
# defects, schedules, early stopping), where each setting counts once, whatever its strength: the dropout that chapter 8
# expects to do harm, too, and each constant of L2 in chapter 7, whose runs have epochs of their own; and what a choice
# among them is worth. If the order of settings on the tuning part did not hold on validation, or if another seed moved
# the result as much as another setting, then picking the best row of a table would be picking luck.

# %%
claims = hypotheses.Hypotheses(
    context,
    Hypothesis("H16.1", "Regularising ranks better, on average", "mean difference of AUC", "greater", 0, "S3.39 S4.5"),
    Hypothesis("H16.2", "It lowers the validation loss, on average", "mean difference of log loss", "less", 0, "S3.39"),
    Hypothesis("H16.3", "The order on tuning holds on validation", "rank correlation", "greater", 0, "S3.39"),
    Hypothesis("H16.4", "Settings differ more than seeds do", "difference of spreads of AUC", "greater", 0, "S3.39"),
)
claims

# %% [markdown]
# ## What each change brought
# First, how well the parents rank at all. Where such an interval reaches one half, the network was not shown to rank, and
# a change of it that is *not told apart* says as much about the network as about the change. Groups are images that belong
# together (chapter 2), and are resampled together.

# %% mystnb={"figure": {"name": "fig-parents", "caption": "Validation AUC of the settings that others are compared with, with intervals over groups and seeds; the dashed line is a ranking by chance."}}
parents = ablations.parents(settings)
parents_reached = {each.name: effects.scored("auc", each.validation) for each in parents}
plots.intervals(parents_reached, "AUC", 0.5)

# %% [markdown]
# Each setting minus its parent, on the validation part, paired by image and by seed, on the images that both were scored
# on. So many intervals at once will show a few differences where there are none; so they are widened by Holm's procedure
# over all rows, and a row that then still touches zero is *not told apart*, which is not the same as *no effect*. Widths
# differ by more than the spread of the results: with two seeds or a few groups an interval has few degrees of freedom, and
# at these levels that makes it several times as wide.

# %% mystnb={"figure": {"name": "fig-ablations", "caption": "Difference of validation AUC between each setting and its parent; right of the dashed line the change ranks images better. Intervals over groups and seeds, adjusted for the number of rows."}}
by_metric = {name: ablations.differences(settings, name) for name in ("auc", "log_loss")}
judged = ablations.verdicts(by_metric["auc"], context.judged)
words, levels = ({name: pair[place] for name, pair in judged.items()} for place in (0, 1))
plots.changes(by_metric["auc"], levels, words, "difference of AUC")

# %% [markdown]
# All settings of the book in one table. Differences carry ordinary intervals of ninety-five per cent, of which a few are
# wrong by chance; the verdict comes from the adjusted one of AUC. Settings without a change are where a line of changes
# begins, or differ from every other by more than one thing. Chapter 8 judges log loss, where being sure and wrong costs
# most: a change may be good for one and not for the other. The last columns say what it took: seconds of training and of
# the stored answers of frozen layers, the median over seeds; as trained parameters count those that learn in the phase where
# most do, not the averages of batch normalisation.

# %%
titles = {"auc": "AUC", "log_loss": "log loss"}
differences = {f"difference of {titles[name]}": found for name, found in by_metric.items()}
brought = ablations.table(settings, differences, {"verdict on AUC": words})
texts.table(brought.merge(ablations.effort(settings), on="setting", validate="1:1"), decimals=1)

# %% [markdown]
# A gap between training and validation narrows in two ways: validation gets better, or training gets worse. Only the
# first is a gain, so that is what is judged; the figure shows both sides. What is left of zero in its middle row is the
# gain, what is right of zero in its first row is fit that was given up.

# %% mystnb={"figure": {"name": "fig-both-sides", "caption": "Mean change of log loss by all regularising settings: on the training part, on the validation part, and of the gap, which is the second less the first."}}
changed = ablations.loss_changes(regularising)
plots.intervals(changed, "mean change of log loss, nats", 0)

# %%
average = ablations.average_effect("auc", regularising)
loss = ablations.average_effect("log_loss", regularising)
claims.measure_each({"H16.1": average, "H16.2": loss})

# %% [markdown]
# ## All curves
# One line a setting, the mean over its seeds, as far as all of them were trained; between two phases it is interrupted.
# The settings that moved most are drawn, but none from which what it needs was taken on purpose (chapters 6 and 15); what
# learned a single batch, over epochs of its own, is left out. A click in the legend shows or hides a line; to see one
# alone, click to show it, then double-click. Settings of different chapters have their own sizes and epochs: compare
# lines of one chapter.

# %% mystnb={"figure": {"name": "fig-four-panels", "caption": "Accuracy and loss on training and validation through training, a line a setting, numbered by its chapter; mean over seeds. Click in the legend to choose."}}
history = ablations.history([each for each in settings if not each.runs[0].configuration.control.one_batch])
shown = ablations.strongest(compared, by_metric["auc"], SHOWN)
plots.four_panels(history, shown)

# %% [markdown]
# Loss and accuracy are two of six. When precision and recall part ways, a network has moved its threshold rather than
# learned; the AUC does not see thresholds.

# %% mystnb={"figure": {"name": "fig-every-metric", "caption": "Six metrics through training: dotted on training, solid on validation, a line a setting, mean over seeds. Click in the legend to choose."}}
plots.every_metric(history, shown)

# %% [markdown]
# ## What a choice is worth
# The tuning part is there to choose by. Each dot is a regularising setting, or a parent of one: what it reached on
# tuning, and on validation. If dots rise together, a choice made on one part holds on the other. What is judged is the
# rank correlation of just these dots, for these networks; its interval is over the groups of both parts.

# %% mystnb={"figure": {"name": "fig-agreement", "caption": "AUC on tuning against AUC on validation, mean over seeds, a dot a setting."}}
reached = ablations.tuned(regularising, "auc")
plots.agreement(reached, "AUC")

# %%
claims.measure("H16.3", ablations.order_kept("auc", regularising))

# %% [markdown]
# Whether dots rise is one question; how high they lie on either axis is another. Parts are made of whole groups, and so they
# do not hold the same shares of classes and kinds, here in percent:

# %%
card = cards.load(DATASET)
parts = composition.shares(custody.development(context), card.classes, card.properties)
moved = {each.name: by_metric["auc"][each.name] for each in compared if not each.control}
texts.together(texts.table(parts, decimals=1), ablations.apart(reached, moved, "AUC"))

# %% [markdown]
# The spread of the settings' means, less what seeds of their own would contribute to it, against the spread of seeds within a
# setting. Settings share their seeds, so this takes off too much rather than too little. Where nothing is left, the first
# spread counts as zero and the number is minus the spread of seeds: then no spread of settings was found beyond chance, which
# does not say how small it is.

# %%
claims.measure("H16.4", ablations.beyond_seeds("auc", regularising))

# %% [markdown]
# ## What it cost
# The time of all runs of a network together, without measuring and saving: training, and the stored answers of frozen
# layers as if each run had computed them by itself. Times depend on the machine and on what else
# ran there: a run that was held up raises this sum, but not the median that the table above has of each setting.

# %% mystnb={"figure": {"name": "fig-times", "caption": "Summed time of each network, training and stored answers together, coloured by what of it was trained; a panel an initialisation."}}
plots.times(ablations.costs(settings))

# %% [markdown]
# ## All metrics of all settings
# For looking up; nothing is judged by it. Within a column, darker is better.

# %% mystnb={"figure": {"name": "fig-scores", "caption": "Every metric of every setting on the validation part, mean over seeds; classes are decided at probability one half, or by the largest. Darker is better within a metric."}}
plots.scores(ablations.scores(settings))

# %% [markdown]
# ## What we found
# The verdicts speak of regularising as it was done here: on these images, with few epochs, one change at a time. Two
# changes that help need not help together, and what does not help here may help a larger network.

# %%
claims.judge()

# %% [markdown]
# ## What next
# This table grows with the book: every chapter that trains adds its rows, and the last one opens the test part for the
# setting that was chosen before.
