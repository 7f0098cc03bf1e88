"""Every code block of README and docs runs.

- `python`: in order, in one namespace per page; a `text` block right after one is what it prints.
- `bash`, `console`: `quant-assets` commands run on a three-window demo; output that a console block
  shows must appear, `…` standing for anything; `echo $?` shows an exit code other than 0. Commands
  that start servers or compute for minutes are parsed only; `make` targets must exist.
- `yaml`: loads as a venue, as a strategy, or as settings, through the real loader.
- `text`, `json`, `mermaid`: shown, not run. Any other language fails.
"""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets.adapters.venues.loader import load_venues
from quant_assets.cli.main import cli
from quant_assets.core.config import Settings
from quant_assets.core.venues import Venue
from quant_assets.core.yaml_loader import load_model, load_yaml
from quant_assets.quant.strategies.config import load_strategy
from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY, Block, Command, Page, all_pages, commands_of

pytestmark = pytest.mark.slow(seconds=75)

PAGES = all_pages()
LANGUAGES = {"python", "bash", "console", "yaml", "json", "text", "mermaid"}
SETUP = {"git", "cd", "pip", "python3.11", "cp", "mkdir", "export", "ls"}
READS_DATA = re.compile(r"^from quant_assets import .*\b(load|query)\b", re.MULTILINE)
HEAVY = re.compile(r"sklearn|clustering|quant_assets\.orchestration|quant\.simulation")


def pages_with(*languages: str) -> pytest.MarkDecorator:
    pages = [page for page in PAGES if page.of(*languages)]
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


def needs_data(page: Page) -> bool:
    return any(READS_DATA.search(block.text) for block in page.of("python"))


def light_or_slow(page: Page):
    """Pages that import what takes a second are left out of the fast suite."""
    heavy = any(HEAVY.search(block.text) for block in page.of("python"))
    return pytest.param(page, id=page.name, marks=[pytest.mark.slow] if heavy else [])


PYTHON = [page for page in PAGES if page.of("python")]
DRY = [page for page in PYTHON if not needs_data(page)]
WET = [page for page in PYTHON if needs_data(page)]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_page_uses_only_languages_that_are_tested(page: Page):
    unknown = [(b.line, b.language) for b in page.blocks if b.language not in LANGUAGES]
    assert not unknown


def run_python(page: Page) -> None:
    """Run a page's blocks in order; a failure shows the page's own line numbers."""
    namespace: dict[str, object] = {"__name__": "__page__"}
    for block in page.of("python"):
        source = "\n" * block.line + block.text
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, page.name, "exec"), namespace)  # noqa: S102 - our own pages
        shown = page.printed_after(block)
        if shown is not None:
            assert printed.getvalue() == shown, f"{page.name}:{block.line}"
        else:
            assert printed.getvalue() == "", f"{page.name}:{block.line} prints, but shows no output"


@pytest.mark.parametrize("page", [light_or_slow(page) for page in DRY])
def test_python_blocks_run_and_print_what_they_show(page: Page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(page)


@pytest.mark.slow
@pytest.mark.parametrize("page", WET, ids=[page.name for page in WET])
def test_python_blocks_that_read_data_run_on_the_demo(page: Page, demo_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(demo_root))
    run_python(page)


def test_python_block_that_prints_something_else_fails(tmp_path):
    path = REPOSITORY / "docs" / "none.md"
    page = Page(path)
    page.__dict__["text"] = "```python\nprint(1)\n```\n\n```text\n2\n```\n"
    with pytest.raises(AssertionError, match=r"none\.md:1"):
        run_python(page)


# -- YAML ------------------------------------------------------------------------------------------


@pages_with("yaml")
def test_yaml_blocks_load_as_venue_strategy_or_settings(page: Page, tmp_path):
    for block in page.of("yaml"):
        write_yaml(block, tmp_path)
    load_venues(tmp_path)


def test_settings_example_lists_every_setting():
    path = REPOSITORY / "docs" / "settings.example.yaml"
    load_model(path, Settings)
    assert set(load_yaml(path).data) == set(Settings.model_fields)


def write_yaml(block: Block, folder: Path) -> None:
    """Check one block and, when it is a venue, leave it in `folder` under its own name."""
    draft = folder / f"draft_{block.line}"
    draft.write_text(block.text, encoding="utf-8")
    data = load_yaml(draft).data
    if "provider" in data:
        load_model(draft, Venue)
        draft.rename(folder / f"{data['name']}.yaml")
    elif "strategy" in data:
        load_strategy(draft)
    else:
        load_model(draft, Settings)


# -- shell -----------------------------------------------------------------------------------------


def shell(page: Page) -> list[Command]:
    return [command for block in page.of("bash", "console") for command in commands_of(block)]


@pages_with("bash", "console")
def test_shell_commands_exist_and_their_options_parse(page: Page):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for command in shell(page):
        where = f"{page.name}:{command.line}: {command.words}"
        if command.program == "quant-assets":
            parse(command.words[1:], where)
        elif command.program == "make":
            target = next(word for word in command.words[1:] if "=" not in word)
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), where
        elif command.program == "python":
            assert (REPOSITORY / command.words[1]).is_file(), where
        else:
            assert command.program in SETUP or command.words == ["echo", "$?"], where


def parse(words: list[str], where: str) -> None:
    """Parse as the command line would, without running anything."""
    if words[0].startswith("-"):
        return
    command = cli.get_command(None, words[0])
    assert command is not None, where
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        command.make_context(words[0], words[1:])


def parsed_only(words: list[str]) -> bool:
    """Commands that start servers or browsers, or that compute for minutes."""
    name, rest = words[0], set(words[1:])
    return (
        name == "ui"
        or (name == "demo" and "--windows" not in rest)
        or (name == "backfill" and not {"--venue", "--windows"} <= rest)
        or "--replay" in rest
        or "--open" in rest
    )


@pytest.mark.slow
@pages_with("bash", "console")
def test_shell_commands_run_on_the_demo_and_show_what_is_shown(page: Page, demo_root, tmp_path):
    venues = tmp_path / "my_venues"
    venues.mkdir()
    for block in page.of("yaml"):
        write_yaml(block, venues)
    root = demo_root
    if page.of("yaml"):  # its venues are stored, too: other pages should not see them
        root = tmp_path / "data"
        subprocess.run(["cp", "-a", str(demo_root), str(root)], check=True)  # keeps hard links
    commands = [c for c in shell(page) if c.program in ("quant-assets", "echo")]
    run = [c for c in commands if c.program == "echo" or not parsed_only(c.words[1:])]
    answers = iter(answer([c for c in run if c.program == "quant-assets"], root, tmp_path))
    code, expected = 0, ""
    for command in run:
        where = f"{page.name}:{command.line}: {' '.join(command.words)}"
        if command.program == "echo":
            assert command.shown[0] == str(code), f"{where} should show {code}"
            code = 0
            continue
        assert code == 0, f"{expected} ended with {code}, and no `echo $?` says so"
        found = next(answers)
        code, expected = found["code"], f"{where}\n{found['stdout']}{found['stderr']}"
        assert_shown(command.shown, found["stdout"] + found["stderr"], where)
    assert code == 0, f"{expected} ended with {code}, and no `echo $?` says so"


def answer(commands: list[Command], root: Path, folder: Path) -> list[dict]:
    """Run the commands in order; each change of environment is another process."""
    answers: list[dict] = []
    batch: list[Command] = []
    for command in [*commands, None]:
        if batch and (command is None or command.environment != batch[0].environment):
            answers += drive(batch, root, folder)
            batch = []
        if command is not None:
            batch.append(command)
    return answers


def drive(commands: list[Command], root: Path, folder: Path) -> list[dict]:
    target = folder / "answers.json"
    subprocess.run(
        [sys.executable, "-m", "quant_assets_tests.docs.driver", str(target)],
        input=json.dumps([command.words[1:] for command in commands]),
        env={
            **environment_of(root),
            "PYTHONPATH": str(REPOSITORY),
            **commands[0].environment,
        },
        cwd=folder,
        text=True,
        check=True,
        timeout=240,
    )
    return json.loads(target.read_text(encoding="utf-8"))


def assert_shown(shown: tuple[str, ...], printed: str, where: str) -> None:
    """Lines that are shown appear in this order; `…` stands for anything."""
    lines = iter(line.rstrip() for line in printed.splitlines())
    for wanted in (line.rstrip() for line in shown):
        if wanted in ("", "…"):
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        assert any(pattern.fullmatch(line) for line in lines), (
            f"{where}: no {wanted!r} in\n{printed}"
        )
