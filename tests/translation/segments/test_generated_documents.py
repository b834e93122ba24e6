"""Ten thousand generated documents: everything that is not text survives each of them."""

# ruff: noqa: E501  # grammars and alphabets are read by eye, not line by line

import random
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from directus_assets.translation.segments import PLACEHOLDER, TextKind, cut
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
VARIABLES = ["{{ user.xyz }}", "{0}", "%s", "https://a.b/c_d?e=f", "x@y.zz", ":tada:"]

HTML_SOUP = [
    *WORDS, " ", " ", "\n", "<p>", "</p>", "<b>", "</b>", "<i class='x'>", "</i>", "<br>", "<br/>", "<div>", "</div>", "<ul>", "<li>",
    "</ul>", "<a href='/x' title='bread'>", "</a>", '<img alt="coffee" src=x>', "<img alt=river>", "<code>", "</code>", "<pre>", "</pre>",
    "<script>", "</script>", "<style>", "</style>", "<!-- ", " -->", "<!", "<", ">", "</", "<x", "&amp;", "&nbsp;", "&", "&#233;", "&lt;b&gt;",
    "<svg>", "</svg>", "<title>", "</title>", "<span translate=no>", "</span>", '<td title="', '"', "'", "=", "{{ x }}", "%s", "<g1>", "<x1/>",
    "<table><tr>", "<x-y title='no'>", "</x-y>", "<textarea>", "</textarea>", "\x00", "\ufeff", "日本語", "🎉", '<A B C="d>e" /f>', "<p", "<![CDATA[", "]]>",
]  # fmt: skip
MARKDOWN_SOUP = [
    *WORDS, " ", " ", " ", "\n", "\n", "\n\n", "\n\n", "    ", "\t", "# ", "## ", "> ", "- ", "1. ", "*", "**", "_", "__", "~~", "`", "``", "```\n",
    "[", "]", "(", ")", "](/x)", '](/x "river")', "![", "[^1]", "\n[^1]: ", "\n[bread]: /y 'ocean'\n", "[bread]", "<b>", "</b>", "<div>\n",
    "</div>\n", "<!-- ", " -->", "<http://a.b>", "http://a.b/c_d", "&amp;", "&copy;", "\\", "\\*", "\\\n", "  \n", "| ", "|---|---|\n", "\n---\n",
    "\n===\n", "***\n", "{{ a*b }}", "{", "}", "{{< x >}}", "\n:::note\n", "$", "$a_b$", ": ", "[ ] ", "<Tab x={1}>", "日本語", "🎉", "\r\n", "+++\n",
    "title: x\n", "import x from 'y'\n", "<g1>", "<code>", "</code>", "%s", "\x00", "\u00a0", "!",
]  # fmt: skip


# Rules of a grammar: each `§name` is replaced by a choice from the rule of that name.
Grammar = dict[str, list[str]]
COMMON: Grammar = {
    "words": ["§word", "§word §word", "§word §word §word §word", "§word §script §word §word §word", "§script"],
    "word": WORDS,
    "script": SCRIPTS,
    "hidden": HIDDEN,
    "variable": VARIABLES,
}
HTML: Grammar = COMMON | {
    "document": ["§block", "§block\n§block", "§block§block\r\n\r\n§block", "§block  §block<!-- SECRET -->\n§block\n§block"],
    "name": ["b", "i", "em", "strong", "a", "span", "mark", "u"],
    "inline": [
        "§words", "§words §inline", "§inline §inline", "§inline§inline", "§words§sign§words", " §variable §inline", "§empty§words",
        "<code>§hidden</code>", "<kbd translate=no>§hidden</kbd> §inline", "<img src='/z.png' alt='§words'>",
        '<§name class="xyz" title="§words &quot;">§inline</b>', "<b>§inline</b> §inline", '<a href="/z">§inline</a>', "<i\n>§inline</i>",
    ],
    "sign": [", ", "! ", " &amp; ", " &mdash; ", "&nbsp;", "\n\t", " caf&eacute; ", " &lt; ", " > "],
    "empty": ["<br>", "<br/>", "<wbr>", "<!-- SECRET -->", '<i class="icon"></i>', "<svg><g/></svg>"],
    "block": [
        "<p>§inline</p>", "<h2 id=xyz>§inline</h3>", "<ul>\n  <li>§inline\n  <li>§inline</li>\n</ul>", "<pre>§hidden</pre>", "§inline",
        "<table><tr><th>§inline</th><td>\n §inline </td></tr></table>", "<script type=module>§hidden<b></script>", "<hr>",
        "<DIV CLASS=xyz\n>§inline<P>§inline</DIV>", "<iframe src='https://x.y/?z'></iframe>§inline", '<p class="notranslate">§hidden</p>',
        "<figure><img src=x alt=river><figcaption>§inline</figcaption></figure>", "<x-card data-z='<p>SECRET</p>'>§inline</x-card>",
    ],
}  # fmt: skip
MARKDOWN: Grammar = COMMON | {
    "document": ["§blocks§end", "---\ntitle: bread\n---\n\n§blocks§end"],
    "end": ["\n\n[^1]: ocean river\n\n[xyz]: /z (river)\n"],
    "blocks": ["§block\n\n§block", "§block\n\n§block\n\n§blocks"],
    "inline": ["§words", "§words§sign §inline", "§words §inline", "§span §inline", "§span"],
    "sign": [",", "!", " &copy; x", r" 2 \* 3", r" \[x\]", " (x)", " a-b", " x_y_z"],
    "span": [
        "§variable", "`SECRET`", "`x * y`", "**§words**", "*§words `x`*", "~~§words~~", "[§words **§words**](/x/y_z 'ocean')", "[^1]", "$x_1 * y_1$",
        '![§words](/z.png "river §words")', "<https://x.y/z_z>", "<b>§words</b>", "{{< xyz z_z=1 >}}", "[![§words](z.png)](/x)",
    ],
    "block": [
        "§inline", "§inline\n§inline", "§inline  \n§inline\\\n§words", "### §inline", "§words\n===", "> §inline\n> §inline\n>\n> - §words", "***",
        "- §inline\n  §inline\n- [ ] §words\n\n  §words\n  1. §words", "| §words | `x` |\n|:---|---|\n| **§words** | §words \\| x |",
        "```js\nlet SECRET = 'bread';\n```", "    SECRET = `bread`", "<div class='x'>\n<p>§words <b>§words</b></p>\n</div>", ":::note\n§inline\n:::",
        "<Tabs z={['q', \"y\"]}>\n\n§inline\n\n</Tabs>",
    ],
}  # fmt: skip


def written(rng: random.Random, grammar: Grammar, rule: str = "document", depth: int = 0) -> str:
    choice = "§words" if rule == "inline" and depth > 6 else rng.choice(grammar[rule])
    return re.sub("§([a-z]+)", lambda name: written(rng, grammar, name[1], depth + 1), choice)


def soup(rng: random.Random, alphabet: list[str]) -> str:
    return "".join(rng.choices(alphabet, k=rng.randint(1, 40)))


def documents(grammar: Grammar, alphabet: list[str]) -> Iterator[str]:
    rng = random.Random(20)
    for number in range(DOCUMENTS):
        yield written(rng, grammar) if number % 2 else soup(rng, alphabet)


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
    for number, source in enumerate(documents(HTML, HTML_SOUP)):
        document = cut_html(source, Ids())
        assert told(document, str) == source
        assert told(document, lambda _: "\ue000").replace("\ue000", "") == without_text(document)
        if number % 2:
            before, after = HtmlSkeleton(source), HtmlSkeleton(told(document, accented))
            assert after.tags == before.tags
            assert " ".join(after.text.translate(PLAIN).split()) == " ".join(before.text.translate(PLAIN).split())
            assert not any(word in after.text for word in WORDS)


def test_markdown_documents_keep_all_but_their_text() -> None:
    for number, source in enumerate(documents(MARKDOWN, MARKDOWN_SOUP)):
        document = cut_markdown(source, Ids())
        assert told(document, str) == source
        # Raises if the markup changes, also in what no person would write.
        spliced = told(document, accented)
        if number % 2:
            assert spliced.translate(PLAIN) == source.translate(PLAIN)
            assert markdown_skeleton(spliced) == markdown_skeleton(source)
            # Front matter, code, and the label of a reference keep their words.
            assert not any(
                word in spliced.replace(": bread", "").replace("'bread", "").replace("`bread", "") for word in WORDS
            )


@settings(max_examples=200)
@given(
    st.text() | st.lists(st.sampled_from([*HTML_SOUP, *MARKDOWN_SOUP])).map("".join),
    st.sampled_from([TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN]),
)
def test_any_text_survives(source: str, kind: TextKind) -> None:
    document = cut(source, kind)

    assert document.splice({segment.id: segment.text for segment in document.segments}) == source
    assert all(segment.text == segment.text.strip() != "" for segment in document.segments)
