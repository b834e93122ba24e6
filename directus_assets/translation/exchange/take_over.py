"""Imports an agency's translations as human texts."""

from dataclasses import dataclass

from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import ChangedMeanwhile, PermanentError
from directus_assets.translation.cut_fields import cut_item
from directus_assets.translation.exchange.judgement import Judgement, judge_file
from directus_assets.translation.exchange.xliff import XliffFile
from directus_assets.translation.items import read_items
from directus_assets.translation.work import Translator, refuse_duplicates, refuse_unknown_language

_ROUNDS = 4
"""How often an item that is being edited is read again."""


@dataclass(frozen=True, kw_only=True)
class TakeOver:
    """Imports translations of one collection into one language.

    Args:
        translator: of the collection.
        target: the target language.
        source: the language translated from, as a BCP 47 tag.
        dry_run: only judge the file.
    """

    translator: Translator
    target: LanguageRow
    source: str
    dry_run: bool = False

    def carry_out(self, file: XliffFile) -> Judgement:
        """Import one item.

        Raises:
            PermanentError: nothing in it can be imported, or Directus refuses.
            ChangedMeanwhile: the item kept being edited.
            TransientError: Directus does not answer.
        """
        for _ in range(_ROUNDS):
            if (found := self._round(file)) is not None:
                return found
        raise ChangedMeanwhile(f"Item {file.item} of {file.collection} kept being edited while it was imported.")

    def _round(self, file: XliffFile) -> Judgement | None:
        """One attempt; None if the item was edited at the same time."""
        translator = self.translator
        scope = translator.scope
        found = read_items(translator.client, scope, [file.item], matching_only=False)
        if not found:
            raise PermanentError(f"There is no item {file.item} of {file.collection} (any more).")
        (item,) = found
        refuse_unknown_language(scope, item)
        for code in (item.source_language, self.target.code):
            refuse_duplicates(scope, item, code)
        assignment = translator.assignment(item, self.target)
        if assignment.source.tag.lower() != self.source.lower() or item.source_language == self.target.code:
            raise PermanentError(
                f"Item {item.key} of {file.collection} is written in {item.source_language}, and this is a translation "
                f"from {self.source} into {self.target.code}."
            )
        record = translator.record_of(item, self.target)
        judgement = judge_file(
            file,
            assignment=assignment,
            documents=cut_item(scope, item),
            shares={name: translator.share(record, item, self.target, name) for name in item.source},
        )
        if self.dry_run or not judgement.good:
            return judgement
        refused = translator.take_over(
            item,
            self.target,
            {each.name: each.value for each in judgement.fields},
            fields={each.name: each.record for each in judgement.fields},
            segments={segment: text for each in judgement.fields for segment, text in each.texts.items()},
            learnt=judgement.good,
        )
        return None if refused is None else judgement.without(refused)
