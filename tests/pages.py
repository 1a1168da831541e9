"""The pages of the documents, and the parts of them that tests compare with the code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.prose import Text

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md")
    for page in ROOT.glob(pattern)
    if "build" not in page.parts
)
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:^(?: {4}.*)?\n)*^ {4}.*\n", re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A block of code; indented blocks have no *language*."""

    language: str
    text: str


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Return the text of *page* without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks, then the indented ones, both in the order of *page*."""
    for language, text in _FENCE.findall(page.read_text()):
        yield Block(language, text)
    for block in _INDENTED.finditer(re.sub(r"^ *[*-] .*(?:\n .*)*", "", prose(page), flags=re.M)):
        yield Block("", re.sub(r"^ {4}", "", block[0], flags=re.M).strip("\n"))


def headings(page: Path) -> list[tuple[int, str]]:
    """Return the level and the text of each heading."""
    return [(len(signs), text) for signs, text in _HEADING.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of *page*."""
    written = (re.sub(r"[`*]|\[|\]\([^)]*\)", "", text) for _, text in headings(page))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in written}


def links(page: Path) -> list[str]:
    """Return the targets of the links of *page*."""
    return _LINK.findall(_CODE.sub("", prose(page)))


def codes(page: Path) -> list[str]:
    """Return the inline code of *page*."""
    return _CODE.findall(prose(page))


def commands(page: Path) -> Iterator[str]:
    """Yield the commands of ops and pyinfra in the blocks and the inline code of *page*."""
    for block in blocks(page):
        for line in block.text.splitlines():
            command = uncommented(line).removeprefix("$ ")
            for part in re.split(r"&&|\|\|?|;", command):
                if re.match(r"(ops|pyinfra) ", part.strip()):
                    yield part.strip()
    for code in codes(page):
        if re.match(r"(ops|pyinfra) ", code):
            yield code


def uncommented(line: str) -> str:
    """Return a line of a shell without its comment."""
    return re.sub(r"(^|\s+)#.*$", "", line).strip()


def sentences(page: Path) -> list[Text]:
    """Return the sentences of *page*: of its paragraphs, items and cells of tables."""
    text = _INDENTED.sub("\n", prose(page))
    parts = re.split(r"\n\s*\n|\n(?= *(?:[*-]|\d+\.) )|^#+ |\|", text, flags=re.MULTILINE)
    paragraphs = (Text(name_of(page), " ".join(part.split())) for part in parts)
    return [
        Text(paragraph.place, sentence)
        for paragraph in paragraphs
        for sentence in paragraph.sentences
        if re.search(r"\w", sentence)
    ]
