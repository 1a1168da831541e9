"""The pages agree with the code, with each other, and with their Russian versions."""

import re
import shlex
from pathlib import Path

import click
import pytest

from ops.cli import cli
from ops.ledger.database.schema import metadata
from tests.pages import (
    PAGES,
    ROOT,
    anchors,
    blocks,
    codes,
    commands,
    headings,
    links,
    name_of,
    sentences,
    uncommented,
)
from tests.prose import clauses, long_sentences
from tests.test_house import ORDER

DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
ARCHITECTURE = DOCS / "architecture.md"
HISTORY = ROOT / "CHANGELOG.md"
RUSSIAN = {
    ROOT / "README.ru.md": ROOT / "README.md",
    DOCS / "ru" / "runbook.md": DOCS / "runbook.md",
}
NOW = [page for page in PAGES if page != HISTORY]
"""All pages but the history, which names commands and modules that are gone."""
EXAMPLES = {"ops groups", "ops/reporting/groups.py", "ops/cli/groups.py"}
"""The command and the modules of the recipes in CONTRIBUTING."""
GENERATED = {"cli.md", "rules.md"}
ENGLISH = [
    page
    for page in NOW
    if page.parent in (ROOT, DOCS) and page not in RUSSIAN and page.name not in GENERATED
]
HARD = 0.05
"""The share of sentences of a page that may be hard to read."""
_FOLDERS = "ops|tests|lab|bench|docs|proto|templates|inventory"
_PATH = re.compile(rf"(?:{_FOLDERS})/[\w./-]*")
_MODULE = re.compile(r"\b[a-z_]+(?:/[a-z_]+)*\.py\b")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_resolves(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?:|mailto:", link):
            continue
        target, _, anchor = link.partition("#")
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), link
        assert not anchor or anchor in anchors(other), link


def test_the_index_links_to_every_page() -> None:
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}
    assert {page for page in DOCS.rglob("*.md") if page not in linked} == {INDEX}


@pytest.mark.parametrize("page", NOW, ids=name_of)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    for code in codes(page):
        if _PATH.fullmatch(code) and not re.match(r"inventory/|templates/", code):
            assert code in EXAMPLES or (ROOT / code).exists(), code


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_pages_are_in_plain_language(page: Path) -> None:
    """Few sentences are long, and few have the clauses that ``tests/prose.py`` counts."""
    written = sentences(page)
    for hard in (clauses(written), long_sentences(written)):
        assert len(hard) < HARD * len(written), hard


@pytest.mark.parametrize("page", NOW, ids=name_of)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for text in commands(page):
        words = shlex.split(text)
        if words[0] == "ops" and "VERB" not in words and text not in EXAMPLES:
            assert unknown_words(words[1:]) == [], text


def unknown_words(words: list[str]) -> list[str]:
    """Return the verbs and options among *words* that ops does not have."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and re.fullmatch("[a-z][a-z-]*", words[0]):
        inner = command.get_command(context, words[0])
        if inner is None:
            return [] if command.invoke_without_command else words[:1]
        command, words = inner, words[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    known |= {"-h", "--help", "--version"}
    return [word for word in words if re.match("--?[a-z]", word) and word not in known]


def test_the_picture_of_the_code_names_what_exists() -> None:
    """In a block, a module stands with the functions (`name()`) and classes that it defines."""
    for block in blocks(ARCHITECTURE):
        for line in block.text.splitlines():
            source = "".join(map(source_of, _MODULE.findall(line)))
            for name in re.findall(r"\b(\w+)\(\)", line):
                assert re.search(rf"\b(def|class) {name}\b|import .*\b{name}\b", source), line
            for name in re.findall(r"\b(?:[A-Z][a-z]+)+\b(?!\()", line) if source else ():
                assert re.search(rf"\bclass {name}\b", source), line


def source_of(module: str) -> str:
    """Return the text of a module that is named as in ``ops/``, or from the top folder."""
    return next(
        place for place in (ROOT / "ops" / module, ROOT / module) if place.exists()
    ).read_text()


def test_the_map_has_the_rooms_in_their_order() -> None:
    table = ARCHITECTURE.read_text().split("| room |")[1].split("\n\n")[0]
    rooms = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row)[:1]]
    assert tuple(rooms) == ORDER


def test_the_russian_glossary_translates_words_of_the_english_one() -> None:
    english = (DOCS / "glossary.md").read_text()
    rows = (DOCS / "ru" / "glossary.md").read_text().splitlines()[7:]
    words = [row.split("|")[1].strip() for row in rows]
    assert [word for word in words if f"**{word}**" not in english] == []


def test_the_map_has_the_tables_of_the_ledger() -> None:
    table = ARCHITECTURE.read_text().split("| table | one row for |")[1].split("\n\n")[0]
    names = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row)]
    assert sorted(names) == sorted(metadata.tables)


def test_the_page_on_installing_names_every_environment_variable() -> None:
    page = (DOCS / "install.md").read_text()
    named = set(re.findall(r"`([A-Za-z_]+)`", page.split("## Environment variables")[1]))
    assert {
        name for file in (ROOT / "ops").rglob("*.py") for name in variables(file)
    } - named == set()


def variables(file: Path) -> set[str]:
    """Return the environment variables that *file* reads."""
    text = file.read_text()
    read = set(re.findall(r"environ(?:\.get\(|\.setdefault\(|\[)([A-Za-z_\"]+)", text))
    literal = {name.strip('"') for name in read if name.startswith('"')}
    constants = {name for name in read if name.isidentifier() and name.isupper()}
    return literal | {
        m[1] for c in constants for m in [re.search(rf'^{c} = "(\w+)"', text, re.M)] if m
    }


@pytest.mark.parametrize("page", RUSSIAN, ids=name_of)
def test_the_russian_page_has_the_same_headings(page: Path) -> None:
    levels, english = ([level for level, _ in headings(p)] for p in (page, RUSSIAN[page]))
    assert levels == english


@pytest.mark.parametrize("page", RUSSIAN, ids=name_of)
def test_the_russian_page_has_the_same_commands(page: Path) -> None:
    russian, english = (
        [
            [uncommented(line) for line in block.text.splitlines()]
            for block in blocks(p)
            if "┌" not in block.text  # a drawing, with words in the language of its page
        ]
        for p in (page, RUSSIAN[page])
    )
    assert russian == english


@pytest.mark.parametrize("page", RUSSIAN, ids=name_of)
def test_the_russian_page_names_the_same_things(page: Path) -> None:
    """Section by section: commands, files and values in inline code."""
    russian, english = (sections(p) for p in (page, RUSSIAN[page]))
    for number, (here, there) in enumerate(zip(russian, english, strict=True)):
        assert sorted(set(here)) == sorted(set(there)), headings(page)[number]


def sections(page: Path) -> list[list[str]]:
    """Return the inline code of each section of *page*."""
    parts = re.split(
        r"^#+ ", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), flags=re.M
    )
    return [re.findall(r"`([^`\n]+)`", part) for part in parts[1:]]
