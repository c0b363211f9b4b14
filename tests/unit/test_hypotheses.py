"""Claims are declared, measured once each, judged together at Holm's levels, and recorded."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lib import atomic, hypotheses
from lib.config import Context
from lib.estimates import Estimate, Inapplicable
from lib.intervals import seed_mean_estimate


@dataclass
class Normal:
    """An estimate whose interval is value plus and minus normal quantiles of its error."""

    value: float
    error: float = 1.0
    groups: int = 12
    seeds: int = 5
    method: str = "normal"

    __str__ = Estimate.__str__

    def interval(self, level=0.95):
        width = stats.norm.isf((1 - level) / 2) * self.error
        return self.value - width, self.value + width

    def p_value(self, margin):
        return 2 * stats.norm.sf(abs(self.value - margin) / self.error)

    def record(self, level=0.95):
        low, high = self.interval(level)
        low, high = (limit if np.isfinite(limit) else None for limit in (low, high))
        basis = {"images": 100, "groups": self.groups, "seeds": self.seeds}
        return {"value": self.value, "low": low, "high": high, "level": level, "method": self.method, **basis}


def claim(id="H1", direction="greater", margin=0.0):
    return hypotheses.Hypothesis(id, "A statement", "metric", direction, margin, "S3.19")


@pytest.fixture
def context(tmp_path):
    return lambda profile="cpu": Context("05_test", "elpv", profile, tmp_path, tmp_path / "output")


TABLE = [  # direction, margin, interval, verdict
    ("greater", 0.5, (0.6, 0.9), "confirmed"),
    ("greater", 0.5, (0.4, 0.9), "undecided"),
    ("greater", 0.5, (0.1, 0.4), "refuted"),
    ("greater", 0.5, (0.5, 0.9), "undecided"),
    ("greater", 0.5, (0.1, 0.5), "undecided"),
    ("less", 0.0, (-0.3, -0.1), "confirmed"),
    ("less", 0.0, (-0.3, 0.1), "undecided"),
    ("less", 0.0, (0.1, 0.3), "refuted"),
    ("less", 0.0, (-0.3, 0.0), "undecided"),
    ("equivalent", 0.1, (-0.05, 0.05), "confirmed"),
    ("equivalent", 0.1, (0.02, 0.08), "confirmed"),
    ("equivalent", 0.1, (-0.05, 0.15), "undecided"),
    ("equivalent", 0.1, (-0.3, 0.3), "undecided"),
    ("equivalent", 0.1, (0.15, 0.3), "refuted"),
    ("equivalent", 0.1, (-0.3, -0.15), "refuted"),
    ("equivalent", 0.1, (-0.1, 0.05), "undecided"),
    ("equivalent", 0.1, (0.1, 0.3), "undecided"),
    ("greater", 0.5, (-np.inf, np.inf), "undecided"),
]


@pytest.mark.parametrize(("direction", "margin", "interval", "verdict"), TABLE)
def test_verdict_comes_from_the_interval(direction, margin, interval, verdict):
    assert claim("H1", direction, margin).verdict(*interval) == verdict


numbers = st.floats(-3, 3).map(lambda number: round(number, 2))


@given(st.sampled_from(["greater", "less", "equivalent"]), numbers, st.floats(0.01, 2), st.floats(0.001, 0.3))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_p_value_is_the_alpha_at_which_the_verdict_is_drawn(direction, value, margin, alpha):
    estimate, hypothesis = Normal(value, 0.5), claim("H1", direction, margin)
    p_value = hypothesis.p_value(estimate)
    if abs(p_value - alpha) > 1e-9:
        assert (hypothesis.verdict(*estimate.interval(1 - alpha)) != "undecided") == (p_value < alpha)


def test_holm_levels_of_an_example_by_hand():
    """Four p-values at 5 %: 0.05/4, /3 and /2 are passed, at the fourth 0.05; the order of the dictionary is no matter."""
    levels = hypotheses.holm_levels({"c": 0.02, "a": 0.005, "d": 0.04, "b": 0.01})
    assert {id: round(1 - level, 6) for id, level in levels.items()} == {
        "a": 0.0125,
        "b": 0.016667,
        "c": 0.025,
        "d": 0.05,
    }


def test_after_the_first_that_is_not_decided_the_level_stays():
    levels = hypotheses.holm_levels({"a": 0.001, "b": 0.03, "c": 0.031, "d": 0.9})
    assert {id: round(1 - level, 6) for id, level in levels.items()} == {
        "a": 0.0125, "b": 0.016667, "c": 0.016667, "d": 0.016667,
    }  # fmt: skip


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_decisions_at_the_levels_are_those_of_holms_procedure(p_values):
    named = {str(number): p_value for number, p_value in enumerate(p_values)}
    levels = hypotheses.holm_levels(named, alpha=0.05)
    rejected = {id for id in named if named[id] <= 1 - levels[id]}
    in_order, expected = sorted(named, key=named.get), set()
    for rank, id in enumerate(in_order):
        if named[id] > 0.05 / (len(named) - rank):
            break
        expected.add(id)
    close = any(abs(p_value - 0.05 / k) < 1e-9 for p_value in p_values for k in range(1, 9))
    assert close or rejected == expected


def test_judged_claims_are_recorded(context):
    claims = hypotheses.Hypotheses(context(), claim("H1.1"), claim("H1.2", "less"), claim("H1.3", "equivalent", 0.5))
    for id, value in {"H1.1": 4.0, "H1.2": 4.0, "H1.3": 0.1}.items():
        claims.measure(id, Normal(value))
    claims.judge()
    records = atomic.read_json(context().output / "hypotheses.json")
    assert {record["id"]: record["verdict"] for record in records} == {
        "H1.1": "confirmed", "H1.2": "refuted", "H1.3": "undecided",
    }  # fmt: skip
    names = {"id", "chapter", "statement", "source", "metric", "direction", "margin", "alpha", "verdict", "estimate"}
    assert set(records[0]) == names | {"p_value"} and records[0]["chapter"] == "05_test"
    assert set(records[0]["estimate"]) == {"value", "low", "high", "level", "method", "images", "groups", "seeds"}
    assert records[0]["estimate"]["level"] == pytest.approx(1 - 0.05 / 3)


def test_more_claims_need_stronger_evidence(context):
    def verdict(others: int) -> str:
        ids = [f"H{number}" for number in range(others + 1)]
        claims = hypotheses.Hypotheses(context(), *map(claim, ids))
        for id in ids:
            claims.measure(id, Normal(2.2 if id == "H0" else 0.1))
        return claims.judge().records[0]["verdict"]

    assert verdict(0) == "confirmed" and verdict(5) == "undecided"


def test_smoke_is_not_judged(context):
    claims = hypotheses.Hypotheses(context("smoke"), claim())
    claims.measure("H1", Normal(100))
    assert claims.judge().records[0]["verdict"] == "not judged (smoke)"


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_what_cannot_be_asked_is_not_applicable_and_counts_in_no_correction(context, profile):
    claims = hypotheses.Hypotheses(context(profile), claim("H1"), claim("H2", "equivalent", 0.1), claim("H3"))
    claims.measure("H1", Normal(2.2))
    claims.measure("H3", Normal(0.1))
    shown = claims.measure("H2", Inapplicable("no level < 3"))
    assert str(shown) == "H2, metric: not applicable, no level < 3" and "no level &lt; 3" in shown._repr_html_()
    verdicts = claims.judge()
    first, unasked, _ = verdicts.records
    assert unasked["verdict"] == "not applicable" and unasked["p_value"] is unasked["estimate"]["value"] is None
    assert first["estimate"]["level"] == pytest.approx(1 - 0.05 / 2)  # of two, not of three
    text = (context().output / "hypotheses.json").read_text()
    assert json.loads(text, parse_constant=lambda _: pytest.fail("no valid JSON")) == verdicts.records
    page = verdicts._repr_html_()
    assert 'verdict-not-applicable">not applicable<' in page and "no level &lt; 3" in page and "nan" not in page


def test_a_chapter_of_which_nothing_can_be_asked_is_judged_too(context):
    claims = hypotheses.Hypotheses(context(), claim("H1"))
    claims.measure("H1", Inapplicable("one class is left"))
    assert [record["verdict"] for record in claims.judge().records] == ["not applicable"]


def test_what_was_not_declared_is_refused(context):
    with pytest.raises(ValueError, match="H9 was not declared; declared are: H1"):
        hypotheses.Hypotheses(context(), claim()).measure("H9", Normal(1))


def test_measuring_twice_is_refused(context):
    claims = hypotheses.Hypotheses(context(), claim())
    assert "H1, metric: 1.000 [-0.960, 2.960] (95 % interval" in claims.measure("H1", Normal(1))._repr_html_()
    with pytest.raises(ValueError, match="H1 was measured already"):
        claims.measure("H1", Normal(2))


def test_judging_before_all_are_measured_is_refused(context):
    claims = hypotheses.Hypotheses(context(), claim("H1"), claim("H2"))
    claims.measure("H1", Normal(1))
    with pytest.raises(ValueError, match="never measured: H2"):
        claims.judge()
    assert not (context().output / "hypotheses.json").exists()


def test_declaring_an_id_twice_is_refused(context):
    with pytest.raises(ValueError, match="same id"):
        hypotheses.Hypotheses(context(), claim("H1"), claim("H1"))


def test_tables_show_claims_and_verdicts_and_escape_html(context):
    dangerous = hypotheses.Hypothesis("H1", "a < b & <script>", "AUC", "equivalent", 0.02)
    claims = hypotheses.Hypotheses(context(), dangerous, claim("H2"))
    assert "a &lt; b &amp; &lt;script&gt;" in claims._repr_html_() and "within ± 0.02" in claims._repr_html_()
    claims.measure("H1", Normal(0.0, 0.001))
    claims.measure("H2", Normal(0.1, np.inf))  # nothing is known: the limits are infinite
    page = claims.judge()._repr_html_()
    assert "<script>" not in page and "confirmed" in page and "verdict-undecided" in page
    assert "12 groups" in page and "5 seeds" in page
    assert "0.0000 [-0.0022, 0.0022]" in page and "0.100 [-∞, ∞]" in page


def test_several_are_measured_together_in_their_order(context):
    claims = hypotheses.Hypotheses(context(), claim("H1"), claim("H2"))
    shown = claims.measure_each({"H2": Normal(0.3), "H1": Inapplicable("nothing is graded")})
    assert [line.split(",")[0] for line in str(shown).splitlines()] == ["H2", "H1"]
    assert shown._repr_html_().count("<p") == 2 and set(claims.estimates) == {"H1", "H2"}
    with pytest.raises(ValueError, match="H1 was measured already"):
        claims.measure_each({"H1": Normal(0.3)})


def test_verdicts_are_counted_and_the_two_kinds_of_interval_explained(context):
    claims = hypotheses.Hypotheses(context(), *map(claim, ("H1", "H2", "H3")))
    claims.measure_each({"H1": Normal(9), "H2": Normal(0.1), "H3": Inapplicable("nothing is graded")})
    page = claims.judge()._repr_html_()
    assert "Of 3 hypotheses: 1 confirmed, 1 undecided, 1 not applicable." in page
    assert 'href="hypotheses.html"' in page and "95 %" in page


@pytest.mark.parametrize(
    ("values", "answer"), [((9, 9), "Yes. "), ((9, 0.1), "That was not shown. "), ((0.1, -9), "No. ")]
)
def test_a_question_is_answered_from_the_verdicts(context, values, answer):
    claims = hypotheses.Hypotheses(context(), claim("H1"), claim("H2"), claim("H3"))
    claims.measure_each({f"H{number}": Normal(value) for number, value in enumerate((*values, 0.0), start=1)})
    assert claims.answer("H1", "H2").text.startswith(f"{answer}A statement (H1)")


def test_the_resolution_is_half_of_the_intervals_by_metric(context):
    claims = hypotheses.Hypotheses(context(), *map(claim, ("H1", "H2", "H3")))
    wide, narrow = (seed_mean_estimate(np.array([0.0, 1.0, 2.0]) * scale) for scale in (10, 1))
    claims.measure_each({"H1": wide, "H2": narrow, "H3": Inapplicable("nothing is graded")})
    row = claims.resolution().loc["metric"]
    assert row["hypotheses"] == 2 and row["largest, among all"] == pytest.approx(wide.half_width(0.975))
    assert row["median, among all"] == pytest.approx((wide.half_width(0.975) + narrow.half_width(0.975)) / 2)
