"""Jobs of training: every run is in one of them, a changed run trains alone, a killed job goes on with what is missing."""

import shutil

import pytest

from lib import atomic, chapters, config, graph, jobs


@pytest.fixture
def asked(monkeypatch, configuration):
    """`asked(runs_a_job, **configurations of chapters)`: what the chapters ask for, in a profile that trains ahead."""

    def ask(runs_a_job: int, **chapters_runs):
        runs = {name: {graph.slug(run): run for run in group} for name, group in chapters_runs.items()}
        monkeypatch.setattr(graph, "chapters_of", lambda dataset: sorted(runs))
        monkeypatch.setattr(graph, "runs_of", lambda name, dataset, profile: runs[name])
        settings = config.Profile(train_ahead=True, runs_a_job=runs_a_job)
        monkeypatch.setattr(config, "profile_settings", lambda profile: settings)

    return ask


def seeds(configuration, *numbers: int, **changes) -> list:
    return [configuration(seed=number, **changes) for number in numbers]


def in_jobs(dataset: str = "elpv", profile: str = "cpu") -> dict[str, list[int]]:
    return {name: [run.seed for run in group] for name, group in jobs.ahead(dataset, profile).items()}


def test_runs_are_dealt_in_turn_to_as_many_jobs_as_needed(asked, configuration):
    asked(3, c05=seeds(configuration, *range(7)), c06=[])
    assert in_jobs() == {"c05-1t-01": [0, 3, 6], "c05-1t-02": [1, 4], "c05-1t-03": [2, 5]}


def test_one_run_a_job_when_nothing_else_is_said(asked, configuration):
    asked(config.Profile().runs_a_job, c05=seeds(configuration, 1, 2))
    assert in_jobs() == {"c05-1t-01": [1], "c05-1t-02": [2]}


def test_a_run_that_two_chapters_ask_for_is_trained_by_one_job(asked, configuration):
    asked(9, c05=seeds(configuration, 1, 2), c06=seeds(configuration, 2, 3), c07=seeds(configuration, 1))
    assert in_jobs() == {"c05-1t-01": [1, 2], "c06-1t-01": [3]}
    before = [jobs.before(name, "elpv", "cpu") for name in ("c05", "c06", "c07")]
    assert before == [["c05-1t-01"], ["c05-1t-01", "c06-1t-01"], ["c05-1t-01"]]


def test_runs_with_other_numbers_of_threads_are_not_in_one_job(asked, configuration):
    asked(9, c05=[*seeds(configuration, 1, 2, threads=2), *seeds(configuration, 3)])
    assert in_jobs() == {"c05-1t-01": [3], "c05-2t-01": [1, 2]}


def test_nothing_is_trained_ahead_in_smoke():
    assert jobs.ahead("elpv", "smoke") == {} and jobs.before("05_simple_network", "elpv", "smoke") == []


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_run_of_the_book_is_in_one_job(profile):
    trained = [graph.slug(run) for group in jobs.ahead("elpv", profile).values() for run in group]
    asked_for = {slug for name in config.chapters() for slug in graph.runs_of(name, "elpv", profile)}
    assert sorted(trained) == sorted(asked_for)
    most = config.profile_settings(profile).runs_a_job
    assert all(0 < len(group) <= most for group in jobs.ahead("elpv", profile).values())


def test_a_job_trains_only_what_is_missing(book, configuration, prepared):
    """A job that was killed, or one of whose configurations changed, finds the others by their keys."""
    root = shutil.copytree(prepared, book("cpu").root, dirs_exist_ok=True)
    settings = [run.model_dump(mode="json") for run in seeds(configuration, 21, 22, 23)]

    def trained(which: list[dict]) -> dict:
        chapters.train("job", "elpv", "cpu", which)
        return {path.parent.name: path.stat().st_mtime_ns for path in root.glob("runs/*/record.json")}

    first = trained(settings[:2])
    after = trained(settings[1:])
    used = atomic.read_json(root / "trained" / "job" / "runs_used.json")
    assert first.items() <= after.items() and len(set(after) - set(first)) == 1
    assert len(used) == 2 and set(after) - set(first) < set(used)
    log = (root / "logs" / "train-job.log").read_text().splitlines()
    told = [line.split(",")[0] for line in log if " of 2: " in line]
    assert told == ["1 of 2: simple-18px-all-seed22", "2 of 2: simple-18px-all-seed23"]
