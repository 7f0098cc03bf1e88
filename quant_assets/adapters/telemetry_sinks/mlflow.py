"""Sink `mlflow`: one MLflow run per stage instance, with its metrics and its table.

MLflow's own variables say where: MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME. Without the first,
a SQLite file in the sink's folder under the data root is used.
"""

import os
import re
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from quant_assets.adapters.telemetry_sinks.base import TelemetrySink
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import ConfigError
from quant_assets.core.spreadsheets import spreadsheet_csv

EXPERIMENT = "quant_assets"
TABLE = "telemetry.csv"
MAX_BATCH = 1000  # metrics that MLflow takes in one request
MAX_KEY = 250
_NOT_ALLOWED = re.compile(r"[^\w\- .]")


class MlflowSink(TelemetrySink):
    """Numbers become metrics `kind/scope/name` with the window as step; the table an artifact.

    A step is the window's first day as the number yyyymmdd, 0 for assets over all windows. The
    tags `quant_assets.run_id`, `.asset` and `.venue` lead back to the run and its parquet file.
    """

    name: ClassVar[str] = "mlflow"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if find_spec("mlflow") is None:
            raise ConfigError(
                "telemetry_sinks names mlflow, which is not installed: "
                'pip install "quant_assets[mlflow]", or take it out of telemetry_sinks'
            )

    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        """See the base class."""
        from mlflow.entities import Metric

        asset, venue = str(frame["asset"].iloc[0]), str(frame["venue"].iloc[0])
        tags = {"run_id": run_id, "asset": asset, "venue": venue}
        run = self._client.create_run(
            self._experiment,
            run_name=f"{asset}--{venue}",
            tags={f"{EXPERIMENT}.{key}": value for key, value in tags.items()},
        )
        now = int(utc_now().timestamp() * 1000)
        metrics = [
            Metric(
                metric_key(row["kind"], row["scope"], row["name"]),
                row["value"],
                now,
                step(row["window"]),
            )
            for row in frame[frame["text"] == ""].to_dict("records")
        ]
        for first in range(0, len(metrics), MAX_BATCH):
            self._client.log_batch(run.info.run_id, metrics[first : first + MAX_BATCH])
        self._client.log_text(run.info.run_id, spreadsheet_csv(frame), TABLE)
        self._client.set_terminated(run.info.run_id)

    @cached_property
    def _client(self) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # MLflow's own, to its makers
        from mlflow import MlflowClient

        if os.environ.get("MLFLOW_TRACKING_URI"):
            return MlflowClient()
        self.folder.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=f"sqlite:///{self.folder.absolute()}/mlflow.db")

    @cached_property
    def _experiment(self) -> str:
        """Id of the experiment; made when it is new, unless another process is quicker."""
        from mlflow.exceptions import MlflowException

        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        own = not os.environ.get("MLFLOW_TRACKING_URI")
        place = (self.folder.absolute() / "artifacts").as_uri() if own else None
        try:
            return str(self._client.create_experiment(name, artifact_location=place))
        except MlflowException:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)


def metric_key(*parts: str) -> str:
    """`parts` joined by slashes, as MLflow allows it: no other slash, no empty part, no `..`."""
    clean = (_NOT_ALLOWED.sub("_", part).strip(" .") or "_" for part in parts)
    return "/".join(clean)[:MAX_KEY]


def step(window: str) -> int:
    """First day of a window as the number yyyymmdd; 0 for `all`."""
    return 0 if window == "all" else int(window.replace("-", ""))
