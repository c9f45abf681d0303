"""An executed notebook as the parts of a page. Only blocks and the author's own prose get through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from nbformat import NotebookNode

from auditkit.model import SEVERITIES
from auditkit.report.block import KINDS, MIME
from auditkit.report.cells import safe

Item = dict[str, Any]


@dataclass(slots=True)
class Section:
    """What stands under one `##` heading; the first section of a page has neither title nor id."""

    title: str = ""
    id: str = ""
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """The parts of a report, in reading order."""

    title: str = ""
    sections: list[Section] = field(default_factory=lambda: [Section()])
    verdict: Item | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # of `run` blocks, not shown

    def blocks(self, kind: str) -> list[Item]:
        return [item for section in self.sections for item in section.items if item["kind"] == kind]

    def section_of(self, kind: str) -> str:
        """The anchor of the first section with such a block, or the top of the page."""
        holding = (section.id for section in self.sections if any(item["kind"] == kind for item in section.items))
        return next(filter(None, holding), "top")

    @property
    def problems(self) -> list[str]:
        """What the coverage blocks say has to be known first."""
        return [str(problem) for block in self.blocks("coverage") for problem in block.get("problems", ())]

    @property
    def counts(self) -> dict[str, int] | None:
        """Findings by severity, worst first; None when nothing looked for findings."""
        blocks = self.blocks("findings")
        if not blocks:
            return None
        return {
            severity: sum(int(block.get("counts", {}).get(severity, 0)) for block in blocks)
            for severity in reversed(SEVERITIES)
        }


def _prose() -> MarkdownIt:
    """Markdown without raw HTML, images and links that leave the page: those stay the text they were."""
    prose = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    prose.validateLink = lambda url: url.startswith("#")  # type: ignore[method-assign]
    return prose


def read_page(notebook: NotebookNode) -> Page:
    """The page of an executed notebook. Code is hidden; streams, HTML and widgets are left out."""
    page, prose, taken = Page(), _prose(), set[str]()
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            _add_prose(page, prose, str(cell.source), taken)
        elif cell.cell_type == "code":
            for item in _outputs(cell.get("outputs", []), number):
                _add(page, item)
    page.sections = [section for section in page.sections if section.items]  # no heading above nothing
    return page


def _add(page: Page, item: Item) -> None:
    if item["kind"] == "run":
        page.facts |= dict(item.get("facts") or {})
    elif item["kind"] == "verdict" and page.verdict is None:
        page.verdict = item
    else:
        page.sections[-1].items.append(item)


def _outputs(outputs: list[Any], number: int) -> Iterator[Item]:
    """The blocks among a cell's outputs, and a word about what is not one."""
    for output in outputs:
        if output.output_type == "error":
            text = f"Cell {number} stopped: {output.ename}: {output.evalue}"
            yield {"kind": "note", "level": "warning", "text": safe(text)}
        elif output.output_type in ("display_data", "execute_result"):
            block = output.data.get(MIME)
            if isinstance(block, Mapping) and block.get("kind") in KINDS:
                yield dict(block)
            else:
                text = f"Cell {number} showed something that is not a block of a report; it was left out."
                yield {"kind": "note", "level": "info", "text": text}


def _add_prose(page: Page, prose: MarkdownIt, source: str, taken: set[str]) -> None:
    """Sections from `##`, the page's title from the first `#`, everything else as paragraphs."""
    pending: list[Token] = []
    tokens = iter(prose.parse(source))

    def flush() -> None:
        html = prose.renderer.render(pending, prose.options, {}).strip()
        if html:
            page.sections[-1].items.append({"kind": "prose", "html": Markup(html)})
        pending.clear()

    for token in tokens:
        if token.type == "heading_open" and token.tag in ("h1", "h2") and token.level == 0:
            flush()
            title = _plain(next(tokens))
            next(tokens)  # the closing tag
            if token.tag == "h1" and not page.title:
                page.title = title
            else:
                page.sections.append(Section(title, _anchor(title, taken)))
        else:
            pending.append(token)
    flush()


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


def _anchor(title: str, taken: set[str]) -> str:
    """An id for the section, from its title, unlike those in *taken*."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
    slug = f"section-{slug}" if slug.startswith("finding-") else slug
    anchor, count = slug, 1
    while anchor in taken:
        count += 1
        anchor = f"{slug}-{count}"
    taken.add(anchor)
    return anchor
