"""The jobs that train runs before the chapters that ask for them: which runs each trains, and what it depends on."""

from collections.abc import Iterable

from lib import atomic, config, graph, networks
from lib.training.configuration import Configuration


def ahead(dataset: str, profile: str) -> dict[str, list[Configuration]]:
    """The runs of each job by its name; no job where the profile trains inside the chapters.

    A run belongs to the first chapter that asks for it, and so to one job alone. The runs of a chapter that take the same
    number of threads, which a process cannot change, are dealt to as many jobs as the profile's `runs_a_job` needs: in
    turn, so that the seeds of a long setting are in several.
    """
    settings = config.profile_settings(profile)
    jobs: dict[str, list[Configuration]] = {}
    taken: set[str] = set()
    for chapter in graph.chapters_of(dataset) if settings.train_ahead else []:
        new = {slug: run for slug, run in graph.runs_of(chapter, dataset, profile).items() if slug not in taken}
        taken |= set(new)
        for threads in sorted({run.threads for run in new.values()}):
            alike = [run for run in new.values() if run.threads == threads]
            count = -(-len(alike) // settings.runs_a_job)
            jobs |= {f"{chapter}-{threads}t-{number + 1:02d}": alike[number::count] for number in range(count)}
    return jobs


def before(chapter: str, dataset: str, profile: str) -> list[str]:
    """Names of the jobs that train a run of this chapter."""
    wanted = set(graph.runs_of(chapter, dataset, profile))
    jobs = ahead(dataset, profile)
    return [name for name, configurations in jobs.items() if wanted & set(map(graph.slug, configurations))]


def fingerprint(configurations: Iterable[Configuration]) -> str:
    """Hash of the code that a job depends on."""
    code = graph.code_of(config.NOTEBOOKS / "train.py")
    modules = graph.modules_imported(code) | {
        path for run in configurations for path in networks.sources(run.network.family)
    }
    return atomic.value_sha256([atomic.code_sha256(code), graph.module_hashes(modules)])
