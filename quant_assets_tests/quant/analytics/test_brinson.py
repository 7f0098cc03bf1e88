"""Attribution by group: by hand, by its identities, and at the edges."""

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.brinson import brinson_fachler

GROUPS = ["tech", "tech", "bank", "oil"]


def effects(found, group):
    return found.linked.loc[group, ["allocation", "selection", "interaction"]].tolist()


def test_two_groups_by_hand():
    # equity 70 / 60 %: returns 10.0 / 8.0 %; bonds 30 / 40 %: returns 1.0 / 2.0 %; benchmark 5.6 %
    # each group by two instruments, so that both sides have their own return in it
    returns = np.array([[0.10, 0.08, 0.01, 0.02]])
    own, theirs = np.array([[0.7, 0.0, 0.3, 0.0]]), np.array([[0.0, 0.6, 0.0, 0.4]])
    found = brinson_fachler(own, theirs, returns, ["equity", "equity", "bonds", "bonds"])
    assert found.benchmark[0] == pytest.approx(0.056)
    assert found.portfolio[0] == pytest.approx(0.073)
    assert effects(found, "equity") == pytest.approx([0.1 * 0.024, 0.6 * 0.02, 0.1 * 0.02])
    assert effects(found, "bonds") == pytest.approx([-0.1 * -0.036, 0.4 * -0.01, -0.1 * -0.01])
    assert effects(found, "cash") == pytest.approx([0.0, 0.0, 0.0], abs=1e-16)
    assert found.linked["total"].sum() == pytest.approx(0.017, abs=1e-15)


def sample(seed, n=40, short=False):
    rng = np.random.default_rng(seed)
    own, theirs = rng.dirichlet(np.ones(5), n)[:, :4], rng.dirichlet(np.ones(5), n)[:, :4]
    own[rng.random((n, 4)) < 0.3] = 0.0
    theirs[rng.random((n, 4)) < 0.3] = 0.0
    if short:
        own = own * rng.choice([-1.0, 1.0], own.shape)
    return own, theirs, rng.normal(1e-3, 0.03, (n, 4))


@pytest.mark.parametrize("link", ["carino", "menchero"])
@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_effects_sum_to_the_active_return(seed, short, link):
    own, theirs, returns = sample(seed, short=short)
    found = brinson_fachler(own, theirs, returns, GROUPS, cash_return=1e-4, link=link)
    p = (own * returns).sum(1) + (1 - own.sum(1)) * 1e-4
    b = (theirs * returns).sum(1) + (1 - theirs.sum(1)) * 1e-4
    np.testing.assert_allclose(found.per_period.sum(axis=(1, 2)), p - b, atol=1e-15)
    assert found.active_return == pytest.approx(np.prod(1 + p) - np.prod(1 + b), abs=1e-13)
    assert found.linked["total"].sum() == pytest.approx(found.active_return, abs=1e-12)
    assert found.linked.index.tolist() == ["bank", "oil", "tech", "cash"]


def test_interaction_is_the_product_of_both_differences():
    own, theirs, returns = (np.abs(part) + 0.01 for part in sample(1))
    own, theirs = own / own.sum(1, keepdims=True), theirs / theirs.sum(1, keepdims=True)
    found = brinson_fachler(own, theirs, returns, GROUPS)
    tech = slice(0, 2)
    w_p, w_b = own[:, tech].sum(1), theirs[:, tech].sum(1)
    r_p = (own * returns)[:, tech].sum(1) / w_p
    r_b = (theirs * returns)[:, tech].sum(1) / w_b
    expected = np.stack(
        [
            (w_p - w_b) * (r_b - (theirs * returns).sum(1)),
            w_b * (r_p - r_b),
            (w_p - w_b) * (r_p - r_b),
        ]
    )
    np.testing.assert_allclose(found.per_period[:, 2].T, expected, atol=1e-15)


def test_a_group_that_only_one_side_holds_is_an_allocation():
    returns = np.array([[0.10, 0.02]])
    bought = brinson_fachler([[0.5, 0.5]], [[0.0, 1.0]], returns, ["new", "old"])
    assert effects(bought, "new") == pytest.approx([0.5 * 0.08, 0.0, 0.0])
    sold = brinson_fachler([[0.0, 1.0]], [[0.5, 0.5]], returns, ["new", "old"])
    assert effects(sold, "new") == pytest.approx([-0.5 * 0.04, 0.0, 0.0])


def test_a_long_short_group_without_net_weight_is_interaction():
    returns = np.array([[0.10, 0.02, 0.03]])
    found = brinson_fachler(
        [[0.5, -0.5, 1.0]], [[0.0, 0.0, 1.0]], returns, ["pair", "pair", "rest"]
    )
    assert effects(found, "pair") == pytest.approx([0.0, 0.0, 0.04])


def test_the_benchmark_itself_has_no_effects():
    own, _, returns = sample(4)
    found = brinson_fachler(own, own, returns, GROUPS)
    assert found.active_return == 0.0
    assert np.abs(found.per_period).max() < 1e-16


def test_permuted_instruments_change_nothing():
    own, theirs, returns = sample(2)
    order = [3, 1, 0, 2]
    whole = brinson_fachler(own, theirs, returns, GROUPS).linked
    found = brinson_fachler(
        own[:, order], theirs[:, order], returns[:, order], [GROUPS[k] for k in order]
    ).linked
    np.testing.assert_allclose(found, whole, atol=1e-15)


def test_groups_must_name_every_symbol_and_leave_cash_alone():
    own, theirs, returns = sample(0)
    with pytest.raises(DataError, match=r"groups must name each of 4 symbols.*found 2"):
        brinson_fachler(own, theirs, returns, ["a", "b"])
    with pytest.raises(DataError, match="none may be 'cash'"):
        brinson_fachler(own, theirs, returns, ["a", "b", "cash", "d"])
