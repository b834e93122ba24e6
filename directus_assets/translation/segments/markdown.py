"""Markdown: one segment per heading, paragraph, list item, table cell; link titles and alt texts on their own."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

from directus_assets.translation.segments.html import add_attributes, add_html, is_hidden, piece_of
from directus_assets.translation.segments.html_tokens import TokenKind, tokens
from directus_assets.translation.segments.markdown_check import MarkdownDocument
from directus_assets.translation.segments.markdown_parse import (
    SPANS,
    MarkdownEvent,
    Mask,
    events,
    masks,
    reference_definitions,
)
from directus_assets.translation.segments.markdown_run import MarkdownRun
from directus_assets.translation.segments.markdown_spelling import MarkdownSpelling
from directus_assets.translation.segments.markdown_titles import add_title
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Builder

_CONTEXTS: Final = {
    "Heading": "heading",
    "TableCell": "table cell",
    "Item": "list item",
}


def cut_markdown(source: str, ids: Ids) -> MarkdownDocument:
    """The document for Markdown: CommonMark with GFM, footnotes and formulas; MDX stays as it is."""
    builder = Builder(source)
    masked = masks(source)
    _Cutter(builder, masked).cut()
    for title, start, end in reference_definitions(source, masked):
        add_title(builder, title, start, end)
    return MarkdownDocument(source, builder.cuts(ids), builder.following(ids))


class _Cutter:
    """Walks through the events of one text, and passes its runs to the builder.

    `_runs` is a stack: the alt text of a picture is a run within the run that holds the picture.
    """

    def __init__(self, builder: Builder, masked: Sequence[Mask]) -> None:
        self._builder = builder
        self._source = builder.source
        self._masked = masked
        self._runs = [MarkdownRun(self._source)]
        self._blocks: list[str] = []
        self._links: list[MarkdownEvent] = []

    def cut(self) -> None:
        stream = events(self._source, self._masked)
        for event in stream:
            if event.name in ("Link", "Image"):
                self._link(event, stream)
            elif event.name in SPANS:
                self._span(event)
            elif event.step or event.name == "Rule":
                self._flush()
                self._block(event, stream)
            else:
                self._inline(event)
        self._flush()

    def _flush(self) -> None:
        block = self._blocks[-1] if self._blocks else ""
        self._add_run(self._runs[0], _CONTEXTS.get(block, "text"))
        self._runs = [MarkdownRun(self._source)]

    def _add_run(self, run: MarkdownRun, context: str) -> None:
        block = self._blocks[-1] if self._blocks else ""
        self._builder.add(run.pieces(self._masked), context, partial(MarkdownSpelling, block=block))

    def _block(self, event: MarkdownEvent, stream: Iterator[MarkdownEvent]) -> None:
        if event.name == "CodeBlock":
            _skip(stream, event)
        elif event.name == "HtmlBlock":
            self._html_block(_skip(stream, event))
        elif event.step > 0:
            self._blocks.append(event.name)
        elif event.step < 0:
            self._blocks.pop()

    def _html_block(self, lines: Sequence[MarkdownEvent]) -> None:
        # In a quote the lines are not contiguous: the marks between them are not HTML.
        if lines and all(line.end == following.start for line, following in pairwise(lines)):
            add_html(self._builder, lines[0].start, lines[-1].end)

    def _inline(self, event: MarkdownEvent) -> None:
        name, start, end = event.name, event.start, event.end
        run = self._runs[-1]
        if name == "Text":
            text = event.data
            if run.ends_with_line_break and not self._links and self._source.startswith((": ", ":\t"), start):
                self._flush()  # PHP Markdown's definition lists: `Term`, then `: Definition`
                start, text = start + 1, text[1:]
                run = self._runs[-1]
            if text:
                run.add(Piece(Role.TEXT, start, end, text))
        elif name == "SoftBreak":
            run.add(Piece(Role.TEXT, start, end, "\n"))
        elif name == "HardBreak":
            run.add(Piece(Role.BREAK, start, end, name="line"))
        elif name in ("InlineHtml", "Html"):
            self._inline_html(start, end)
        else:
            is_word = name in ("Code", "InlineMath", "DisplayMath")
            run.add(Piece(Role.WORD if is_word else Role.BREAK, start, end))

    def _inline_html(self, start: int, end: int) -> None:
        for token in tokens(self._source, start, end):
            if token.kind is TokenKind.START:
                add_attributes(self._builder, token)
            self._runs[-1].add(piece_of(token), is_hidden=is_hidden(self._source, token))

    def _span(self, event: MarkdownEvent) -> None:
        """Handle the start or end of emphasis."""
        start, end = event.start, event.end
        length = 1 if event.name == "Emphasis" else 2
        if event.name == "Strikethrough" and not self._source.startswith("~~", start):
            length = 1
        if event.step > 0:
            self._runs[-1].add(Piece(Role.OPEN, start, start + length, name=event.name))
        else:
            self._runs[-1].add(Piece(Role.CLOSE, end - length, end, name=event.name))

    def _link(self, event: MarkdownEvent, stream: Iterator[MarkdownEvent]) -> None:
        """Handle the start or end of a link or a picture."""
        run = self._runs[-1]
        kind = event.data["link_type"] if event.step > 0 else ""
        if kind in ("Autolink", "Email"):
            _skip(stream, event)
            run.add(Piece(Role.WORD, event.start, event.end))
        elif event.step < 0:
            self._end_link(self._links.pop())
        else:
            self._links.append(event)
            if event.name == "Image":
                self._runs.append(MarkdownRun(self._source))
            else:
                run.add(Piece(Role.OPEN, event.start, event.start + 1, name="Link"))

    def _end_link(self, link: MarkdownEvent) -> None:
        kind, end = link.data["link_type"], link.end
        # The label is the text: once translated, the label must be stated as well.
        is_label = kind in ("Shortcut", "Collapsed")
        if kind == "Collapsed" and self._source.startswith("[]", end):
            end += 2  # the parser's range excludes the brackets
        if link.name == "Image":
            run = self._runs.pop()
            # Pictures within the alt text of pictures are not texts of their own.
            if not is_label and len(self._runs) == 1:
                self._add_run(run, "alt text")
            self._runs[-1].add(Piece(Role.BREAK, link.start, end))
        else:
            run = self._runs[-1]
            retold = f"][{link.data['id']}]" if is_label else None
            run.add(Piece(Role.CLOSE, max(run.end, link.start + 1), end, name="Link", retold=retold))
        if kind == "Inline" and link.data["title"]:
            add_title(self._builder, link.data["title"], link.start, end - 1)


def _skip(stream: Iterator[MarkdownEvent], opening: MarkdownEvent) -> list[MarkdownEvent]:
    """Read up to the end of the element that the event opens; return the events in between."""
    skipped: list[MarkdownEvent] = []
    depth = 1
    for event in stream:
        if event.name == opening.name:
            depth += event.step
        if not depth:
            break
        skipped.append(event)
    return skipped
