"""Ten thousand documents that nobody wrote by hand: what is no text survives each of them."""

import random
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from directus_assets.translation.segments import PLACEHOLDER, Kind, cut
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.markdown import cut_markdown
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.text_document import TextDocument

DOCUMENTS = 5000  # of each kind
ACCENTED = str.maketrans("aeioucnAEIOUCN", "àéïöüçñÀÉÏÖÜÇÑ")
PLAIN = str.maketrans("àéïöüçñÀÉÏÖÜÇÑ", "aeioucnAEIOUCN")
WORDS = [
    "bread",
    "coffee",
    "wheel",
    "morning",
    "river",
    "garden",
    "yellow",
    "Sunday",
    "music",
    "ocean",
    "table",
    "paper",
]
SCRIPTS = ["日本語", "кофе", "naïve", "קפה", "🎉", "ไทย"]
HIDDEN = ["SECRET()", "x < y", "a &amp; b", "let z = 'q';"]
VARIABLES = ["{{ user.xyz }}", "{0}", "%s", "${x_y}", "https://a.b/c_d?e=f", "x@y.zz", "[gallery id=1]", ":tada:"]

HTML_SOUP = [
    *WORDS, " ", " ", "\n", "<p>", "</p>", "<b>", "</b>", "<i class='x'>", "</i>", "<br>", "<br/>", "<div>", "</div>", "<ul>", "<li>",
    "</ul>", "<a href='/x' title='bread'>", "</a>", "<img alt=\"coffee\" src=x>", "<img alt=river>", "<code>", "</code>", "<pre>", "</pre>",
    "<script>", "</script>", "<style>", "</style>", "<!-- ", " -->", "<!", "<", ">", "</", "<x", "&amp;", "&nbsp;", "&", "&#233;", "&lt;b&gt;",
    "<svg>", "</svg>", "<title>", "</title>", "<span translate=no>", "</span>", "<td title=\"", "\"", "'", "=", "{{ x }}", "%s", "<g1>", "<x1/>",
    "<table><tr>", "<x-y title='no'>", "</x-y>", "<textarea>", "</textarea>", "\x00", "\ufeff", "日本語", "🎉", "<A B C=\"d>e\" /f>", "<p", "<![CDATA[", "]]>",
]  # fmt: skip  # noqa: E501  # an alphabet
MARKDOWN_SOUP = [
    *WORDS, " ", " ", " ", "\n", "\n", "\n\n", "\n\n", "    ", "\t", "# ", "## ", "> ", "- ", "1. ", "*", "**", "_", "__", "~~", "`", "``", "```\n",
    "[", "]", "(", ")", "](/x)", "](/x \"river\")", "![", "[^1]", "\n[^1]: ", "\n[bread]: /y 'ocean'\n", "[bread]", "<b>", "</b>", "<div>\n",
    "</div>\n", "<!-- ", " -->", "<http://a.b>", "http://a.b/c_d", "&amp;", "&copy;", "\\", "\\*", "\\\n", "  \n", "| ", "|---|---|\n", "\n---\n",
    "\n===\n", "***\n", "{{ a*b }}", "{", "}", "{{< x >}}", "\n:::note\n", "$", "$a_b$", ": ", "[ ] ", "<Tab x={1}>", "日本語", "🎉", "\r\n", "+++\n",
    "title: x\n", "import x from 'y'\n", "<g1>", "<code>", "</code>", "%s", "\x00", "\u00a0", "!",
]  # fmt: skip  # noqa: E501  # an alphabet


def words(rng: random.Random) -> str:
    return " ".join(rng.choice(SCRIPTS if rng.random() < 0.1 else WORDS) for _ in range(rng.randint(1, 8)))


def inline_html(rng: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(rng.randint(1, 4)):
        name = rng.choice(["b", "i", "em", "strong", "a", "span", "mark", "u"])
        parts.append(
            rng.choice(
                [
                    words(rng),
                    words(rng)
                    + rng.choice([", ", "! ", " &amp; ", " &mdash; ", "&nbsp;", "\n\t", " caf&eacute; ", " &lt; "]),
                    f" {rng.choice(VARIABLES)} ",
                    f"<code>{rng.choice(HIDDEN)}</code>",
                    rng.choice(
                        ["<br>", "<br/>", "<wbr>", "<!-- SECRET -->", '<i class="icon"></i>', "<svg><g/></svg>"]
                    ),
                    f"<img src='/z.png' alt='{words(rng)}'>",
                    f"<kbd translate=no>{rng.choice(HIDDEN)}</kbd>",
                    f'<{name} class="xyz" title="{words(rng)} &quot;">{inline_html(rng, depth + 1) if depth < 3 else words(rng)}</{name}>',
                ]
            )
        )
    return rng.choice(["", " "]).join(parts)


def html_document(rng: random.Random) -> str:
    blocks = []
    for _ in range(rng.randint(1, 6)):
        inner = inline_html(rng)
        block = rng.choice(
            [
                f"<p>{inner}</p>",
                f"<h{rng.randint(1, 6)} id=xyz>{inner}</h2>",
                f"<ul>\n  <li>{inner}\n  <li>{inline_html(rng)}</li>\n</ul>",
                f"<table><tr><th>{inner}</th><td>\n {inline_html(rng)} </td></tr></table>",
                f"<pre>{rng.choice(HIDDEN)}</pre>",
                f"<script type=module>{rng.choice(HIDDEN)}<b></script>",
                f"<DIV CLASS=xyz\n>{inner}<P>{inline_html(rng)}</DIV>",
                f"<iframe src='https://x.y/?z'></iframe>{inner}",
                f"<figure><img src=x alt=river><figcaption>{inner}</figcaption></figure>",
                f"<x-card data-z='<p>SECRET</p>'>{inner}</x-card>",
                f'<p class="notranslate">{rng.choice(HIDDEN)}</p>',
            ]
        )
        blocks.append(block)
    return rng.choice(["", "\n", "\r\n\r\n", "  "]).join(blocks)


def inline_markdown(rng: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(rng.randint(1, 4)):
        inner = inline_markdown(rng, depth + 1) if depth < 2 else words(rng)
        parts.append(
            rng.choice(
                [
                    words(rng),
                    words(rng) + rng.choice([",", "!", " &copy; x", r" 2 \* 3", r" \[x\]", " (x)", " a-b", " x_y_z"]),
                    rng.choice(VARIABLES[:6]),
                    f"`{rng.choice(['SECRET', 'x * y', 'z | q'[:1]])}`",
                    f"**{words(rng)}**",
                    f"*{words(rng)} `x`*",
                    f"~~{words(rng)}~~",
                    f"[{inner if '[' not in inner else words(rng)}](/x/y_z 'ocean')",
                    f'![{words(rng)}](/z.png "river {words(rng)}")',
                    "<https://x.y/z_z>",
                    f"<b>{words(rng)}</b>",
                    "{{< xyz z_z=1 >}}",
                    "$x_1 * y_1$",
                    "[^1]",
                ]
            )
        )
    return " ".join(parts)


def markdown_document(rng: random.Random) -> str:
    blocks = ["---\ntitle: bread\n---"] if rng.random() < 0.1 else []
    for _ in range(rng.randint(1, 6)):
        first, second = inline_markdown(rng), inline_markdown(rng)
        block = rng.choice(
            [
                first,
                f"{first}\n{second}",
                f"{first}  \n{second}\\\n{words(rng)}",
                f"{'#' * rng.randint(1, 6)} {first}",
                f"{words(rng)}\n===",
                f"> {first}\n> {second}\n>\n> - {words(rng)}",
                f"- {first}\n  {second}\n- [ ] {words(rng)}\n\n  {words(rng)}\n  1. {words(rng)}",
                f"| {words(rng)} | `x` |\n|:---|---|\n| **{words(rng)}** | {words(rng)} \\| x |",
                "```js\nlet SECRET = 'bread';\n```",
                "    SECRET = `bread`",
                f"<div class='x'>\n<p>{words(rng)} <b>{words(rng)}</b></p>\n</div>",
                f":::note\n{first}\n:::",
                "***",
                f"<Tabs z={{['q', \"y\"]}}>\n\n{first}\n\n</Tabs>",
            ]
        )
        blocks.append(block)
    blocks.append("[^1]: ocean river\n\n[xyz]: /z (river)")
    return "\n\n".join(blocks) + "\n"


def soup(rng: random.Random, alphabet: list[str]) -> str:
    return "".join(rng.choices(alphabet, k=rng.randint(1, 40)))


def documents(write: Callable[[random.Random], str], alphabet: list[str]) -> Iterator[str]:
    rng = random.Random(20)
    for number in range(DOCUMENTS):
        yield write(rng) if number % 2 else soup(rng, alphabet)


def without_text(document: TextDocument) -> str:
    """The source without what the document takes for text: what is between the placeholders of its segments."""
    kept, position = [], 0
    for span in sorted(text_spans(document)):
        kept.append(document.source[position : span[0]])
        position = span[1]
    return "".join([*kept, document.source[position:]])


def text_spans(document: TextDocument) -> Iterator[tuple[int, int]]:
    for part in document._cuts:
        position = part.start
        for piece in sorted(part.pieces.values(), key=lambda piece: piece.start):
            yield position, piece.start
            position = piece.end
        yield position, part.end


def each_text(text: str, change: Callable[[str], str]) -> str:
    """A segment's text with every stretch between placeholders changed."""
    marks = [match.span() for match in PLACEHOLDER.finditer(text)]
    edges = [0, *(edge for mark in marks for edge in mark), len(text)]
    stretches = [text[start:end] for start, end in pairwise(edges)]
    return "".join(stretch if index % 2 or not stretch else change(stretch) for index, stretch in enumerate(stretches))


def told(document: TextDocument, change: Callable[[str], str]) -> str:
    return document.splice({segment.id: each_text(segment.text, change) for segment in document.segments})


def accented(text: str) -> str:
    return text.translate(ACCENTED)


class HtmlSkeleton(HTMLParser):
    """Tags, attributes, comments and code as another parser sees them; and the words that it sees in the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.text = ""
        self.hidden = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [(name, None if name in ("alt", "title") else value) for name, value in attrs]))
        self.text += "".join(f" {value} " for name, value in attrs if name == "alt")
        self.hidden += tag in ("code", "pre", "kbd", "script", "svg")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")
        self.hidden -= tag in ("code", "pre", "kbd", "script", "svg")

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))

    def handle_data(self, data: str) -> None:
        if self.hidden > 0:
            self.tags.append(("data", data))
        else:
            self.text += data


def markdown_skeleton(source: str) -> list[object]:
    """Tokens and code as another parser sees them, without text, titles, and the content of HTML blocks."""
    skeleton: list[object] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(source):
        for part in [token, *(token.children or [])]:
            if part.type in ("text", "softbreak", "inline"):
                continue
            attributes = {name: value for name, value in part.attrs.items() if name not in ("alt", "title")}
            content = part.content if part.type in ("code_inline", "code_block", "fence", "html_inline") else ""
            skeleton.append((part.type, part.tag, part.nesting, part.markup, part.level, attributes, content))
    return skeleton


def test_html_documents_keep_all_but_their_text() -> None:
    for number, source in enumerate(documents(html_document, HTML_SOUP)):
        document = cut_html(source, Ids())
        assert told(document, str) == source
        assert told(document, lambda _: "\ue000").replace("\ue000", "") == without_text(document)
        if number % 2:
            before, after = HtmlSkeleton(source), HtmlSkeleton(told(document, accented))
            assert after.tags == before.tags
            assert " ".join(after.text.translate(PLAIN).split()) == " ".join(before.text.translate(PLAIN).split())
            assert not any(word in after.text for word in WORDS)


def test_markdown_documents_keep_all_but_their_text() -> None:
    for number, source in enumerate(documents(markdown_document, MARKDOWN_SOUP)):
        document = cut_markdown(source, Ids())
        assert told(document, str) == source
        if number % 2:
            spliced = told(document, accented)
            assert spliced.translate(PLAIN) == source.translate(PLAIN)
            assert markdown_skeleton(spliced) == markdown_skeleton(source)
            # Front matter, code, and the label of a reference keep their words.
            assert not any(
                word in spliced.replace(": bread", "").replace("'bread", "").replace("`bread", "") for word in WORDS
            )


@settings(max_examples=200, deadline=None)
@given(
    st.text() | st.lists(st.sampled_from([*HTML_SOUP, *MARKDOWN_SOUP])).map("".join),
    st.sampled_from([Kind.PLAIN, Kind.HTML, Kind.MARKDOWN]),
)
def test_any_text_survives(source: str, kind: Kind) -> None:
    document = cut(source, kind)

    assert document.splice({segment.id: segment.text for segment in document.segments}) == source
    assert all(segment.text == segment.text.strip() != "" for segment in document.segments)
