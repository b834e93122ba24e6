from typing import Any

from directus_assets.commands.setup.picture_fields import picture_fields


def relation(collection: str, field: str, related: str | None, **meta: Any) -> dict[str, Any]:
    return {"collection": collection, "field": field, "related_collection": related, "meta": meta or None}


def test_files_and_lists_of_files_are_found_and_what_directus_itself_shows_is_not() -> None:
    found = picture_fields(
        [
            relation("posts", "cover", "directus_files"),
            relation("posts", "author", "directus_users"),
            relation("directus_users", "avatar", "directus_files"),
            relation("posts_files", "file", "directus_files", junction_field="posts_id"),
            relation("posts_files", "posts_id", "posts", one_field="gallery", junction_field="file"),
            relation("cards", "icon", "directus_files"),
            relation("cards", "posts_id", "posts", one_field="cards"),
            relation("posts_blocks", "item", None, one_field=None, junction_field="posts_id"),
        ]
    )

    assert found == {"cards": ("icon",), "posts": ("cover", "gallery.file")}
