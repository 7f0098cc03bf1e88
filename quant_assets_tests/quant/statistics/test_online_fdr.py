import json
from math import exp, log, sqrt

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics import online_fdr
from quant_assets.quant.statistics.online_fdr import AlphaInvesting, LordPlusPlus, Saffron

pytestmark = pytest.mark.slow

NAN = np.nan
PROCEDURES = [LordPlusPlus, Saffron, AlphaInvesting]
each = pytest.mark.parametrize("procedure", PROCEDURES)


def _stream(seed, n=150):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    signal = rng.random(n) < 0.2
    return np.where(signal, p**8, p)


def _lord(p, q):
    """LORD++ from its definition, all rejections summed anew at every step."""

    def g(j):
        return 0.07720838 * log(max(j, 2)) / (j * exp(sqrt(log(j))))

    w0, taus, levels = q / 10, [], []
    for t, value in enumerate(p, start=1):
        level = w0 * g(t)
        level += (q - w0) * g(t - taus[0]) if taus else 0.0
        level += q * sum(g(t - tau) for tau in taus[1:])
        levels.append(level)
        if value <= level:
            taus.append(t)
    return levels, taus


def _saffron(p, q):
    """SAFFRON from its definition, candidates counted anew at every step."""

    def g(j):
        return 0.4374901658 * j**-1.6

    w0, taus, levels = q / 2, [], []
    for t, value in enumerate(p, start=1):

        def since(tau, t=t):
            return t - tau - sum(x <= 0.5 for x in p[tau : t - 1])

        level = w0 * g(since(0))
        level += (q - w0) * g(since(taus[0])) if taus else 0.0
        level += q * sum(g(since(tau)) for tau in taus[1:])
        levels.append(min(0.5, 0.5 * level))
        if value <= levels[-1]:
            taus.append(t)
    return levels, taus


def _investing(p, q):
    wealth, last, levels, taus = q * (1 - q), 0, [], []
    for t, value in enumerate(p, start=1):
        stake = wealth / (1 + t - last)
        levels.append(stake / (1 + stake))
        # what is lost is level / (1 - level), as in the paper
        if value <= levels[-1]:
            wealth, last = wealth + q, t
            taus.append(t)
        else:
            wealth -= levels[-1] / (1 - levels[-1])
    return levels, taus


@pytest.mark.parametrize(
    ("procedure", "definition"),
    [(LordPlusPlus, _lord), (Saffron, _saffron), (AlphaInvesting, _investing)],
)
@pytest.mark.parametrize("seed", range(3))
def test_stream_equals_its_definition(procedure, definition, seed):
    p = _stream(seed, 80)
    levels, taus = definition(p, 0.1)
    stream = procedure(fdr=0.1)
    decisions = [stream.test(value) for value in p]
    np.testing.assert_allclose([d.level for d in decisions], levels, rtol=1e-12)
    assert stream.rejections == taus
    assert len(taus) > 1
    assert [d.index for d in decisions] == list(range(1, len(p) + 1))


def test_spending_sequences_sum_to_at_most_one():
    n = 20_000
    j = np.arange(1.0, n + 1)
    lord, saffron = online_fdr._lord_gamma(j).sum(), online_fdr._saffron_gamma(j).sum()
    # What is left, as integrals: of s exp(-sqrt(s)) with s = log j, and of j^-1.6.
    root = sqrt(log(n))
    lord += 0.07720838 * 2 * exp(-root) * (root**3 + 3 * root**2 + 6 * root + 6)
    saffron += 0.4374901658 * n**-0.6 / 0.6
    assert lord == pytest.approx(0.9763, abs=1e-4)
    assert saffron == pytest.approx(1.0, abs=1e-4)


@each
def test_stream_goes_on_from_its_saved_state_as_if_never_interrupted(procedure):
    p = _stream(7)
    whole = procedure(fdr=0.1)
    whole.test_all(p)
    first = procedure(fdr=0.1)
    first.test_all(p[:60])
    second = procedure.restore(json.loads(json.dumps(first.state())))
    second.test_all(p[60:])
    assert second.state() == whole.state()
    assert second.level == whole.level


@each
def test_saved_state_does_not_change_with_the_stream(procedure):
    stream = procedure(fdr=0.1)
    before = stream.state()
    stream.test(0.0)
    assert before == procedure(fdr=0.1).state()


@each
def test_nan_is_counted_and_moves_nothing(procedure):
    with_gaps, without = procedure(fdr=0.1), procedure(fdr=0.1)
    p = _stream(1, 40)
    without.test_all(p)
    decisions = [with_gaps.test(value) for value in np.insert(p, [3, 9, 20], NAN)]
    assert with_gaps.n_excluded == 3
    assert with_gaps.level == without.level
    assert with_gaps.rejections == without.rejections
    assert [d.rejected for d in decisions if d.index == 0] == [False] * 3


@each
def test_stream_with_an_impossible_p_value_tests_none_of_them(procedure):
    stream = procedure(fdr=0.1)
    with pytest.raises(DataError, match="position 1"):
        stream.test_all([0.0, 1.5])
    assert stream.index == 0


def test_restore_of_another_procedures_state_is_refused():
    with pytest.raises(DataError, match="saffron"):
        LordPlusPlus.restore(Saffron(fdr=0.1).state())
    state = Saffron(fdr=0.1).state()
    del state["candidates"]
    with pytest.raises(DataError, match="does not belong"):
        Saffron.restore(state)


@pytest.mark.parametrize("wealth", [0.0, 0.1, 0.5])
def test_initial_wealth_outside_the_rate_is_refused(wealth):
    with pytest.raises(ConfigError, match="initial_wealth"):
        LordPlusPlus(fdr=0.1, initial_wealth=wealth)
    assert Saffron(fdr=0.1, initial_wealth=0.02).initial_wealth == 0.02


@each
def test_a_later_p_value_changes_no_earlier_decision(procedure):
    p = _stream(3)
    short = procedure(fdr=0.1).test_all(p[:50])
    np.testing.assert_array_equal(procedure(fdr=0.1).test_all(p)[:50], short)


@each
def test_stream_never_runs_out_however_rich_it_was(procedure):
    stream = procedure(fdr=0.1)
    stream.test_all(np.zeros(200))
    stream.test_all(np.ones(500))
    assert 0.0 < stream.level < 0.1
