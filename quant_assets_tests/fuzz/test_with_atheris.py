"""Coverage-guided fuzzing of what is delivered; atheris is no dependency and may be absent.

By hand, for as long as you like: `python -m quant_assets_tests.fuzz.test_with_atheris corpus/`.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from quant_assets_tests.fuzz.specimens import SPECIMENS, VENUES, swallow

SECONDS = 20


def deliver(content: bytes) -> None:
    """The first byte chooses the name, which says what the rest is to be read as."""
    names = sorted(SPECIMENS)
    if content:
        swallow(names[content[0] % len(names)], content[1:], VENUES[0])


def main() -> None:
    """Run until something but a `DataError` comes out."""
    import atheris  # type: ignore[import-not-found]

    atheris.instrument_all()
    atheris.Setup(sys.argv, deliver)
    atheris.Fuzz()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is absent: pip install atheris")
def test_nothing_but_a_data_error_comes_out(tmp_path: Path) -> None:
    for number, name in enumerate(sorted(SPECIMENS)):
        (tmp_path / name).write_bytes(bytes([number]) + SPECIMENS[name])
    arguments = [str(tmp_path), f"-max_total_time={SECONDS}", "-timeout=2", "-rss_limit_mb=500"]
    command = [sys.executable, "-m", __spec__.name, *arguments]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]


if __name__ == "__main__":
    main()
