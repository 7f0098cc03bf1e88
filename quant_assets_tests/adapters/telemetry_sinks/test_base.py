"""Sinks by name, and what happens when one fails."""

import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.adapters.telemetry_sinks.base import (
    PACKAGE,
    TelemetrySink,
    TelemetrySinks,
    open_sinks,
)
from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.storage.paths import Cell
from quant_assets.storage.telemetry import telemetry_frame

FRAME = telemetry_frame(
    [(Cell("bars", "v", "2020-01-01"), [{"kind": "metrics", "scope": "s", "n": 1, "why": "ok"}])]
)


class Recording(TelemetrySink):
    """Keeps what it was handed."""

    name = "recording"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: list[tuple[str, pd.DataFrame]] = []

    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        self.seen.append((run_id, frame))


class Failing(Recording):
    """Raises whatever it is handed, and counts."""

    name = "failing"

    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        super().write(run_id, frame)
        raise ConnectionError("no server")


def test_every_sink_gets_run_and_frame(tmp_path: Path):
    sink = Recording(tmp_path)
    TelemetrySinks([sink]).write("r1", FRAME)
    ((run_id, frame),) = sink.seen
    assert run_id == "r1"
    assert frame["name"].tolist() == ["n", "why"]
    assert frame["value"].tolist()[0] == 1.0
    assert frame["text"].tolist() == ["", "ok"]


def test_failing_sink_is_warned_about_once_and_the_others_go_on(tmp_path: Path):
    bad, good = Failing(tmp_path), Recording(tmp_path)
    sinks = TelemetrySinks([bad, good])
    with pytest.warns(RuntimeWarning, match=r"'failing' failed.*ConnectionError: no server"):
        sinks.write("r1", FRAME)
    sinks.write("r1", FRAME)
    assert (len(bad.seen), len(good.seen)) == (1, 2)
    assert sinks.names == ["recording"]


def test_unknown_sink_lists_the_known_ones(tmp_path: Path):
    with pytest.raises(PluginError, match=r"no TelemetrySink named 'mlflov'.*known: \['mlflow'\]"):
        open_sinks(["mlflov"], tmp_path.joinpath)


def test_sink_whose_package_is_missing_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    importlib.import_module(f"{PACKAGE}.mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match=r'pip install "quant_assets\[mlflow\]"'):
        open_sinks(["mlflow"], tmp_path.joinpath)
    assert list(tmp_path.iterdir()) == []
