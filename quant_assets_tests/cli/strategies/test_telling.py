"""Progress in words, where no terminal shows a bar."""

import pytest

from quant_assets.cli.strategies import telling as module
from quant_assets.cli.strategies.telling import telling, telling_late


def test_every_five_per_cent_has_a_line(capsys: pytest.CaptureFixture[str]):
    with telling("trials") as moved:
        for finished in range(1, 201):
            moved(finished, 200)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert (lines[0], lines[-1]) == ("10 of 200 trials, 5 %", "200 of 200 trials, 100 %")


def test_short_work_is_silent(capsys: pytest.CaptureFixture[str]):
    with telling_late("bars") as moved:
        moved(0.5)
        moved(1.0)
    assert capsys.readouterr().err == ""


def test_long_work_tells_the_share(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.0)
    with telling_late("bars") as moved:
        moved(0.35)
        moved(0.36)
        moved(1.0)
    assert capsys.readouterr().err.splitlines() == ["35 % of the bars", "100 % of the bars"]
