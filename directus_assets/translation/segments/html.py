"""HTML: one segment per block of text, translatable attributes on their own, everything else unchanged."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from directus_assets.translation.segments.html_attributes import in_language, languages, readable
from directus_assets.translation.segments.html_text import HtmlSpelling, text_pieces
from directus_assets.translation.segments.html_tokens import HtmlToken, TokenKind, attributes, tokens
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Builder, TextDocument

VOID: Final = frozenset(
    "area base br col embed hr img input link meta source track wbr param basefont bgsound frame keygen".split()  # noqa: SIM905  # a list of words reads best as words
)
_EMBEDDED: Final = frozenset({"svg", "iframe", "object", "applet", "canvas", "template"})
_HIDDEN: Final = _EMBEDDED | {"code", "kbd", "samp", "tt", "var", "math", "pre"}
_BLOCKS: Final = frozenset(
    (  # noqa: SIM905  # as above
        "address article aside blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset "
        "figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li link "
        "listing main menu meta nav noframes ol optgroup option p plaintext pre search section select summary table "
        "tbody td template tfoot th thead title tr ul video audio xmp"
    ).split()
)
_CONTEXTS: Final = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "title"), "heading"),
    **dict.fromkeys(("li", "dt", "dd"), "list item"),
    **dict.fromkeys(("td", "th"), "table cell"),
    **dict.fromkeys(("figcaption", "caption"), "caption"),
    **dict.fromkeys(("option", "optgroup"), "option"),
}


def cut_html(source: str, ids: Ids, context: str = "text") -> TextDocument:
    """The document for HTML, whole or a fragment, well-formed or not."""
    builder = Builder(source)
    add_html(builder, 0, len(source), context)
    return TextDocument(source, builder.cuts(ids), builder.following(ids))


def add_html(builder: Builder, start: int, end: int, context: str = "text") -> None:
    """Pass all runs of text in the HTML `source[start:end]` to the builder."""
    source = builder.source
    run: list[Piece] = []
    here = context
    for token in _without_hidden(source, tokens(source, start, end)):
        if token.kind is TokenKind.START:
            add_attributes(builder, token)
        if token.kind is TokenKind.TEXT:
            run += text_pieces(source, token.start, token.end)
        elif token.tag in _BLOCKS:
            builder.add(run, here, HtmlSpelling)
            run = []
            here = _CONTEXTS.get(token.tag, context) if token.kind is TokenKind.START else context
        else:
            run.append(piece_of(token))
    builder.add(run, here, HtmlSpelling)


def piece_of(token: HtmlToken) -> Piece:
    """The role of a token other than text."""
    role, name = Role.BREAK, ""
    if token.kind is TokenKind.RAW:
        role = Role.BREAK if token.tag in _EMBEDDED or not token.tag else Role.WORD
    elif token.tag and token.tag not in VOID:
        name = token.tag
        role = Role.OPEN if token.kind is TokenKind.START else Role.CLOSE
    return Piece(role, token.start, token.end, name=name)


def add_attributes(builder: Builder, token: HtmlToken) -> None:
    """Pass the human-readable and language-dependent attributes of a start tag to the builder."""
    source = builder.source
    found = {attribute.name: attribute for attribute in attributes(source, token)}
    for attribute, context in readable(source, token, found):
        pieces = text_pieces(source, attribute.start, attribute.end, in_attribute=True)
        builder.add(pieces, context, partial(HtmlSpelling, quote=attribute.quote))
    if is_hidden(source, token):
        return
    for attribute, of in languages(source, token, found):
        builder.follow(
            attribute.start, attribute.end, partial(in_language, source[attribute.start : attribute.end], of)
        )


def is_hidden(source: str, token: HtmlToken) -> bool:
    """Whether a start tag begins an element that stays as it is: code, embedded content, or marked not to be
    translated.
    """
    if token.kind is not TokenKind.START or token.tag in VOID:
        return False
    return token.tag in _HIDDEN or any(
        (name == "translate" and source[start:end].lower() == "no")
        or (name == "class" and "notranslate" in source[start:end].split())
        for name, start, end, _ in attributes(source, token)
    )


def _without_hidden(source: str, stream: Iterator[HtmlToken]) -> Iterator[HtmlToken]:
    """The tokens, with every hidden element as one RAW token with its name."""
    for token in stream:
        if is_hidden(source, token) and not (token.is_self_closing and token.tag in ("svg", "math")):
            yield HtmlToken(TokenKind.RAW, token.start, _element_end(token, stream), token.name)
        else:
            yield token


def _element_end(opening: HtmlToken, stream: Iterator[HtmlToken]) -> int:
    """The end of the element; the end of the text if it is never closed, since browsers hide the rest, too."""
    depth = 1
    end = opening.end
    for token in stream:
        end = token.end
        if token.tag == opening.tag and token.kind is not TokenKind.RAW:
            depth += 1 if token.kind is TokenKind.START else -1
        if not depth:
            break
    return end
