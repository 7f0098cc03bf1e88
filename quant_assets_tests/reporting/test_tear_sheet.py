import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from quant_assets.contracts.report_files import ReportFiles
from quant_assets.core.context import build_context
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.core.windows import Grid
from quant_assets.reporting.formats import money, percent, ratio
from quant_assets.reporting.inputs import TearSheetInputs
from quant_assets.reporting.tear_sheet import (
    TearSheetContext,
    render_tear_sheet,
    tear_sheet_window,
)
from quant_assets_tests.reporting.samples import FRAMES, random_prices, sample_frames, sample_venue

pytestmark = pytest.mark.slow

SECTIONS = [
    "summary",
    "assumptions",
    "leaderboard",
    "luck",
    "might-have-been",
    "equity",
    "monthly",
    "rolling",
    "drawdowns",
    "all-figures",
    "costs",
    "weights",
    "clusters",
    "signals",
    "entrants",
    "provenance",
]
FIGURES = ["bands", "equity", "rolling", "costs", "weights", "signals"]
VOID = {"meta", "link", "input", "br", "polyline", "rect", "hr"}
EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What a browser would see: elements, text per section, and whether tags are balanced."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.section = ""
        self.text: dict[str, str] = {}
        self.scripts: dict[str, str] = {}
        self._script: str | None = None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        assert not [name for name in known if name.startswith("on")], tag
        if "id" in known:
            self.ids.append(known["id"])
        self.links += [(tag, known[name]) for name in ("src", "href", "action") if name in known]
        if tag == "section":
            self.section = known["id"]
        if tag == "script":
            self._script = known.get("id", f"script-{len(self.scripts)}")
            self.scripts[self._script] = ""
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.stack.pop() == tag, self.getpos()
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] += data
        else:
            self.text[self.section] = f"{self.text.get(self.section, '')} {data.strip()}"


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    return {}


@pytest.fixture
def source(inputs: TearSheetInputs, shared: dict[str, Any]) -> str:
    """The complete sample page, rendered once."""
    if "source" not in shared:
        shared["source"] = render_tear_sheet(inputs)
    return str(shared["source"])


@pytest.fixture
def page(source: str, shared: dict[str, Any]) -> Page:
    if "page" not in shared:
        shared["page"] = Page(source)
    result: Page = shared["page"]
    return result


MOMENT = pd.DatetimeIndex(["2019-04-01"], tz="UTC").as_unit("us")
LEAKS = pd.DataFrame(
    {
        "ts": MOMENT,
        "available_at": MOMENT,
        "asset": "target_weights",
        "plug_in": "kelly",
        "verdict": "leak",
        "trusted": False,
        "n_values": 5,
        "changed": 2,
        "text": "2 of 5 values changed",
    }
)


def test_same_input_gives_same_bytes(inputs: TearSheetInputs, source: str) -> None:
    assert render_tear_sheet(inputs) == source


def test_rows_in_another_order_give_the_same_bytes(inputs: TearSheetInputs, source: str) -> None:
    shuffled = {
        name: getattr(inputs, name).sample(frac=1, random_state=5)
        for name in ("equity", "reference_returns")
    }
    assert render_tear_sheet(dataclasses.replace(inputs, **shuffled)) == source


def test_every_section_is_present_and_linked(page: Page) -> None:
    assert [name for name in page.ids if name in SECTIONS] == SECTIONS
    targets = [href for tag, href in page.links if tag == "a"]
    assert targets == ["#summary", *(f"#{name}" for name in SECTIONS)]
    assert not [name for name in SECTIONS if "Nothing to show" in page.text[name]]


def test_markup_is_balanced_and_ids_are_unique(page: Page) -> None:
    assert page.stack == []
    assert len(page.ids) == len(set(page.ids))


def test_figures_have_fixed_ids_and_valid_json(page: Page) -> None:
    for name in FIGURES:
        assert f"figure-{name}" in page.ids
        figure = json.loads(page.scripts[f"figure-{name}-data"])
        assert figure["data"], name


def test_nothing_is_fetched(source: str, page: Page) -> None:
    assert [link for _, link in page.links if not link.startswith("#")] == ["data:,"]
    assert source.count("plotly.js v") == 1
    scripts = [text for name, text in page.scripts.items() if name.startswith("script-")]
    outside = source
    for text in scripts:
        outside = outside.replace(text, "")
    assert "http" not in outside.replace("http-equiv", "")


def test_policy_names_the_hashes_of_the_page_scripts(source: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', source)
    assert policy is not None
    for text in re.findall(r"<script>(.*?)</script>", source, re.DOTALL):
        digest = hashlib.sha256(text.encode()).digest()
        assert __import__("base64").b64encode(digest).decode() in policy[1]


def test_headline_numbers_equal_the_tournament(inputs: TearSheetInputs, page: Page) -> None:
    entry = inputs.tournament.set_index("entrant").loc["champion"]
    benchmark = inputs.tournament.set_index("entrant").loc["benchmark"]
    summary = page.text["summary"]
    for text in (
        percent(entry["cagr_net"], 2),
        percent(entry["annual_volatility"], 2),
        ratio(entry["sharpe_ratio"]),
        percent(entry["max_drawdown"]),
        percent(entry["annual_turnover"], 0),
        money(entry["costs"], "USD"),
        percent(benchmark["cagr_net"], 2),
        "252 bars / yr",
    ):
        assert text in summary, text


def test_leaderboard_has_every_entrant_and_the_stamps_come_before(
    inputs: TearSheetInputs, source: str, page: Page
) -> None:
    for name in inputs.tournament["entrant"]:
        assert f" {name} " in page.text["leaderboard"]
    assert "SURVIVORS ONLY:" in page.text["assumptions"]
    assert "is shown but not ranked" in page.text["leaderboard"]
    assert source.index('id="assumptions"') < source.index('id="leaderboard"')


def test_provenance_shows_whole_hashes(page: Page) -> None:
    for digest in ("ab" * 32, "cd" * 32, "ef" * 32):
        assert digest in page.text["provenance"]


def test_markup_in_names_is_text(inputs: TearSheetInputs, page: Page) -> None:
    frames = {
        name: getattr(inputs, name).replace({"S0": EVIL, "hrp": EVIL})
        for name in FRAMES
        if name != "reference_returns"
    }
    venue = sample_venue(title=EVIL, description=EVIL)
    hostile = dataclasses.replace(inputs, venue=venue, stamps=(f"BAD: {EVIL}",), **frames)
    result = Page(render_tear_sheet(hostile))
    assert set(result.scripts) == set(page.scripts)
    assert EVIL in result.text["assumptions"]
    assert EVIL in result.text["leaderboard"]
    assert EVIL in result.text["clusters"]
    names = {trace["name"] for trace in json.loads(result.scripts["figure-weights-data"])["data"]}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in names


def test_empty_inputs_render_a_page_that_says_what_is_missing() -> None:
    page = Page(render_tear_sheet(TearSheetInputs(venue=sample_venue(), mode="independent")))
    assert [name for name in page.ids if name in SECTIONS] == SECTIONS
    missing = [name for name in SECTIONS if "Nothing to show" in page.text[name]]
    assert missing == [name for name in SECTIONS if name != "assumptions"]
    assert "tournament has no rows yet" in page.text["leaderboard"]
    assert page.stack == []


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_any_single_missing_frame_still_renders(inputs: TearSheetInputs, name: str) -> None:
    page = Page(render_tear_sheet(dataclasses.replace(inputs, **{name: FRAMES[name].empty()})))
    assert page.stack == []
    assert [key for key in page.ids if key in SECTIONS] == SECTIONS


def test_only_one_frame_still_renders(inputs: TearSheetInputs) -> None:
    for name in FRAMES:
        alone = TearSheetInputs(venue=inputs.venue, mode="carry", **{name: getattr(inputs, name)})
        assert Page(render_tear_sheet(alone)).stack == []


def test_short_history_says_that_the_rolling_window_is_too_long(inputs: TearSheetInputs) -> None:
    venue = sample_venue(reporting={"rolling_bars": 5000})
    page = Page(render_tear_sheet(dataclasses.replace(inputs, venue=venue)))
    assert "Fewer than 5,000 bars" in page.text["rolling"]
    assert "figure-rolling" not in page.ids


def test_without_champion_the_best_ranked_entrant_is_shown(inputs: TearSheetInputs) -> None:
    frames = {}
    for name in ("equity", "window_metrics", "portfolio_weights", "tournament"):
        frame = getattr(inputs, name)
        frames[name] = frame.loc[frame["entrant"] != "champion"].reset_index(drop=True)
    page = Page(render_tear_sheet(dataclasses.replace(inputs, **frames)))
    ranked = frames["tournament"]
    best = ranked.loc[ranked["rank"] > 0, "entrant"].iloc[0]
    assert f"shown in detail: {best}" in page.text[""]
    assert f"Hardened weights of {best}" in page.text["weights"]


def _context(**changes: object) -> TearSheetContext:
    window = Grid().window("2019-04-01")
    context = build_context(TearSheetContext, sample_venue(**changes), window, mode="carry")
    assert isinstance(context, TearSheetContext)
    return context.model_copy(update={"inputs": {"equity": "ab" * 32, "tournament": "cd" * 32}})


def test_stage_returns_report_files_and_bytes(frames: dict[str, pd.DataFrame]) -> None:
    telemetry = RecordingTelemetry()
    files, contents = tear_sheet_window(_context(), telemetry, **frames, model_leaks=LEAKS)
    ReportFiles.check_frame(files, where="tear_sheet")
    assert files["file"].tolist() == list(contents) == ["tear_sheet.html"]
    content = contents["tear_sheet.html"]
    assert files["sha256"].item() == hashlib.sha256(content).hexdigest()
    assert files["size"].item() == len(content)
    assert telemetry.rows[0]["bytes"] == len(content)


def test_stage_shows_title_limits_stamps_and_input_digests(
    frames: dict[str, pd.DataFrame],
) -> None:
    context = _context(optimization={"max_weight": 0.33})
    _, contents = tear_sheet_window(context, NullTelemetry(), **frames, model_leaks=LEAKS)
    page = Page(contents["tear_sheet.html"].decode())
    assert "S&P 500, twenty survivors" in page.text[""]
    assert "NOT TRUSTED: kelly of target_weights" in page.text[""] + page.text["assumptions"]
    assert "0% to 33% a name" in page.text["assumptions"]
    assert "SURVIVORS ONLY:" in page.text["assumptions"]
    assert f"{len(frames['equity']):,}" in page.text["provenance"]
    assert "cd" * 32 in page.text["provenance"]


@pytest.mark.slow
def test_ten_years_stay_below_twelve_megabytes() -> None:
    prices = random_prices(n_bars=2520, n_symbols=20)
    names = dict.fromkeys([f"entrant_{number}" for number in range(8)], -1.0)
    inputs = TearSheetInputs(venue=sample_venue(), mode="carry", **sample_frames(prices, names))
    assert len(render_tear_sheet(inputs).encode()) < 6_500_000


@pytest.mark.slow
def test_hash_seed_and_process_do_not_change_the_bytes() -> None:
    program = (
        "import hashlib\n"
        "from quant_assets_tests.reporting.samples import *\n"
        "from quant_assets.reporting.tear_sheet import TearSheetInputs, render_tear_sheet\n"
        "frames = sample_frames(random_prices(), {'a': -1.0, 'b': 0.0})\n"
        "page = render_tear_sheet(TearSheetInputs(venue=sample_venue(), mode='carry', **frames))\n"
        "print(hashlib.sha256(page.encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
