"""The token user's own comments in the sidebar of an item in the Studio.

Directus stores them in a collection of their own from 11.2 on, and before that in its activity log.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from directus_assets.directus.client import DirectusClient

_COMMENT = {"action": {"_eq": "comment"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """One comment."""

    id: str
    text: str


@dataclass(frozen=True)
class OwnComments:
    """The comments by the token's user on items of one collection.

    Every method raises a `DirectusAssetsError` if Directus refuses or does not answer.
    """

    client: DirectusClient
    collection: str

    def read(self, items: Iterable[str]) -> dict[str, list[Comment]]:
        """The comments on each of these items that has any, oldest first."""
        author = "user_created" if self._is_collection else "user"
        conditions = [{"collection": {"_eq": self.collection}}, {author: {"_eq": self.client.own_user_id}}]
        found: dict[str, list[Comment]] = {}
        for row in self.client.rows_with(
            "/comments" if self._is_collection else "/activity",
            "item",
            items,
            matching={"_and": conditions if self._is_collection else [*conditions, _COMMENT]},
            fields=["id", "item", "comment"],
            sort="date_created,id" if self._is_collection else "id",
        ):
            found.setdefault(str(row["item"]), []).append(Comment(id=str(row["id"]), text=row["comment"] or ""))
        return found

    def add(self, item: str, text: str) -> None:
        """Add a comment to an item."""
        self.client.post(self._path, {"collection": self.collection, "item": item, "comment": text})

    def change(self, comment: Comment, text: str) -> None:
        """Change the text of the comment."""
        self.client.patch(f"{self._path}/{comment.id}", {"comment": text})

    def remove(self, comment: Comment) -> None:
        """Delete the comment."""
        self.client.delete(f"{self._path}/{comment.id}")

    @property
    def _path(self) -> str:
        return "/comments" if self._is_collection else "/activity/comment"

    @property
    def _is_collection(self) -> bool:
        return self.client.version.has_comments
