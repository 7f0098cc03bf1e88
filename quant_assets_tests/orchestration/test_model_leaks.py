"""Plug-ins of another package that remember later data, from the lake to the checks and reports.

The tests of this file share one data root of an honest venue and one with a plant per family.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.orchestration.checks import model_leaks, trust_evaluation
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell
from quant_assets_tests.cli.program import quant_assets
from quant_assets_tests.docs.pages import REPOSITORY
from quant_assets_tests.fixtures.foreign_plug_ins import write_package
from quant_assets_tests.fixtures.venue_files import EIGHT_STOCKS

pytest.importorskip("skfolio", reason="the demo's prices come with the extra `demo`")
pytestmark = [pytest.mark.slow(seconds=60), pytest.mark.xdist_group("model_leaks")]

VENUE = """\
alpha: {{month_bars: 5, model_min_rows: 40, label_horizon_bars: 5}}
optimization:
  entrants: [{entrants}]
  selections: [{selections}]
  cost_models: [{costs}]
  max_weight: 0.4
simulation: {{fill: next_close}}
"""
HONEST = {"entrants": "equal_weight, minimum_variance", "selections": "all", "costs": "none"}
PLANTED = {
    "entrants": "equal_weight, sticky, leaning, drawn",
    "selections": "all, warm",
    "costs": "none, anchored",
}
DECISIONS = ["1990-04-01", "1990-05-01", "1990-06-01"]
SCREEN = '''
from typing import ClassVar

import numpy as np

from quant_assets.quant.discovery.base import Screen


class Hindsight(Screen):
    """The last close that was ever seen, where there is one."""

    name: ClassVar[str] = "hindsight"
    seen: ClassVar[dict] = {}

    def measure(self, inputs):
        close = inputs.close
        found = np.array([self.seen.get(symbol, 0.0) for symbol in close.symbols])
        self.seen.update(zip(close.symbols, close.values[-1], strict=True))
        return found

    def limit(self, parameters):
        return 0.0

    def accepts(self, values, limit):
        return values >= limit
'''
SIGNALS = '''
from datetime import datetime
from typing import ClassVar

import numpy as np

from quant_assets.quant.synthesis.signals.base import Signal, centred_ranks

NEWEST = {}


class Echo(Signal):
    """Ranks by the returns of the decision before, whichever that was."""

    name: ClassVar[str] = "echo"

    def score(self, inputs, telemetry):
        last = np.array([NEWEST.get(symbol, 0.0) for symbol in inputs.symbols])
        NEWEST.update(zip(inputs.symbols, np.nan_to_num(inputs.returns).sum(axis=0), strict=True))
        return centred_ranks(last)


class Dated(Signal):
    """Speaks in this century."""

    name: ClassVar[str] = "dated"

    def score(self, inputs, telemetry):
        return np.full(len(inputs.symbols), 0.5 if datetime.now().year < 2100 else np.nan)
'''
OPTIMIZERS = '''
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.base import LONG_ONLY, Optimizer, Solution
from quant_assets.quant.optimization.minimum_variance import MinimumVariance


class Sticky(Optimizer):
    """Weighs by the means of the decision before, whichever that was."""

    name: ClassVar[str] = "sticky"
    last: ClassVar[dict] = {}

    def _solve(self, problem):
        mean = problem.returns.mean(axis=0)
        before = self.last.get(len(mean), mean)
        self.last[len(mean)] = mean
        tilted = np.exp(50.0 * before)
        return Solution(tilted / tilted.sum(), "closed form", objective=0.0)


class Leaning(MinimumVariance):
    """Honest itself, with an estimator that is not."""

    name: ClassVar[str] = "leaning"

    def __init__(self, *, constraints=LONG_ONLY, covariance="remembered"):
        super().__init__(constraints=constraints, covariance=covariance)


class Drawn(Optimizer):
    """Other weights each time."""

    name: ClassVar[str] = "drawn"

    def _solve(self, problem):
        drawn = np.random.default_rng().random(problem.n_assets)
        return Solution(drawn / drawn.sum(), "closed form", objective=0.0)
'''
COVARIANCE = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import CovarianceEstimator


@dataclass(frozen=True)
class Remembered(CovarianceEstimator):
    """The mean of all that was ever estimated."""

    name: ClassVar[str] = "remembered"
    every: ClassVar[dict] = {}

    def estimate(self, rows):
        mine = self.every.setdefault(rows.shape[1], [])
        mine.append(np.cov(rows, rowvar=False))
        return np.mean(mine, axis=0)
'''
SELECTION = '''
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.selections.base import Selection, best


class Warm(Selection):
    """The half that did best before the decision before, whichever that was."""

    name: ClassVar[str] = "warm"
    last: ClassVar[list] = []

    def choose(self, offered):
        now = offered.returns.mean(axis=0)
        before = self.last[-1] if self.last and len(self.last[-1]) == len(now) else now
        self.last.append(now)
        return best(before, -(-len(now) // 2))
'''
COSTS = '''
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.cost_models.base import CostModel


class Anchored(CostModel):
    """Goes half of the way, from the mean of all that was ever held."""

    name: ClassVar[str] = "anchored"
    every: ClassVar[dict] = {}

    def aim(self, target, previous):
        held = self.every.setdefault(len(target), [])
        held.append(previous)
        return 0.5 * (np.mean(held, axis=0) + target)
'''
PACKAGE = {
    "screen": ("discovery", SCREEN),
    "signals": ("synthesis.signals", SIGNALS),
    "optimizers": ("optimization", OPTIMIZERS),
    "covariance": ("moments.covariances", COVARIANCE),
    "selection": ("optimization.selections", SELECTION),
    "costs": ("optimization.cost_models", COSTS),
}


@dataclass(frozen=True)
class Room:
    """A computed venue: its workspace, and its tear sheet."""

    workspace: Workspace
    page: str

    def leaks(self, window: str) -> pd.DataFrame:
        frame = model_leaks(self.workspace, "judged")
        return frame[frame["ts"] == pd.Timestamp(window, tz="UTC")]

    def trusted(self, asset: str, window: str) -> dg.AssetCheckResult:
        return trust_evaluation(self.workspace, asset, [f"judged|{window}"])


def computed(folder: Path, values: dict[str, str], **environment: str) -> Room:
    venues, root = folder / "venues", folder / "data"
    venues.mkdir()
    (venues / "judged.yaml").write_text(
        EIGHT_STOCKS.format(name="judged", title="Eight stocks") + VENUE.format(**values),
        encoding="utf-8",
    )
    grid = {"QUANT_ASSETS_GRID__START": "1989-10-01", "QUANT_ASSETS_GRID__END": "1990-07-01"}
    named = {"QUANT_ASSETS_VENUES_FOLDER": str(venues), "QUANT_ASSETS_VENUES": '["judged"]'}
    done = quant_assets(root, "backfill", "--venue", "judged", **grid, **named, **environment)
    assert done.code == 0, done.stdout + done.stderr
    settings = Settings(
        data_root=root,
        venues_folder=venues,
        venues=["judged"],
        grid=Grid(start=date(1989, 10, 1), end=date(1990, 7, 1)),
    )
    (page,) = (root / "reports" / "tear_sheet" / "judged").glob("*.html")
    return Room(Workspace(settings), page.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Room:
    folder = tmp_path_factory.mktemp("planted")
    site = write_package(folder / "site", PACKAGE)
    return computed(folder, PLANTED, PYTHONPATH=f"{site}:{REPOSITORY}")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return computed(tmp_path_factory.mktemp("honest"), HONEST)


def verdicts(leaks: pd.DataFrame, asset: str) -> dict[str, str]:
    mine = leaks[leaks["asset"] == asset]
    return dict(zip(mine["plug_in"], mine["verdict"], strict=True))


def test_leak_of_every_family_is_found_and_named(planted: Room):
    leaks = planted.leaks(DECISIONS[1])
    pool, signals, targets, weights = (
        verdicts(leaks, asset)
        for asset in ("candidate_pool", "alpha_signals", "target_weights", "portfolio_weights")
    )
    assert {name for name, found in pool.items() if found != "trusted"} == {"hindsight"}
    assert (signals["echo"], signals["dated"]) == ("leak", "not_deterministic")
    assert {signals[name] for name in ("rank", "mps", "model", "blend")} == {"trusted"}
    assert (targets["sticky"], targets["leaning"]) == ("leak", "leak")
    assert (targets["drawn"], targets["equal_weight"]) == ("not_deterministic", "trusted")
    assert targets["equal_weight@warm"] == "leak"
    assert weights["equal_weight+anchored"] == "leak"
    assert weights["equal_weight"] == "trusted"


def test_asset_checks_fail_where_a_plug_in_leaks_and_tell_which(planted: Room):
    for asset, name in (
        ("candidate_pool", "hindsight"),
        ("alpha_signals", "echo"),
        ("target_weights", "sticky"),
        ("portfolio_weights", "equal_weight+anchored"),
    ):
        found = planted.trusted(asset, DECISIONS[1])
        assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert found.metadata["trusted"].value is False
        assert name in str(found.metadata["not trusted"].value)
    for asset in ("universe", "correlations", "candidate_clusters", "equity", "fills"):
        assert planted.trusted(asset, DECISIONS[1]).passed


def test_window_that_is_passed_over_has_the_verdict_of_the_one_before(planted: Room):
    assert len(planted.leaks(DECISIONS[2])) == 0
    assert not planted.trusted("target_weights", DECISIONS[2]).passed
    assert planted.trusted("target_weights", "1990-03-01").metadata["windows examined"].value == 0


def test_report_says_who_is_not_trusted(planted: Room):
    assert "NOT TRUSTED" in planted.page
    for who in ("hindsight of candidate_pool", "echo of alpha_signals", "drawn of target_weights"):
        assert who in planted.page


def test_leaderboard_trusts_nobody_who_chooses_by_a_leaking_signal(planted: Room, honest: Room):
    board, fair = (
        room.workspace.store.read(Cell("tournament", "judged", "all")) for room in (planted, honest)
    )
    assert not board.loc[board["rank"] > 0, "trusted"].any()
    assert "equal_weight (not trusted)" in planted.page
    assert fair["trusted"].all()


def test_honest_venue_is_trusted_everywhere(honest: Room):
    for window in DECISIONS[:2]:
        leaks = honest.leaks(window)
        assert set(leaks["verdict"]) == {"trusted"}
        assert set(leaks["asset"]) == {
            *("universe", "candidate_pool", "alpha_signals", "candidate_clusters"),
            *("correlations", "target_weights", "portfolio_weights", "equity", "fills"),
        }
        assert all(honest.trusted(asset, window).passed for asset in set(leaks["asset"]))
    assert "NOT TRUSTED" not in honest.page


def test_checks_are_partitioned_like_the_assets():
    from quant_assets.defs.reporting import checks

    found = [one for one in vars(checks).values() if isinstance(one, dg.AssetChecksDefinition)]
    trusted = {
        k.asset_key.to_user_string() for one in found for k in one.check_keys if k.name == "trusted"
    }
    assert {"candidate_pool", "alpha_signals", "target_weights", "portfolio_weights"} <= trusted
