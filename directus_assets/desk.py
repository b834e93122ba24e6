"""Reports in the Studio what waits for people: a comment on the item, and a notification for whoever changed it last.

All state is in Directus: our own comment on an item is read before it is changed. So nothing is repeated, whichever
process works on the item, and state lost here is recovered there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.comments import Comment, OwnComments
from directus_assets.directus.storage import Storage
from directus_assets.errors import Forbidden, NotFound, TransientError, as_error
from directus_assets.notify import Cause, Letter, last_editors, tell_new, tell_of_reviews
from directus_assets.waiting import Notice, with_notice, without_notice

_SETTLED = "Nothing waits here any more."
_RECENT_DAYS = 7
"""Editors are not notified of older changes: otherwise a backfill would flood them."""


@dataclass
class Desk:
    """Studio comments and notifications of one run; not thread-safe.

    Args:
        client: Directus.
        storage: records what people have been told.
        collection: of the items.
        items: the keys of the run's items; their comments are read together.
        warn: receives what could not be reported, with the reason.
        notifies: whether to notify whoever changed an item last; the comment is made in any case.
    """

    client: DirectusClient
    storage: Storage
    collection: str
    items: Sequence[str]
    warn: Callable[[str], None]
    notifies: bool = True
    _causes: list[Cause] = field(default_factory=list)
    _is_forbidden: bool = False

    def waits(self, item: str, notice: Notice) -> None:
        """Report that an output of an item waits for a person.

        Raises:
            TransientError: Directus does not answer: nothing was reported, and a retry may help.
        """
        self._change(item, partial(with_notice, notice=notice))
        self._causes += [Cause(collection=self.collection, item=item, text=cause) for cause in notice.causes]

    def is_right(self, item: str, title: str) -> None:
        """Report that the output with this title does not (or no longer) wait.

        Raises:
            TransientError: as for `waits`.
        """
        self._change(item, partial(without_notice, title=title))

    def notify(self) -> None:
        """Notify people of reviews waiting since this run. Problems are only passed to `warn`."""
        if not (self._causes and self.notifies):
            return

        def warn(reason: str) -> None:
            self.warn(f"Could not notify the last editors of these items that a review is waiting: {reason}")

        tell_new(self.storage, self._causes, self._letters, warn=warn)

    def _letters(self, new: Sequence[Cause]) -> Iterator[Letter]:
        items = list(dict.fromkeys(cause.item for cause in new))
        editors = last_editors(self.client, self.collection, items, within_days=_RECENT_DAYS) if items else {}
        for editor in dict.fromkeys(editors.values()):
            own = [item for item in items if editors.get(item) == editor]
            yield Letter(
                causes=[cause for cause in new if editors.get(cause.item) == editor],
                send=partial(tell_of_reviews, self.client, editor, collection=self.collection, items=own),
            )

    @cached_property
    def _seen(self) -> dict[str, list[Comment]]:
        """Comments on the items of this run, as of the first access."""
        return self._comments.read(self.items)

    @property
    def _comments(self) -> OwnComments:
        return OwnComments(self.client, self.collection)

    def _change(self, item: str, change: Callable[[str], str]) -> None:
        """A refusal by Directus, or a comment that cannot be parsed, is only logged: the work itself is done."""
        if self._is_forbidden:
            return
        try:
            if not _is_written(change, self._seen.get(item, [])):
                # Another run may be processing the same item: what it has reported in the meantime stays.
                self._write(item, change, self._comments.read([item]).get(item, []))
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - a comment that cannot be made must not fail an output
            self._is_forbidden = isinstance(error, Forbidden)
            self.warn(f"Could not add Studio comments about items waiting for editors: {as_error(error)}")

    def _write(self, item: str, change: Callable[[str], str], comments: Sequence[Comment]) -> None:
        text = change(_text(comments))
        kept, surplus = (comments[:1], comments[1:]) if text else ((), comments)
        for comment in surplus:
            try:
                self._comments.remove(comment)
            except (Forbidden, NotFound):  # already gone, or there is no right to delete
                self._comments.change(comment, _SETTLED)
        for comment in kept:
            try:
                self._comments.change(comment, text)
            except (Forbidden, NotFound):
                kept = ()  # someone has just deleted it
        if text and not kept:
            self._comments.add(item, text)
        self._seen[item] = [Comment(id="", text=text)] if text else []


def _text(comments: Sequence[Comment]) -> str:
    """Runs that start at the same time may both create a comment; together they show everything that waits."""
    return "\n\n".join(comment.text for comment in comments)


def _is_written(change: Callable[[str], str], comments: Sequence[Comment]) -> bool:
    text = _text(comments)
    return change(text) == text and not comments[1:]
