"""Distinguishes four meanings of "too long" by the wording of a refusal, since each has a different remedy.

- The model's own output limit: request no more than that, and continue what was cut off.
- The context size, or a token rate limit that a single request exceeds: request less output if that is enough, else
  send less at once.
- Not enough credit for the requested output, although it will hardly be that long: request what can be paid.
- (Thinking that eats the output is no refusal; see `chat_client.py`.)
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from directus_assets.spending.server_words import Refusal


class LimitOf(Enum):
    """The limited quantity."""

    OUTPUT = "the tokens that the model can answer with"
    TOTAL = "the tokens of a request and its answer together"
    CREDIT = "the output that the account can pay for"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit that a request exceeds.

    `tokens` is the limit, `given` the number of tokens that the prompt needs, and `asked` the total of the request
    including the requested output, as far as the server tells.
    """

    of: LimitOf
    tokens: int | None = None
    given: int | None = None
    asked: int | None = None

    def given_of(self, prompt_tokens: int, *, cap: int) -> int:
        """The tokens of the prompt: as the server counts them, else an estimate with a margin."""
        if self.given is not None:
            return self.given
        return prompt_tokens * 5 // 4 if self.asked is None or self.asked <= cap else self.asked - cap


_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[,_](?=\d{3})")
_CREDIT: Final = re.compile(r"can only afford (?P<tokens>\d+)", re.IGNORECASE)
_RATE: Final = re.compile(r"\bLimit:? (?P<limit>\d+).{0,60}\bRequested:? (?P<asked>\d+)", re.IGNORECASE | re.DOTALL)
_MUST: Final = r"max_(?:\w+_)?tokens\W{1,3}(?:value )?(?:must|should|has to|needs to|cannot|can't|may not) .{0,40}?"
_BE: Final = (
    r"(?:less than or equal to|<=|at most|greater than|exceed|between \d+ and|no more than)\W{1,3}(?P<tokens>\d+)"
)
_OUTPUT: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"at most (?P<tokens>\d+) (?:completion|output|new) tokens",
        r"(?P<tokens>\d+),? which is the maximum allowed number of output tokens",
        r"range of max_(?:\w+_)?tokens is \[\d+, ?(?P<tokens>\d+)\]",
        _MUST + _BE,
        r"(?:maximum|limit)[^.]{0,40}\b(?:output|completion) tokens?[^.]{0,40}?(?P<tokens>\d+)",
        r"maxOutputTokens[^.]{0,80}?(?:to|and|than) (?P<tokens>\d+)",
    )
)
_CONTEXT: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # Not the status after the message: "Context size has been exceeded", "code": 400.
        r"(?:maximum |available )?context (?:length|size|window)(?:(?!\bcode\b)\D){0,30}?(?P<tokens>\d+)",
        r"max_model_len\D{0,6}(?P<tokens>\d+)",
        r"max_new_tokens\W{0,3} must be <= (?P<tokens>\d+)",
        r"> (?P<tokens>\d+) maximum",
    )
)
_GIVEN: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<given>\d+) (?:in|from) the (?:input )?(?:messages|prompt)",
        r"(?P<given>\d+) (?:of text )?input tokens",
        r"request \((?P<given>\d+) tokens\)",
        r"Given: (?P<given>\d+) ",
        r"prompt is too long: (?P<given>\d+)",
    )
)
_TOO_LONG: Final = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too (?:long|large|many tokens)|reduce the length"
    r"|exceed\w* .{0,40}(?:tokens|length|limit|context)|max_model_len"
    r"|max_(?:completion_|new_)?tokens\W.{0,40}too large",
    re.IGNORECASE,
)
_NO_CREDIT: Final = re.compile(
    r"insufficient.?(?:balance|credit|funds|quota)|credit balance|requires? more credits"
    r"|billing.{0,20}limit|payment required",
    re.IGNORECASE,
)


_THROTTLED: Final = re.compile(
    r"throttl|too many requests|rate.?limit.{0,20}(?:exceeded|reached)|please wait before|capacity.?exceeded"
    r"|overloaded",
    re.IGNORECASE,
)


def limit_in(refusal: Refusal) -> Limit | None:
    """The limit that a refused request exceeds; None if the refusal is about something else, or is transient."""
    words = _BETWEEN_DIGITS.sub("", f"{refusal.said} {refusal.whole}")
    affordable = _CREDIT.search(words)
    if affordable or is_out_of_credit(refusal):
        return Limit(of=LimitOf.CREDIT, tokens=int(affordable["tokens"]) if affordable else None)
    if refusal.status in (413, 429):
        return _rate_limit(refusal.status, words)
    if refusal.status not in (400, 404, 422, 500) or is_throttled(refusal):
        return None
    if refusal.status != 500 and (own := _number(_OUTPUT, words, "tokens")):
        return Limit(of=LimitOf.OUTPUT, tokens=own)
    if not _TOO_LONG.search(words) and not re.search("context_(?:length|size)", refusal.code):
        return None
    return Limit(of=LimitOf.TOTAL, tokens=_number(_CONTEXT, words, "tokens"), given=_number(_GIVEN, words, "given"))


def is_out_of_credit(refusal: Refusal) -> bool:
    """Whether it says that no credit is left, which waiting does not change."""
    if refusal.status == 402 or refusal.code == "insufficient_quota":
        return True
    return refusal.status in (400, 403, 429) and bool(_NO_CREDIT.search(refusal.said))


def is_throttled(refusal: Refusal) -> bool:
    """Whether waiting helps, although the status says otherwise: Bedrock's 400, Groq's 498."""
    is_odd = 400 <= refusal.status < 500 and refusal.status not in (401, 404, 413, 422, 429)
    return is_odd and bool(_THROTTLED.search(f"{refusal.said} {refusal.code} {refusal.whole}"))


def _rate_limit(status: int, words: str) -> Limit | None:
    """A limit that this request exceeds by itself, however long it waits."""
    told = _RATE.search(words)
    if told and int(told["asked"]) > int(told["limit"]):
        return Limit(of=LimitOf.TOTAL, tokens=int(told["limit"]), asked=int(told["asked"]))
    is_too_large = status == 413 or re.search(r"request (?:is |was )?too large", words, re.IGNORECASE)
    return Limit(of=LimitOf.TOTAL) if is_too_large else None


def _number(patterns: tuple[re.Pattern[str], ...], words: str, name: str) -> int | None:
    return next(
        (int(found[name]) for pattern in patterns if (found := pattern.search(words)) and int(found[name]) > 0), None
    )
