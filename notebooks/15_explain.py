# %% [markdown]
# # Where does it look, and can we believe the map?
# **Needs** the networks of the chapters before this one · **Produces** the runs of families `shortcut_battery` and `linear_heads` · **Answers** hypotheses H15.1-H15.20
#
# A coloured map over an image convinces easily. It may still show edges that any image has, or the middle of the picture.
# So the methods are tried before their maps are read: whether a map changes when the network does, whether the pixels that
# it marks matter to the network, whether it finds a defect whose place is known. A method that fails is drawn all the same,
# with a flag that says what it failed.

# %%
from lib import ablations, cards, custody, grids, hypotheses, plots, runs, shortcuts, texts, turned
from lib.config import chapter
from lib.estimates import Inapplicable
from lib.explain import examination, names, showing, subjects, trials
from lib.hypotheses import Hypothesis

# %% tags=["parameters", "reads-runs"]
DATASET = "elpv"
PROFILE = "smoke"
BACKBONES = ["efficientnet_lite0"]
SIZES = [48, 64]  # pixels per side, of the networks that CAM explains
HEAD_EPOCHS = 2
HEAD_RATE = 0.001
MEASURED_IMAGES = 64
ENGINE = "keras"  # of what is frozen
TRIAL_IMAGES = 8  # validation images that methods are tried on
LOCATED_IMAGES = 8  # sound ones that a defect is drawn into
PICTURES = 5
SHORTCUT_SIZE = 32  # pixels per side
SHORTCUT_THUMBNAIL = 16  # pixels per side of what is left of an image
SHORTCUT_EPOCHS = 2
SHORTCUT_RATE = 0.001
SHORTCUT_SEEDS = [7]
HIDE_MOST = 0.9  # of each side, in the middle: a border is left
HIDE_CENTRE = 0.5  # of each side
SEEDS = [7]
THREADS = 1

# %%
context = chapter("15_explain", DATASET, PROFILE)
card, labelled = cards.load(DATASET), custody.development(context)
battery = grids.shortcut_battery(
    DATASET, SHORTCUT_SIZE, SHORTCUT_THUMBNAIL, SHORTCUT_EPOCHS, SHORTCUT_RATE, SHORTCUT_SEEDS, HIDE_MOST, HIDE_CENTRE,
    THREADS,
)  # fmt: skip
study = grids.linear_heads(
    DATASET, BACKBONES, SIZES, HEAD_EPOCHS, HEAD_RATE, MEASURED_IMAGES, ENGINE, SEEDS, THREADS
)  # fmt: skip
finished = {name: [runs.get(configuration, context) for configuration in group] for name, group in study.items()}
settings = ablations.read(context)
networks = subjects.of_book(settings, context)
linear = {name: subjects.subject(name, group[0], context) for name, group in finished.items()}

# %% [markdown]
# ## What is explained
# The networks of chapters 5 and 7; of chapter 9 each published network with most blocks fine-tuned, but none that was trained
# there as a whole; and, for CAM, published networks with one dense layer on the average of their last layer, at two sizes.
# Always the first seed. A class activation map has as many positions as its layer, however smooth it is drawn.

# %% tags=["nbval-check-output"]
texts.table(subjects.table(networks | linear))

# %% [markdown]
# CAM by its definition needs such a head: where a hidden layer stands between the average and the logits, it is refused, and
# Grad-CAM, which comes to the same where both exist, takes its place. Of a network that hardly ranks, maps show what it looks
# at, but not what there is to be seen.

# %%
trial = subjects.tried(networks)
reasons = [f"{reason}." for reason in trial.explainer.refusals.values()]
refused = texts.sentence(*reasons or ["All methods can explain the network that they are tried on."])
texts.together(refused, texts.table(subjects.ranking(networks | linear)))

# %% [markdown]
# ## What we expect
# Maps explain the logit of a class, never its probability, whose slope vanishes where a network is sure. The rule for *changes
# with the network* was set before anything was measured. A map that has nothing to do with another one has a rank correlation
# of zero with it; that of an edge detector, which looks at no network, keeps one. A method must come nearer to the first than
# to the second, once the upper half of the layers is noise. For the two guided methods the paper that proposed the trial
# found the opposite, and so it is claimed here. H15.6-H15.11 ask one published network, whose upper half is drawn anew;
# H15.12 and H15.13 ask the small network of chapter 6, all of whose layers learned something else. Verdicts may differ.
#
# H15.1-H15.5 come first, and are claims of equivalence: confirmed where the AUC lies nearer to chance than the margin, which is
# that of a shortcut in {doc}`chapter 1 <01_explore>`; refuted where it lies beyond, and then there is a way around the content.

# %%
above, near = "AUC above chance", shortcuts.MARGIN
ways_around = [
    Hypothesis("H15.1", "A border does not tell the label", above, "equivalent", near, "S3.5"),
    Hypothesis("H15.2", "Nor does what lies around the centre", above, "equivalent", near, "S3.5"),
    Hypothesis("H15.3", "Nor do thumbnails", above, "equivalent", near, "S3.5 S3.7"),
    Hypothesis("H15.4", "Nor do properties of the file", above, "equivalent", near, "S3.5"),
    Hypothesis("H15.5", "No picture tells its source", above, "equivalent", near, "S3.5"),
]
changes = ("rank correlation", "less", examination.HALFWAY, "S4.10 S4.11")
keeps = ("rank correlation", "greater", examination.HALFWAY, "S4.11")
matters = ("difference of areas", "greater", 0, "S4.11")
finds = ("difference of shares", "greater", 0, "S4.12")

# %%
of_maps = [
    Hypothesis("H15.6", "Grad-CAM changes with the network", *changes),
    Hypothesis("H15.7", "Grad-CAM++ changes with the network", *changes),
    Hypothesis("H15.8", "Integrated Gradients change with the network", *changes),
    Hypothesis("H15.9", "Occlusion changes with the network", *changes),
    Hypothesis("H15.10", "Guided Backpropagation hardly changes", *keeps),
    Hypothesis("H15.11", "Guided Grad-CAM hardly changes", *keeps),
    Hypothesis("H15.12", "Of chapter 6's network, Grad-CAM changes with the labels", *changes),
    Hypothesis("H15.13", "Of that, Guided Backpropagation hardly changes with them", *keeps),
    Hypothesis("H15.14", "What Grad-CAM marks matters more than at random", *matters),
    Hypothesis("H15.15", "It matters more than edges", *matters),
    Hypothesis("H15.16", "It matters more than the centre", *matters),
    Hypothesis("H15.17", "Grad-CAM points at defects better than the centre", *finds),
    Hypothesis("H15.18", "Its energy lies on defects beyond their area", *finds),
    Hypothesis("H15.19", "Its energy lies there beyond that of the centre", *finds),
    Hypothesis("H15.20", "Grad-CAM points at defects better than edges", *finds),
]
claims = hypotheses.Hypotheses(context, *ways_around, *of_maps)
claims

# %% [markdown]
# ## First look for what embarrasses us
# Before any map: can the label be told by what should not suffice? A network that can has found a way around the content,
# and its maps would explain the way around. So the small network of {doc}`chapter 6 <06_sanity_checks>` is trained anew on
# the border of the images alone, where markers and labels stand, on what lies around their centre, and on thumbnails. What is
# hidden gets the mean of what is left, so that nothing of it shows through; but how bright the image is does.

# %% mystnb={"figure": {"name": "fig-left", "caption": "What is left of some images, a row a setting. Could you tell the label?"}}
chosen = labelled.groupby("label").head(3)["path"]
plots.pictures(shortcuts.pictures(battery, [card.picture(path) for path in chosen]))

# %% [markdown]
# What is left is never nothing: where the content reaches the border, the border holds some of it, and a dark image is dark
# as a thumbnail too. A claim that is refuted says that there is a way, not yet that it is a wrong one; which it is, pictures
# and maps have to show. And a network that learns little from whole images would find no way around them either, so whole
# images stand in the figure too, and beside the network, judged on the validation part, a small model on pixels and
# gradients, judged on the groups of all development parts in turn, and once on the mean brightness alone. Verdicts rest on
# the small model: it is judged on more groups.

# %% mystnb={"figure": {"name": "fig-shortcuts", "caption": "AUC less that of chance, by what is left of the images; what lies right of the dashed line with its whole interval is a shortcut."}}
left = {name: [runs.get(each, context) for each in group] for name, group in battery.items()}
by_network = {name: shortcuts.above_chance(group) for name, group in left.items()}
by_model = {name: shortcuts.by_small_model(runs.data_of(group[0], context)) for name, group in battery.items()}
whole = runs.data_of(battery["whole images"][0], context)
bright = shortcuts.by_brightness(whole)
small = {"small model": by_model | {"brightness alone": bright}}
plots.side_by_side({"network": by_network} | small, "AUC above chance", shortcuts.MARGIN)

# %% [markdown]
# Where images come from several sources, a network that can name the source may learn the source, if sources differ in
# their shares of the label, which chapter 1 measures. The source is what the card names first of an image, else its folder.
# Being named is no harm by itself: it takes both.

# %%
asked = {"H15.1": "border only", "H15.2": "centre masked", "H15.3": "thumbnails"}
source = shortcuts.source(card, labelled)
named = f"Source: {source.name}." if not isinstance(source, Inapplicable) else ""
told = {id: by_model[name] for id, name in asked.items()} | {"H15.4": shortcuts.by_file(card, labelled)}
told["H15.5"] = shortcuts.naming(source, labelled, whole)
texts.together(
    texts.sentence(shortcuts.in_words({name: by_model[name] for name in asked.values()}, bright), named),
    claims.measure_each(told),
)

# %% [markdown]
# ## Does the map change with the network?
# From the logits down, layers are drawn anew: kernels with their own size but no memory of what they learned. The class that is
# explained stays the one that the whole network decided for. The first step draws the last layer alone, the last one all of
# them. At the network as it is every line would be at one, and an edge detector would stay there. The noise is drawn several
# times, and intervals speak of other draws, too.

# %% mystnb={"figure": {"name": "fig-cascade", "caption": "Rank correlation between maps of the network as it is and of one whose last layers were drawn anew, by the share of these, with intervals over groups of images and draws of the noise. One: the map does not care."}}
seen = trial.part.first(TRIAL_IMAGES)
images, decided = seen.pixels[seen.rows], trial.explainer.decided(seen.pixels[seen.rows])
tried = [name for name in names.METHODS if name in trial.explainer.methods]
draws = range(SEEDS[0], SEEDS[0] + (trials.DRAWS if context.judged else trials.DRAWS_UNJUDGED))
alike = trials.cascade(trial.explainer, tried, images, decided, trials.SHARES, draws)
ranks = examination.by_share(alike["rank correlation"], trials.SHARES, seen.groups)
plots.trends(ranks, "share of layers drawn anew", "rank correlation")

# %% [markdown]
# A rank correlation asks for the order of all pixels; the structural similarity for what looks alike. Where the two part, a
# map has kept its outlines and lost its order, or the other way round. No verdict rests on the second.

# %% mystnb={"figure": {"name": "fig-cascade-structure", "caption": "The same by structural similarity (SSIM) of maps that are scaled by their own maxima."}}
structures = examination.by_share(alike["structural similarity"], trials.SHARES, seen.groups)
plots.trends(structures, "share of layers drawn anew", "structural similarity")

# %% [markdown]
# ## Labels that mean nothing
# The other trial of Adebayo et al. 2018 (arXiv:1810.03292): chapter 6 trained its network twice, once on shuffled labels. Whatever a method shows of the
# second network is no evidence for a class. Maps of both, for the same images and classes, should be strangers; how alike those of
# two networks are that learned the same right labels from other seeds is what this compares with. The less the first
# network ranks better than the second, the less the trial tells.

# %% mystnb={"figure": {"name": "fig-shuffled", "caption": "Rank correlation between the maps of a network that learned the labels and of one that learned shuffled ones, and of one that learned the same labels from another seed; the dashed line is half way between strangers and the same map."}}
learners = subjects.shuffled(settings, context)
right, shown = learners["right"], learners["right"].part.first(TRIAL_IMAGES)
pixels = shown.pixels[shown.rows]
labels = right.explainer.decided(pixels)
pairs = {
    name: trials.between(right.explainer, other.explainer, showing.accepted(learners), pixels, labels)[
        "rank correlation"
    ]
    for name, other in list(learners.items())[1:]
}
between = examination.titled_means(pairs, shown.groups, examination.CORRELATION)
plots.side_by_side(between, "rank correlation", examination.HALFWAY)

# %%
half = {name: rows[trials.SHARES.index(examination.UPPER_HALF)] for name, rows in alike["rank correlation"].items()}
kept = examination.means(half, seen.groups, examination.CORRELATION)
asked = ["grad_cam", "grad_cam_plus_plus", "integrated_gradients", "occlusion"]
asked += ["guided_backpropagation", "guided_grad_cam"]
found = {f"H15.{number}": kept[name] for number, name in enumerate(asked, start=6)}
strangers = {"H15.12": between["shuffled"]["Grad-CAM"], "H15.13": between["shuffled"]["Guided Backpropagation"]}
texts.together(
    texts.sentence(f"H15.6-H15.11 are tried on {trial.title}.", examination.still_alike(ranks)),
    texts.table(subjects.ranking(learners)),
    claims.measure_each(found | strangers),
)

# %% [markdown]
# ## Do the marked pixels matter?
# Pixels are shown in the order of the map, from a baseline on (insertion), or covered in that order (deletion). The area under
# the first curve of the class's probability less that under the second is large where the marked ones matter most. A covered
# pixel is an image that no network has seen; so there are two baselines, a blur and the mean. Every method stands beside
# three maps that know no network: noise, edges, and a blob in the centre. First Grad-CAM alone beside them:

# %% mystnb={"figure": {"name": "fig-shown-first", "caption": "Probability of the class that the network decides for, by the share of the pixels that a map marks most: shown first on a blurred image, where a line should rise early, or covered first by the blur, where it should fall early; with intervals over groups."}}
maps = trials.maps_of(trial.explainer, tried, images, decided, SEEDS[0])
walked = trials.walks(trial.explainer, maps, images, decided)
beside = ["grad_cam", *names.CONTROLS]
panels = {
    title: examination.by_pixels(walked["blur"], kind, beside, seen.groups)
    for title, kind in {"shown first": "insertion", "covered first": "deletion"}.items()
}
plots.trends_beside(panels, "share of pixels", "probability")

# %% [markdown]
# Both lines in one number, for every method and both baselines:

# %% mystnb={"figure": {"name": "fig-insertion", "caption": "Area under insertion less area under deletion, by baseline, with intervals over groups; the dashed line is no difference between what is marked and what is not."}}
gains = trials.gains(walked)
areas = examination.titled_means(gains, seen.groups, (-1, 1))
plots.side_by_side(areas, "area under insertion less deletion", 0)

# %% [markdown]
# ## Defects whose place is known
# The simulator of chapter 8 draws a defect into sound validation images and says where. Pointing: does the largest value of the
# map lie on it, or close by? Energy: what share of the map lies on it? By chance that is the share of its area. What is drawn
# is darker or lighter than what surrounds it, and so has edges: the edge detector is an opponent that knows no network.

# %% mystnb={"figure": {"name": "fig-located", "caption": "Share of drawn defects that the largest value of a map points at, and share of a map that lies on them, less the share of their area, by method; the dashed line is chance."}}
located, groups = trials.located(trial, tried, LOCATED_IMAGES if card.simulator else 0, SEEDS[0])
plots.side_by_side(examination.titled_means(located, groups, (-1, 1)), "share beyond chance", 0)

# %%
scores = trials.both_baselines(gains)
beyond = examination.beyond_controls(scores, tried, seen.groups, (-1, 1))
compared = {"H15.14": "random", "H15.15": "edges", "H15.16": "centre"}
unasked = Inapplicable("the card names no simulator of defects")
on_defects = examination.on_defects(located, "grad_cam", groups) if card.simulator else [unasked] * 4
found = {f"H15.{number}": each for number, each in enumerate(on_defects, start=17)}
with_labels = examination.means(pairs["shuffled"], shown.groups, examination.CORRELATION)
flags = examination.flags(kept, beyond, with_labels, context.judged)
places = examination.foremost(located["pointing"], "share of defects pointed at, beyond chance,")
texts.together(
    texts.sentence(examination.foremost(scores, "area under insertion less deletion"), places),
    claims.measure_each({id: beyond[control]["grad_cam"] for id, control in compared.items()} | found),
    texts.sentence(examination.flagged(flags, tried, context.judged)),
)

# %% [markdown]
# ## What each method failed
# A flag (⚑) stands beside every method that was not shown to change with the network or, in chapter 6's network, with the
# labels, or whose marked pixels were not shown to matter more than those of noise, edges or the centre. Such a map may still be pretty. With few groups much is not shown: then the
# flag says so, and is no proof that the method fails.

# %% mystnb={"figure": {"name": "fig-flags", "caption": "Every method on the same images, for the class that the network decides for. A flag says what a method failed, or was not shown to pass: until that is shown, do not read its map as an explanation of this network."}}
plots.maps(showing.of_methods(maps, images[:PICTURES], tried, flags))

# %% [markdown]
# ## Right and wrong, sure and unsure
# Images that the network of the trials is right or wrong about, sure or unsure, and what each network looks at when it decides:
# with Grad-CAM, for the class that this network decides for. Under each image its class, and what it is given. Networks that
# agree on the class need not agree on the place.

# %% mystnb={"figure": {"name": "fig-cases", "caption": "Grad-CAM of every network on images that the network of the trials is right and sure, right but unsure, wrong but unsure, and wrong and sure about; below, the class of the image and the probability that it is given."}}
cases = subjects.cases(trial, 1)
rows, lines = showing.of_networks(networks, cases.index, card.classes, "grad_cam")
plots.maps(rows, lines, showing.said_of(["grad_cam"], flags, trial.title))

# %% [markdown]
# ## The same image at two sizes
# Networks whose head is linear, the first of them at both sizes. An image that is wrong when small and right when large should
# tell what the larger one adds. Maps are for the class that the image is of: CAM, with few positions, and Guided
# Grad-CAM, with the detail of pixels. Flags are those of the trials; CAM has that of Grad-CAM, because they are one map
# wherever both exist.

# %%
small, large = list(linear)[:2]
turning = turned.turns(*(runs.predictions_by_seed(finished[name], "validation") for name in (small, large)))
texts.together(texts.table(turned.counts(turning, card.classes)), texts.sentence(turned.gained_and_lost(turning)))

# %% mystnb={"figure": {"name": "fig-two-sizes", "caption": "Images that are decided wrongly when small and rightly when large: as the network gets them, with CAM and Guided Grad-CAM for their true class; below, this class and what it is given. A map that leaves the image grey is empty: no position speaks for this class."}}
gained = turning[turning["turn"] == turned.RIGHT].head(PICTURES)
pair = {f"{size} px": linear[name] for size, name in zip(SIZES, (small, large), strict=True)}
drawn = ["cam", "guided_grad_cam"]
rows, lines = showing.at_both_sizes(pair, gained["image"], gained["label"], drawn, card.classes)
plots.maps(rows, lines, showing.said_of(drawn, flags, trial.title))

# %% [markdown]
# Larger images give a map more positions. What is read into such pairs is a story about a few images; what size is worth, chapter
# 11 measured. CAM of the other networks, at both sizes:

# %% mystnb={"figure": {"name": "fig-cam", "caption": "CAM of every network with a linear head, at both sizes, for the class that it decides for; below, the class of the image and the probability that it is given."}}
rows, lines = showing.of_networks(linear, cases.index, card.classes, "cam")
plots.maps(rows, lines, showing.said_of(["cam"], flags, trial.title))

# %% [markdown]
# ## Choose yourself
# Image, method and network, and from which share of its largest value on a map is drawn. The flag of a method stands
# below the menus. Raise the threshold: where a map falls apart into spots far from each other, it had no one place to show.

# %% mystnb={"figure": {"name": "fig-chooser", "caption": "Maps to choose from: image, method, network, and the share of the largest value from which on a map is drawn. Each map is for the class that its network decides for, scaled by its own maximum."}}
called = dict(zip(cases["kind"] + ": " + cases.index, cases.index, strict=True))
chosen = showing.accepted(networks)
said = {names.title(name): showing.said_of([name], flags, trial.title) for name in chosen}
plots.chooser(*showing.to_choose_from(networks, called, chosen), said)

# %% [markdown]
# ## What we found
# The verdicts on methods speak of one network, few draws of noise and these images; another network may fail another method. A
# map that passed shows where evidence lies, not why it is evidence.

# %%
claims.judge()

# %% [markdown]
# ## What next
# {doc}`Chapter 16 <16_ablations>` puts all changes of the book into one table.
