"""Tells languages apart by their most common words, in texts that are too short for statistics.

A text is in another language if it has words of that language, which the target does not have, and none of the words
that only the target has. Names do not count, nor words from the source.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from directus_assets.translation.case import WORD, Case
from directus_assets.translation.languages import Language

# A word that is common in one language and possible in another belongs to the lists of both.
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    base: frozenset(words.split())
    for base, words in {
        "de": "und der die das den dem des ein eine einen einem einer ist sind war wird wir ihr sie ich du es mit für "
        "von zu auf im am nicht auch oder aber dass wenn wie was bei nach aus über zum zur sich unsere unser "
        "ihre dich dir uns jeden alle mehr noch hat haben kann an in um so da man nur hier diese dieser als bis "
        "durch vor alles immer",
        "en": "the and of is are was you your we our it this that with for from not have has can will they he she his "
        "her my be at by on as an to or but what when how who all more us in a so do me if no am man die war "
        "hat den also does were their there here been which these those into do its out up",
        "fr": "le la les des du un une et est sont pour avec dans sur par pas ne que qui nous vous notre votre nos "
        "vos ce cette ces il elle ils se sa son ses mon ma au aux plus ou mais comme tout tous très été être à "
        "de en y on non si me te tu leur chaque ici même sans sous",
        "es": "el la los las un una y de del al en con por para que es son no se su sus lo le nuestro nuestra "
        "nuestros nuestras más muy también pero como cada este esta está están hay usted ustedes hoy mañana día "
        "días aquí qué cómo cuándo o u me te mi tu si sí ya desde hasta sobre entre todo todos todas siempre a "
        "e os nos dos da mas pelo sin ser fue ha he vez as boa fresco das pela do les per on com",
        "pt": "o a os as um uma e de do da dos das em no na nos nas por para que é são não se seu sua seus suas mais "
        "muito também mas como cada este esta está estão há você vocês hoje amanhã dia dias aqui ao aos à às ou "
        "nosso nossa nossos nossas já foi até pelo pela sobre todo todos todas sempre isso ele ela entre desde "
        "te me tu si ser sem vez conosco fresco más boa al y mi on",
        "it": "il lo la i gli le un uno una e ed è sono di del della dello dei degli delle da dal in nel nella con su "
        "per che non si nostro nostra nostri vostro vostra più molto anche ma come ogni questo questa tutti "
        "tutto giorno o a al alla ci noi voi tu te mi ti ha sua suo sempre se chi no so sei era fa fresco",
        "ca": "el la els les un una i de del al amb per que és són no es se seu seva nostre nostra més molt també "
        "però com cada aquest aquesta hi ha què avui demà sempre o a en on si ser dos tu para por son lo aquí "
        "sí sobre entre he mas as nos os me te mi us em ou nas na",
        "ro": "și un o de la în cu pe pentru este sunt nu se din mai foarte dar care că noi voi tu ce sau al ale a fi "
        "e am are as sa la cum la te ne",
        "nl": "de het een en is zijn van met voor niet ook wij we ons onze jij je jou jouw u uw dat die dit deze op "
        "te bij naar uit over maar of als wat hoe waar er aan om door nog wordt worden kan meer elke alle in "
        "heeft hebben was ze hij zij haar ik al tot dan na per so man den",
        "da": "og i på er at af en et den det de til med for ikke vi jeg du os vores din dit dine jer jeres som har "
        "kan skal hvad hvor hvordan meget mere også hver efter om fra var sin sig mig dig nu når nå kun bare ud "
        "op noget nogle bliver blive lavet laget eller men hvis ved over under igen uge uger åben åbent mellem "
        "hans hun han alle ny nye ni vid vad ska",
        "nb": "og i på er at av en et ei den det de til med for ikke vi jeg du oss vår vårt våre din ditt dine dere "
        "som har kan skal hva hvor hvordan mye mer mere meget også hver etter om fra var sin seg meg deg nå når "
        "bare kun ut opp noe noen blir bli laget eller men hvis ved over under igjen uke uker åpen åpent mellom "
        "hans hun han alle ny nye ni vid dit ska vad",
        "sv": "och i på är att av en ett den det de till med för inte vi jag du oss vår vårt våra din ditt dina ni er "
        "som har kan ska vad var hur mycket mer också varje efter om från sin sig mig dig nu när bara ut upp "
        "något några blir bli eller men vid över under igen vecka öppet mellan hans hon han alla ny nya dit ved "
        "alle skal nå når seg deg laget ei",
        "fi": "ja on ei se tämä että mutta tai kun niin myös meidän sinun ovat oli voi joka jos kuin hän me te he ole "
        "mitä missä nyt vain kanssa sen en et",
        "et": "ja on ei see et aga või kui nii ka meie teie sinu olid oli võib iga kes mis siin nüüd koos hea väga te "
        "me ta ning teile se sa ma",
        "hu": "a az és egy nem is hogy van vagy de ez azt mint csak már minden itt ha mi ti ön nagyon be ki le el se",
        "pl": "i w na z że się nie to jest są do dla o po jak ale lub czy co nasz nasza nasze każdy każdego który "
        "która przez od za oraz tylko bardzo dzień my wy ich jego nas was a u we ze ma",
        "cs": "a i v na z že se si ne to je jsou do pro o po jak ale nebo co náš naše každý který která které od za "
        "jen velmi den my vy vás nás jeho bude byl jako ještě také protože s k ve ze u ten ta len bol",
        "sk": "a i v na z že sa si nie to je sú do pre o po ako ale alebo čo náš naše každý ktorý ktorá ktoré od za "
        "len veľmi deň my vy vás nás jeho bude bol ešte tiež pretože s k vo zo u ten ta nebo co jen také jak "
        "pro",
        "hr": "i u na s da se je su ne to za od do iz po koji koja koje što kako ali ili naš naša naše svaki vi mi "
        "samo vrlo više dan bio biti a o on ona in kaj ter pri",
        "sl": "in v na z s da se je so ne to za od do iz po ki kaj kako ali naš naša naše vsak vi mi samo zelo več "
        "dan bil biti a o ter pri on ona i",
        "tr": "ve bir bu için ile de da ne çok daha en olarak her gibi biz siz var değil ama veya o mi on",
        "id": "dan di ke dari yang untuk dengan ini itu tidak kami kita anda akan adalah pada atau juga setiap lebih "
        "ada bisa",
        "ru": "и в не на я что с по это как к у из за от для мы вы он она они очень есть или но так все каждый день "
        "наш наша был а о да до же",
        "uk": "і й в у не на я що з по це як до із за від для ми ви він вона вони дуже є або але так всі кожен день "
        "наш наша та був а о",
        "bg": "и в не на аз че с по това как към от за ние вие той тя те много е са или но така всички всеки ден да "
        "ще си се а о до у из",
        "sr": "и у не на ја што с по то како к од за ми ви он она они врло је су или али тако сви сваки дан да се а о "
        "до из",
    }.items()
}
_LETTERS: Final = {
    "es": "ãõçêôâ",
    "pt": "ñ",
    "da": "äö",
    "nb": "äö",
    "sv": "æø",
    "cs": "ľĺŕôä",
    "sk": "ěřů",
    "sl": "ćđ",
}
"""Letters that a language lacks and its relatives have; in loanwords they occur as well."""
_RELATIVES: Final = (
    frozenset({"da", "nb", "sv"}),
    frozenset({"es", "pt", "ca"}),
    frozenset({"cs", "sk"}),
    frozenset({"hr", "sl"}),
)
_LEAST: Final = 2
_LEAST_SHARE: Final = 8
"""Of relatives, a single word is enough if it is at least one in so many."""
_QUOTED: Final = re.compile('[(«„“”"].*?[)»“”"]', re.DOTALL)


def common_words(language: Language) -> frozenset[str]:
    """The most common words of a language, and common words of others that it has as well; empty if unknown."""
    base = {"no": "nb"}.get(language.base, language.base)
    return frozenset() if base == "sr" and language.script != "Cyrl" else _COMMON.get(base, frozenset())


def other_language(case: Case) -> str | None:
    """An answer in another language, however short."""
    own = common_words(case.target)
    if not own or case.is_pseudo or not case.crosses_languages or case.segment.context == "slug":
        return None
    base = {"no": "nb"}.get(case.target.base, case.target.base)
    if base == "pt" and "¿" in case.bare_answer and "¿" not in case.text:
        return f"This is not {case.target.name}, but a related language."
    words = list(_words(case))
    for other, theirs in _COMMON.items():
        are_related = any({base, other} <= group for group in _RELATIVES)
        found = {word for word in words if word in theirs and word not in own}
        if not found or any(word in own and word not in theirs for word in words):
            continue
        letters = {word for word in words if set(word) & set(_LETTERS.get(base, ""))} if are_related else set()
        is_clear = are_related and max(map(len, found)) > _LEAST and _LEAST_SHARE * len(found) >= len(words)
        if len(found | letters) >= _LEAST or is_clear:
            return f"This is not {case.target.name}: {', '.join(sorted(found))[:80]}."
    return None


def _words(case: Case) -> Iterator[str]:
    """The answer's words, except those of the source and, after the first, capitalised ones: they may be names."""
    kept = {word.casefold() for word in WORD.findall(case.text)}
    for index, match in enumerate(WORD.finditer(_QUOTED.sub(" ", case.bare_answer))):
        if (match[0].islower() or index == 0) and match[0].casefold() not in kept:
            yield match[0].casefold()
