"""Writes the `__init__.pyi` of packages that import lazily.

    python -m quant_assets_tests.core.stubs

A type checker does not run `__getattr__`: the stub tells it which modules have the public names.
"""

import importlib
from pathlib import Path

from quant_assets.core.lazy import public_names

CHECKOUT = Path(__file__).parents[2]
DOOR = "= attach(__name__)"


def lazy_packages() -> dict[str, Path]:
    """Name and folder of every package whose `__init__.py` attaches its names."""
    doors = sorted((CHECKOUT / "quant_assets").rglob("__init__.py"))
    folders = [door.parent for door in doors if DOOR in door.read_text(encoding="utf-8")]
    return {".".join(folder.relative_to(CHECKOUT).parts): folder for folder in folders}


def stub(package: str) -> str:
    """Text of the stub: what each module states in its `__all__` is a name of the package."""
    importlib.import_module(package)
    homes = sorted(set(public_names(package).values()))
    return "".join(f"from {home} import *\n" for home in homes)


def main() -> None:
    for package, folder in lazy_packages().items():
        (folder / "__init__.pyi").write_text(stub(package), encoding="utf-8")


if __name__ == "__main__":
    main()
