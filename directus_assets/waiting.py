"""The text of an item's Studio comment about what waits for a person: created, changed, and emptied.

The comment has a section for each output that waits: a language of a translation, or an enrichment. The text is the
only state: sections are identified by their headings, and every line that comes from an item is a quotation, which
never looks like one.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

NEEDS_REVIEW = "needs review"
NOT_MADE = "Could not be made"
"""Identifies comments of one kind."""

HEADING = "#### "
"""Each section, and so each comment, begins with it."""
_LONGEST_QUOTATION = (1200, 300, 60)
"""Characters per text; less if the whole would be too long."""
_LONGEST_COMMENT = 40_000
"""Bytes. MySQL stores 65,535."""
_MARKUP = re.compile(r"[\\`*_{}\[\]()<>#+.!|~&@-]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A human text that stays although its source has changed.

    An enrichment has no single source: both are empty there.
    """

    field: str
    human: str
    proposal: str
    old_source: str = ""
    new_source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Why one output of an item waits for a person: passages to review, or a fault that only they can fix."""

    title: str
    """The title of the output, unique within the item."""
    passages: tuple[Passage, ...] = ()
    fault: str = ""
    remedy: str = ""

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes, each reported once: every passage, with a digest of what it is about."""
        return tuple(f"{self.title}: {each.field}: {_digest(each)}" for each in self.passages)


def with_notice(comment: str, notice: Notice) -> str:
    """The comment after the output starts to wait because of `notice`."""
    sections = _sections(comment)
    for longest in _LONGEST_QUOTATION:
        text = _joined({**sections, _escaped(notice.title): _section(notice, longest)})
        if len(text.encode("utf-8", "surrogatepass")) <= _LONGEST_COMMENT:
            return text
    bare = Notice(title=notice.title, fault=f"{len(notice.passages)} texts are waiting, too many to show here.")
    return _joined({**sections, _escaped(notice.title): _section(bare, _LONGEST_QUOTATION[0])})


def without_notice(comment: str, title: str) -> str:
    """The comment after the output with this title is resolved; empty if nothing waits any more."""
    return _joined({name: text for name, text in _sections(comment).items() if name != _escaped(title)})


def _sections(comment: str) -> dict[str, str]:
    """The sections by their escaped titles, each with its heading; text before the first one is not ours."""
    parts = re.split(rf"^{HEADING}", comment, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].strip(): HEADING + part.strip() for part in parts}


def _joined(sections: Mapping[str, str]) -> str:
    return "\n\n".join(sections.values())


def _section(notice: Notice, longest: int) -> str:
    lines = [f"{HEADING}{_escaped(notice.title)}"]
    if notice.fault:
        lines += [f"{NOT_MADE}: {_escaped(notice.fault)}", _escaped(notice.remedy)]
    for each in notice.passages:
        source = each.old_source or each.new_source
        why = "its source has changed since" if source else "its input has changed since"
        lines.append(
            f"**{_escaped(each.field)}** {NEEDS_REVIEW}: this text was written by a person and kept, but {why}."
        )
        for name, text in (
            ("Source before", each.old_source),
            ("Source now", each.new_source),
            ("Text of a person, kept", each.human),
            ("Proposal", each.proposal),
        ):
            if text:
                lines += [f"{name}:", _quoted(text, longest)]
    return "\n\n".join(line for line in lines if line)


def _quoted(text: str, longest: int) -> str:
    shown = text if len(text) <= longest else f"{text[:longest].rstrip()} …"
    return "\n".join(f"> {_escaped(line)}" for line in shown.splitlines())


def _escaped(text: str) -> str:
    """Escape a text for Markdown, so that it cannot load pictures or mention users."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _digest(passage: Passage) -> str:
    return hashlib.sha256(f"{passage.new_source}\0{passage.human}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
