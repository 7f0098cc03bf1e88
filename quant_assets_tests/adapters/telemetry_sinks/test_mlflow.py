"""The MLflow sink against a real MLflow with a SQLite store in a temporary folder."""

import io
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.adapters.telemetry_sinks.mlflow import TABLE, MlflowSink, metric_key, step
from quant_assets.storage.paths import Cell
from quant_assets.storage.telemetry import telemetry_frame

NEEDS_MLFLOW = pytest.mark.skipif(
    find_spec("mlflow") is None,
    reason='the extra is absent: pip install "quant_assets[mlflow]"',
)
FRAME = telemetry_frame(
    [
        (
            Cell("target_weights", "v", window),
            [{"kind": "solver", "scope": "min/variance", "residual": value, "status": "optimal"}],
        )
        for window, value in [("2020-01-01", 0.5), ("2020-02-01", 0.25)]
    ]
)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("metrics", "bars", "rows"), "metrics/bars/rows"),
        (("metrics", "a/b", "x%"), "metrics/a_b/x_"),
        (("metrics", "..", ""), "metrics/_/_"),
        (("metrics", "s", "x" * 300), f"metrics/s/{'x' * 240}"),
    ],
)
def test_metric_key_is_one_that_mlflow_takes(parts: tuple[str, ...], key: str):
    assert metric_key(*parts) == key


def test_step_is_the_windows_first_day():
    assert (step("1991-03-01"), step("all")) == (19910301, 0)


@NEEDS_MLFLOW
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's own imports and tables
@pytest.mark.parametrize("where", ["own folder", "tracking server"])
def test_stage_instance_becomes_a_run_with_metrics_tags_and_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    uri = f"sqlite:///{tmp_path}/sink/mlflow.db"
    if where == "tracking server":
        uri = f"sqlite:///{tmp_path}/other.db"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for run_id in ("r1", "r2"):
        MlflowSink(tmp_path / "sink").write(run_id, FRAME)

    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("quant_assets")
    runs = client.search_runs(
        [experiment.experiment_id], filter_string="tags.`quant_assets.run_id` = 'r1'"
    )
    (run,) = runs
    assert run.info.run_name == "target_weights--v"
    assert run.info.status == "FINISHED"
    assert run.data.tags["quant_assets.asset"] == "target_weights"
    history = client.get_metric_history(run.info.run_id, "solver/min_variance/residual")
    assert [(m.step, m.value) for m in history] == [(20200101, 0.5), (20200201, 0.25)]
    assert set(run.data.metrics) == {"solver/min_variance/residual"}
    path = Path(client.download_artifacts(run.info.run_id, TABLE, str(tmp_path)))
    table = pd.read_csv(io.StringIO(path.read_text()), keep_default_na=False)
    assert table["text"].tolist() == FRAME["text"].tolist()
    if where == "own folder":
        assert {entry.name for entry in (tmp_path / "sink").iterdir()} == {"mlflow.db", "artifacts"}
        assert not (tmp_path / "mlruns").exists()
