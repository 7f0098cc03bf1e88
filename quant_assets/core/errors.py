"""The one error tree; each branch says what the caller can do next.

QuantAssetsError
├── DataError          fix the input
│   └── ContractError      a frame broke its contract at a handoff
├── ConfigError        fix the settings
│   └── PluginError        fix or remove the named plug-in file
├── SolverError        change the problem
├── LookAheadError     fix the code
└── StorageError       look after the data root
├── IntegrityError     stored bytes are not what the manifest says
├── MissingCellError   materialize the named cell first
└── CellLockedError    another process writes the same cells
"""

from quant_assets.core.redaction import redact


class QuantAssetsError(Exception):
    """Base of every error that the package raises on purpose; its text shows no secret."""

    def __str__(self) -> str:
        """The message without passwords and keys, wherever it is shown."""
        return redact(super().__str__())


class DataError(QuantAssetsError):
    """The input data are wrong; the message names source, row and column."""


class ContractError(DataError):
    """A frame does not satisfy the pandera contract of its handoff."""


class ConfigError(QuantAssetsError):
    """A setting, a venue file or a command-line value is wrong."""


class PluginError(ConfigError):
    """A plug-in cannot be loaded; the message names file, line and cause."""


class SolverError(QuantAssetsError):
    """An optimization problem has no (acceptable) solution; the conflict is named."""


class LookAheadError(QuantAssetsError):
    """Code tried to read data that was not known at its decision time."""


class StorageError(QuantAssetsError):
    """The data root cannot be read or written as expected."""


class IntegrityError(StorageError):
    """Stored bytes and manifest disagree."""


class MissingCellError(StorageError):
    """A cell that must exist has not been materialized."""


class CellLockedError(StorageError):
    """Another living process is writing the same cells."""
