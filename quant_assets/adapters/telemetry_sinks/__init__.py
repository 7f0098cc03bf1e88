"""Extra telemetry sinks: one file each, found by walking; `base.TelemetrySink` says what to do."""
