"""A table with samples of the demo's enrichments: some alternative texts, and labels and related posts."""

from typing import Any

from rich.table import Table

from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus

_PICTURES = 4
_TITLE = "translations.title"


def samples(directus: LocalDirectus) -> Table:
    """Build the table.

    Raises:
        DirectusAssetsError: Directus does not answer.
    """
    table = Table(title="Sample results")
    for name in ("what", "of", "found"):
        table.add_column(name)
    with DirectusClient(directus.url, directus.admin_token) as admin:
        described: dict[str, Any] = {"description": {"_nnull": True}}
        files = admin.get("/files", fields=["title", "description"], filter=described, sort="title", limit=_PICTURES)
        for file in files:
            table.add_row("alt text", file["title"], file["description"])
        fields = ["labels", _TITLE, "related.sort", f"related.related_posts_id.{_TITLE}"]
        for post in admin.get("/items/posts", fields=fields, sort="id", limit=-1):
            table.add_row("labels", _title(post), ", ".join(post["labels"] or ["none of the list"]))
            near = sorted(post["related"], key=lambda row: row["sort"] or 0)
            table.add_row("related", "", "; ".join(_title(row["related_posts_id"]) for row in near) or "none")
    return table


def _title(post: dict[str, Any]) -> str:
    return next((row["title"] for row in post["translations"] if row["title"]), "untitled")
