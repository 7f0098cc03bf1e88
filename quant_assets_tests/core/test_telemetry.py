import pytest

from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry, Telemetry


class Half:
    """Lacks two of the three methods."""

    def log_metrics(self, scope, metrics):
        """Do nothing."""


@pytest.mark.parametrize("sink", [NullTelemetry(), RecordingTelemetry()])
def test_sinks_implement_the_protocol(sink):
    assert isinstance(sink, Telemetry)


def test_protocol_is_not_satisfied_by_a_part_of_it():
    assert not isinstance(Half(), Telemetry)


def test_recording_telemetry_keeps_rows_in_call_order():
    sink = RecordingTelemetry()
    sink.log_solver_diagnostics("min_variance", {"status": "optimal", "iterations": 9})
    sink.log_metrics("window", {"seconds": 0.5})
    sink.log_feature_importance("ridge", {"momentum": 0.7, "trend": 0.3})
    assert sink.rows == [
        {"kind": "solver", "scope": "min_variance", "status": "optimal", "iterations": 9},
        {"kind": "metrics", "scope": "window", "seconds": 0.5},
        {"kind": "feature_importance", "scope": "ridge", "momentum": 0.7, "trend": 0.3},
    ]


def test_recording_telemetry_rows_do_not_follow_later_changes():
    sink, metrics = RecordingTelemetry(), {"x": 1.0}
    sink.log_metrics("a", metrics)
    metrics["x"] = 2.0
    assert sink.rows[0]["x"] == 1.0


def test_recording_telemetry_sinks_do_not_share_rows():
    one = RecordingTelemetry()
    one.log_metrics("a", {"x": 1.0})
    assert RecordingTelemetry().rows == []


def test_null_telemetry_discards_everything():
    sink = NullTelemetry()
    sink.log_metrics("a", {"x": 1.0})
    sink.log_solver_diagnostics("a", {})
    sink.log_feature_importance("a", {})
    assert vars(sink) == {}
