"""Markdown pages and their fenced code blocks."""

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`]*)$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: language (the first word after the fence), text, and line of the fence."""

    language: str
    text: str
    line: int
    end: int


@dataclass(frozen=True)
class Page:
    """One Markdown file of the repository."""

    path: Path

    @property
    def name(self) -> str:
        """Path inside the repository, for test ids and messages."""
        return self.path.relative_to(REPOSITORY).as_posix()

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Fenced blocks in order; an unclosed fence is an error."""
        found: list[Block] = []
        lines = self.text.splitlines()
        number = 0
        while number < len(lines):
            opening = _FENCE.match(lines[number])
            if opening is None:
                number += 1
                continue
            indent, start = len(opening["indent"]), number
            body: list[str] = []
            number += 1
            while lines[number].strip() != "```":
                body.append(lines[number][indent:])
                number += 1
                if number == len(lines):
                    raise ValueError(f"{self.name}:{start + 1}: the code fence is never closed")
            language = opening["info"].split(" ")[0]
            found.append(Block(language, "\n".join(body) + "\n", start + 1, number + 1))
            number += 1
        return tuple(found)

    def of(self, *languages: str) -> list[Block]:
        """Blocks in one of these languages."""
        return [block for block in self.blocks if block.language in languages]

    def printed_after(self, block: Block) -> str | None:
        """Text of the `text` block that follows `block` at once: what it is said to print."""
        after = next((b for b in self.blocks if b.line > block.end), None)
        if after is None or after.language != "text":
            return None
        between = self.text.splitlines()[block.end : after.line - 1]
        return None if any(line.strip() for line in between) else after.text

    @cached_property
    def links(self) -> list[str]:
        """Targets of links and pictures outside code blocks."""
        lines = self.text.splitlines()
        for block in self.blocks:
            lines[block.line - 1 : block.end] = [""] * (block.end - block.line + 1)
        return _LINK.findall("\n".join(lines))

    @cached_property
    def anchors(self) -> set[str]:
        """Names that a link may give after `#`, as GitHub makes them."""
        titles = _HEADING.findall(self.text)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def all_pages() -> list[Page]:
    """README, CHANGELOG and everything under docs/, in a fixed order."""
    paths = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    return [Page(path) for path in sorted(paths)]


@dataclass(frozen=True)
class Command:
    """One command of a shell block: its environment, its words, and the output shown, if any."""

    environment: dict[str, str]
    words: list[str]
    line: int
    shown: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The first word."""
        return self.words[0]


def commands_of(block: Block) -> list[Command]:
    """Commands of a `bash` block (every line) or a `console` block (lines that begin with `$ `).

    `\\` continues a line; comments and redirections into files are left out. In a console block
    the lines after a command are its output.
    """
    found: list[Command] = []
    pending, first = "", 0
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if block.language == "console" and not pending and not line.startswith("$ "):
            if found:
                last = found[-1]
                found[-1] = Command(last.environment, last.words, last.line, (*last.shown, line))
            continue
        text = line.removeprefix("$ ") if not pending else line
        first = first or number
        pending += text.removesuffix("\\") + " " if text.endswith("\\") else text
        if text.endswith("\\"):
            continue
        words = shlex.split(pending, comments=True)
        if words:
            found.append(_command(words, first))
        pending, first = "", 0
    return found


def _command(words: list[str], line: int) -> Command:
    environment = {}
    while words and re.fullmatch(r"[A-Z_][A-Z0-9_]*=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if ">" in words:
        words = words[: words.index(">")]
    return Command(environment, words, line)
