"""Builds a small website from an export: pictures that fit every screen, and posts in every language.

::

    python examples/static-site/build.py exports site

Pictures come from the output folder of delivery `export`, posts from the Directus at DIRECTUS_URL (with DIRECTUS_TOKEN
if they are not public). It needs nothing but Python.
"""

import argparse
import base64
import html
import json
import math
import os
import struct
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BEST_FIRST = ("image/avif", "image/webp")
"""A browser takes the first type that it knows; all others follow as they are."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
"""Those of BlurHash."""

STYLE = """
body { font: 17px/1.6 system-ui, sans-serif; max-width: 68rem; margin: 0 auto; padding: 1rem; color: #1a2233; }
nav a { margin-right: 1rem; } a { color: #4c3bcf; text-decoration: none; } h1, h2 { line-height: 1.2; }
img { width: 100%; height: auto; border-radius: 10px; }
main.posts { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 2rem; }
"""


def picture(row: Mapping[str, Any], preset: str, *, sizes: str, base: str) -> str:
    """A `<picture>` that shows a file as a preset does, in whichever of the sizes fits best.

    Args:
        row: the file in the manifest.
        preset: how it is to look. All derivatives that look the same are offered.
        sizes: how wide it is shown, as the attribute of that name.
        base: the address of the export's folder.
    """
    outputs = row["presets"][preset]
    shown = min(outputs, key=lambda output: output["type"] in BEST_FIRST)
    sources = [
        f'<source type="{output["type"]}" sizes="{sizes}" srcset="{srcset(row, output, base)}">'
        for output in sorted(outputs, key=lambda output: rank(output["type"]))
    ]
    attributes = {
        "src": address(shown, base),
        "width": shown["width"],
        "height": shown["height"],
        "alt": row.get("alt") or row.get("description") or "",
        "loading": "lazy",
        # There until the picture is.
        "style": f"background: {row['dominant_colour']} url({blurred(row['blurhash'])}) 0 0 / 100% 100%",
    }
    image = " ".join(f'{name}="{html.escape(str(value))}"' for name, value in attributes.items())
    return f"<picture>{''.join(sources)}<img {image}></picture>"


def blurred(blurhash: str, width: int = 20, height: int = 15) -> str:
    """A BlurHash (https://blurha.sh) as a tiny PNG in a `data:` URI."""
    size, most = number(blurhash[0]), (number(blurhash[1]) + 1) / 166
    across, mean = size % 9 + 1, number(blurhash[2:6])
    colours = [[linear(mean >> 16), linear(mean >> 8 & 255), linear(mean & 255)]]
    for start in range(6, len(blurhash), 2):
        value = number(blurhash[start : start + 2])
        levels = [(level - 9) / 9 for level in (value // 361, value // 19 % 19, value % 19)]
        colours.append([math.copysign(level**2, level) * most for level in levels])
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # PNG's filter type: none.
        for x in range(width):
            waves = [
                math.cos(math.pi * x / width * (index % across)) * math.cos(math.pi * y / height * (index // across))
                for index in range(len(colours))
            ]
            for band in range(3):
                light = sum(wave * colour[band] for wave, colour in zip(waves, colours, strict=True))
                rows.append(encoded(light))
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def number(digits: str) -> int:
    """A number as BlurHash writes it."""
    value = 0
    for digit in digits:
        value = value * len(DIGITS) + DIGITS.index(digit)
    return value


def linear(level: int) -> float:
    """The linear intensity of an sRGB level."""
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def encoded(light: float) -> int:
    """The sRGB level of a linear intensity."""
    value = max(0.0, min(1.0, light))
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def srcset(row: Mapping[str, Any], output: Mapping[str, Any], base: str) -> str:
    """The candidates that may stand in for an output, each at an address that changes with its content."""
    everything = {each["path"]: each for outputs in row["presets"].values() for each in outputs}
    for candidates in row["srcset"].values():
        named = [candidate.rsplit(" ", 1) for candidate in candidates.split(", ")]
        found = [(everything[urllib.parse.unquote(path)], width) for path, width in named]
        if any(each["type"] == output["type"] and each.get("look") == output.get("look") for each, _ in found):
            return html.escape(", ".join(f"{address(each, base)} {width}" for each, width in found))
    return html.escape(f"{address(output, base)} {output['width']}w")


def address(output: Mapping[str, Any], base: str) -> str:
    """Where a derivative is. With its digest, so that it may be cached for ever."""
    return f"{base}/{urllib.parse.quote(output['path'])}?v={output['sha256'][:12]}"


def rank(kind: str) -> int:
    """The place of a type among the sources."""
    return BEST_FIRST.index(kind) if kind in BEST_FIRST else len(BEST_FIRST)


def read_posts(url: str, token: str) -> list[dict[str, Any]]:
    """All published posts with their translations."""
    query = {"fields": "id,image,translations.*", "filter[status][_eq]": "published", "sort": "id", "limit": "-1"}
    request = urllib.request.Request(f"{url}/items/posts?{urllib.parse.urlencode(query)}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return list(json.load(answer)["data"])


def page(title: str, language: str, languages: Iterable[str], name: str, content: str) -> str:
    """One page, with links to itself in all languages."""
    links = "".join(f'<a href="../{code}/{name}" hreflang="{code}">{code}</a>' for code in languages)
    return (
        f'<!doctype html><html lang="{language}" dir="auto"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><nav>{links}</nav>{content}</html>\n"
    )


def pages(posts: Iterable[Mapping[str, Any]], files: Mapping[str, Any], base: str) -> dict[str, str]:
    """All pages by their paths: for each language a list of its posts, and each post."""
    texts = {(text["languages_code"], post["id"]): (post, text) for post in posts for text in post["translations"]}
    shown = {key: found for key, found in texts.items() if found[1]["title"]}
    languages = sorted({code for code, _ in shown})
    made = {}
    for code in languages:
        cards = []
        for (own, key), (post, text) in shown.items():
            if own != code:
                continue
            row, title = files.get(post["image"]), html.escape(text["title"])
            small = picture(row, "card", sizes="(min-width: 70rem) 20rem, 100vw", base=base) if row else ""
            large = picture(row, "hero", sizes="(min-width: 70rem) 68rem, 100vw", base=base) if row else ""
            summary = html.escape(text.get("summary") or "")
            cards.append(f'<a href="{key}.html">{small}<h2>{title}</h2></a><p>{summary}</p>')
            others = [each for each in languages if (each, key) in shown]
            # What editors write in Directus is HTML already.
            article = f"<article>{large}<h1>{title}</h1>{text.get('body') or ''}</article>"
            made[f"{code}/{key}.html"] = page(text["title"], code, others, f"{key}.html", article)
        content = "".join(f"<section>{card}</section>" for card in cards)
        made[f"{code}/index.html"] = page(
            "Posts", code, languages, "index.html", f'<main class="posts">{content}</main>'
        )
    return made


def main() -> None:
    """Builds the website."""
    parser = argparse.ArgumentParser(description="Builds a small website from an export.")
    parser.add_argument("export", type=Path, help="the folder that delivery `export` writes")
    parser.add_argument("site", type=Path, help="the folder of the website")
    arguments = parser.parse_args()
    files = json.loads((arguments.export / "manifest.json").read_text("utf-8"))["files"]
    posts = read_posts(os.environ.get("DIRECTUS_URL", "http://127.0.0.1:8055"), os.environ.get("DIRECTUS_TOKEN", ""))
    base = os.path.relpath(arguments.export, arguments.site / "language").replace(os.sep, "/")
    made = pages(posts, files, base)
    for name, content in made.items():
        (arguments.site / name).parent.mkdir(parents=True, exist_ok=True)
        (arguments.site / name).write_text(content, "utf-8")
    print(f"{len(made)} pages in {arguments.site}")


if __name__ == "__main__":
    main()
