"""What a mistaken command says: what was found, what there is, what to do; and its exit code."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from quant_assets.cli.main import _exit_code, cli
from quant_assets.core.errors import QuantAssetsError
from quant_assets_tests.cli.strategies.files import IDEA, write_bars, write_idea

pytestmark = pytest.mark.slow

BARS = ("--bars", "bars.csv")
MISTAKES = [
    (("bakctest",), 2, "Did you mean 'backtest'?"),
    (("nothing-like-it",), 2, "There are audit, backtest, "),
    (("backtest",), 2, "Missing argument 'STRATEGY'"),
    (("backtest", "rsi2_reversion"), 2, "give --venue NAME, or --bars FILE"),
    (("backtest", "rsi2_reverson", *BARS), 2, "did you mean 'rsi2_reversion'?"),
    (("backtest", "zzz", *BARS), 2, "`quant-assets strategy list` names them"),
    (("backtest", "idea", *BARS), 2, "did you mean 'idea.yaml'?"),
    (("backtest", "idae.yaml", *BARS), 2, "there is no such file; did you mean idea.yaml?"),
    (("backtest", "typo.yaml", *BARS), 2, "typo.yaml:8: "),
    (("backtest", "rsi2_reversion", "--venue", "sp500_dmo"), 2, "did you mean 'sp500_demo'?"),
    (
        ("backtest", "rsi2_reversion", "--venue", "sp500_demo"),
        3,
        "quant-assets backfill --venue sp500_demo --assets sessions,raw_bars,bars",
    ),
    (("backtest", "rsi2_reversion", "--bars", "none.csv"), 3, "there is no such file"),
    (("backtest", "rsi2_reversion", "--bars", "."), 3, "is a folder"),
    (("backtest", "rsi2_reversion", "--bars", "idea.yaml"), 3, "no known layout"),
    (("backtest", "idea.yaml", *BARS, "--symbols", "AAB"), 3, "did you mean 'AAA'?"),
    (("backtest", "idea.yaml", *BARS, "--symbols", ","), 2, "names no symbol"),
    (("backtest", "idea.yaml", *BARS, "--start", "2022-13-01"), 2, "write YYYY-MM-DD"),
    (
        ("backtest", "idea.yaml", *BARS, "--start", "2022-03-01", "--end", "2022-02-01"),
        2,
        "the first day 2022-03-01 is after the last one",
    ),
    (
        ("backtest", "idea.yaml", *BARS, "--start", "2030-01-01"),
        3,
        "it has 2022-01-03 to 2022-10-29",
    ),
    (("backtest", "rsi2_reversion", *BARS, "--set", "entyr=5"), 2, "did you mean 'entry'?"),
    (("backtest", "rsi2_reversion", *BARS, "--set", "entry"), 2, "write KEY=VALUE"),
    (("backtest", "rsi2_reversion", *BARS, "--set", "entry=abc"), 2, "it must be a number"),
    (("backtest", "idea.yaml", *BARS, "--set", "components.x=1"), 2, "components"),
    (("backtest", "idea.yaml", *BARS, "--execution", "best"), 2, "is not one of 'optimistic'"),
    (("backtest", "idea.yaml", *BARS, "--bar-length", "5x"), 2, "write for example 90s, 5m"),
    (
        ("backtest", "rsi2_reversion", *BARS, "--bar-length", "1h"),
        3,
        "bars of 1h are wanted and these have 1d",
    ),
    (("backtest", "idea.yaml", *BARS, "--capital", "0"), 2, "is not in the range"),
    (("backtest", "idea.yaml", *BARS, "--benchmark", "AAB"), 2, "did you mean 'AAA'?"),
    (("backtest", "idea.yaml", *BARS, "--hold-out", "600"), 3, "sealed months leave"),
    (("backtest", "funding_carry", *BARS), 3, "the bars have no 'funding_rate'"),
    (("sweep", "rsi2_reversion", *BARS), 2, "Missing option '--try'"),
    (("sweep", "rsi2_reversion", *BARS, "--try", "entry="), 2, "write KEY=5,10,20"),
    (("sweep", "rsi2_reversion", *BARS, "--try", "entry=5:50"), 2, "give a step"),
    (
        ("sweep", "rsi2_reversion", *BARS, "--try", "entry=5,10", "--objective", "sharp"),
        2,
        "did you mean 'sharpe'?",
    ),
    (
        (
            "walk-forward",
            "rsi2_reversion",
            *BARS,
            "--try",
            "entry=5,9",
            "--train",
            "900",
            "--test",
            "9",
        ),
        3,
        "load more history or shorten them",
    ),
    (("compare",), 2, "Missing argument 'RUNS...'"),
    (("compare", "nix"), 3, "quant-assets strategy backtest` makes"),
    (("report", "nix"), 3, "no stored run 'nix'"),
    (("costs", "idea.yaml", *BARS, "--fees", "a"), 2, "as in --fees 0,1,2"),
    (("capacity", "idea.yaml", *BARS, "--smallest", "9", "--largest", "5"), 2, "and grow"),
    (("vault", "idea.yaml", *BARS, "--months", "3", "--look", ""), 2, "a reason in words"),
    (("diff", "idea.yaml", *BARS), 2, "say what the second one changes"),
    (("new", "bad name"), 2, "use small letters"),
    (("new", "rsi2_reversion"), 2, "is a strategy of the library"),
    (("list", "--nix"), 2, "No such option '--nix'"),
]


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with bars, a strategy and one with a typo; nothing is stored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(tmp_path / "data"))
    write_bars(tmp_path)
    write_idea(tmp_path)
    typo = IDEA.replace("fast: 3, slow: 10", "fsat: 3, slow: 10", 1)
    (tmp_path / "typo.yaml").write_text(typo, encoding="utf-8")


@pytest.mark.parametrize(("words", "code", "said"), MISTAKES)
def test_mistake_is_told_with_what_to_do(words: tuple[str, ...], code: int, said: str):
    result = CliRunner().invoke(cli, ["strategy", *words])
    error = result.exception
    if isinstance(error, QuantAssetsError):
        assert (_exit_code(error), said in str(error)) == (code, True), error
    else:
        assert isinstance(error, SystemExit), error
        assert (result.exit_code, said in result.output) == (code, True), result.output


def test_optuna_searches_at_the_terminal_or_says_what_to_install():
    words = (
        "sweep", "donchian_breakout", *BARS, "--symbols", "AAA", "--try", "entry=10:60:5",
        "--try", "leave=5:30:5", "--search", "optuna", "--trials", "12", "--seed", "3",
    )  # fmt: skip
    first = CliRunner().invoke(cli, ["strategy", *words])
    try:
        import optuna  # noqa: F401
    except ImportError:
        assert "pip install 'quant-assets[tune]'" in str(first.exception)
        pytest.skip("the extra `tune` (Optuna) is not installed")
    assert "of 12 trials" in first.output
    again = CliRunner().invoke(cli, ["strategy", *words])
    assert "12 of 12 trials were known already" in again.output
