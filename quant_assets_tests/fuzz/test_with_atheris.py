"""Coverage-guided fuzzing of what is delivered; atheris is no dependency and may be absent.

By hand, for as long as you like: `python -m quant_assets_tests.fuzz.test_with_atheris corpus/`.
The readers are imported late, because only what is imported under atheris is instrumented.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS = 20
MAX_MEGABYTES = 800  # of which the libraries take some 300


def main() -> None:
    """Run until something but a `DataError` comes out; the first byte chooses the file's name."""
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["quant_assets.adapters"]):
        from quant_assets.adapters.layouts.base import layouts
        from quant_assets_tests.fuzz.specimens import SPECIMENS, VENUES, swallow

        layouts()
    names = sorted(SPECIMENS)

    def deliver(content: bytes) -> None:
        if content:
            swallow(names[content[0] % len(names)], content[1:], VENUES[0])

    atheris.Setup(sys.argv, deliver)
    atheris.Fuzz()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is absent: pip install atheris")
def test_nothing_but_a_data_error_comes_out(tmp_path: Path) -> None:
    from quant_assets_tests.fuzz.specimens import SPECIMENS

    for number, name in enumerate(sorted(SPECIMENS)):
        (tmp_path / name).write_bytes(bytes([number]) + SPECIMENS[name])
    limits = [f"-max_total_time={SECONDS}", "-timeout=2", f"-rss_limit_mb={MAX_MEGABYTES}"]
    command = [sys.executable, "-m", "quant_assets_tests.fuzz.test_with_atheris", str(tmp_path)]
    ended = subprocess.run(
        [*command, *limits], check=False, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "Done" in ended.stderr


if __name__ == "__main__":
    main()
