"""The build graph of one book: data, runs, chapters, pages. Called by `make book`."""

from lib import config as book, graph, jobs

DATASET, PROFILE = config["dataset"], config["profile"]
ROOT = str(book.book_root(DATASET, PROFILE))
CHAPTERS = graph.chapters_of(DATASET)
PAGES = CHAPTERS if int(config["served"]) else []
JOBS = jobs.ahead(DATASET, PROFILE)
JOBS_BEFORE = {name: jobs.before(name, DATASET, PROFILE) for name in CHAPTERS}
READ = {name: graph.chapters_read(name, DATASET, PROFILE) for name in CHAPTERS}
FEATURES_OF = {name: graph.features_of(name, DATASET, PROFILE) for name in CHAPTERS}
FEATURES = {slug: settings for wanted in FEATURES_OF.values() for slug, settings in wanted.items()}
GPU = int(PROFILE == "gpu")  # one job a GPU


rule book:
    input:
        f"{ROOT}/site/.complete",
        expand(f"{ROOT}/chapters/{{name}}/record.json", name=CHAPTERS),
        expand(f"{ROOT}/trained/{{job}}/runs_used.json", job=JOBS),


rule data:  # custody hides the test labels before anyone else sees the data
    output: f"{ROOT}/data/data.json"
    params: fingerprint=graph.data_fingerprint(DATASET, PROFILE)
    shell: "python -m lib.custody {DATASET} {PROFILE}"


rule run:  # some training runs of one chapter, one after the other; those that are there already are not trained again
    input: f"{ROOT}/data/data.json"
    output: f"{ROOT}/trained/{{job}}/runs_used.json"
    params:
        fingerprint=lambda wildcards: jobs.fingerprint(JOBS[wildcards.job]),
        configurations=lambda wildcards: f"[{','.join(run.model_dump_json() for run in JOBS[wildcards.job])}]",
    threads: lambda wildcards: JOBS[wildcards.job][0].threads  # the same for all of a job
    resources: gpu=GPU, mem_mb=3000, runtime=600
    benchmark: f"{ROOT}/logs/train-{{job}}.seconds.tsv"
    shell: "python -m lib.chapters train {wildcards.job} {DATASET} {PROFILE} {params.configurations:q}"


rule features:  # what a pre-trained backbone makes of the images, once for all chapters that ask for it
    input: f"{ROOT}/data/data.json"
    output: f"{ROOT}/features/{{slug}}.json"
    params:
        fingerprint=lambda wildcards: graph.features_fingerprint(FEATURES[wildcards.slug]),
        backbone=lambda wildcards: FEATURES[wildcards.slug].backbone,
        size=lambda wildcards: FEATURES[wildcards.slug].image_size,
    threads: lambda wildcards: FEATURES[wildcards.slug].threads
    resources: gpu=GPU, mem_mb=3000, runtime=120
    benchmark: f"{ROOT}/logs/{{slug}}.seconds.tsv"
    shell: "python -m lib.features {DATASET} {PROFILE} {params.backbone:q} {params.size} {output}"


rule chapter:
    input:
        f"{ROOT}/data/data.json",
        lambda wildcards: [f"{ROOT}/trained/{job}/runs_used.json" for job in JOBS_BEFORE[wildcards.name]],
        lambda wildcards: [f"{ROOT}/chapters/{name}/record.json" for name in READ[wildcards.name]],
        lambda wildcards: [f"{ROOT}/features/{slug}.json" for slug in FEATURES_OF[wildcards.name]],
    output: f"{ROOT}/chapters/{{name}}/record.json"
    params: fingerprint=lambda wildcards: graph.chapter_fingerprint(wildcards.name, DATASET, PROFILE)
    resources: gpu=GPU, mem_mb=4000, runtime=600
    benchmark: f"{ROOT}/logs/{{name}}.seconds.tsv"
    shell: "python -m lib.chapters {wildcards.name} {DATASET} {PROFILE}"


rule page:  # where somebody reads, what is finished can be read while the rest runs
    input: f"{ROOT}/chapters/{{name}}/record.json"
    output: touch(f"{ROOT}/logs/{{name}}.page")
    shell: "python -m lib.site.build {ROOT} --partial --chapters {CHAPTERS}"


rule site:
    input:
        expand(f"{ROOT}/chapters/{{name}}/record.json", name=CHAPTERS),
        expand(f"{ROOT}/logs/{{name}}.page", name=PAGES),
        expand("notebooks/{name}.py", name=CHAPTERS),
        graph.site_sources(),
        graph.studies_run(DATASET),
    output: touch(f"{ROOT}/site/.complete")  # not a page: the pages of an unfinished build stay readable
    shell: "python -m lib.site.build {ROOT} --chapters {CHAPTERS}"
