"""Answers with the verdict of a translator: no wrong one passes, and hardly a right one is refused."""

# ruff: noqa: E501, ISC004 - a table

import pytest

from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects
from directus_assets.translation.languages import language
from directus_assets.translation.segments import TextKind, cut

LONG_EN = (
    "Bread baking needs patience because the dough must rest for a long time before it goes into the hot oven and "
    "slowly gets brown."
)

# Pair of languages, source, answer. Sources with a `<` are HTML.
RIGHT: list[tuple[str, str, str]] = [
    # sentences in many languages
    ("en de", "The dough has to rest over night.", "Der Teig muss über Nacht ruhen."),
    ("en fr", "The dough has to rest over night.", "La pâte doit reposer toute la nuit."),
    ("en es", "The dough has to rest over night.", "La masa tiene que reposar toda la noche."),
    ("en it", "The dough has to rest over night.", "L'impasto deve riposare tutta la notte."),
    ("en pt-BR", "The dough has to rest over night.", "A massa precisa descansar durante a noite."),
    ("en nl", "The dough has to rest over night.", "Het deeg moet een nacht rusten."),
    ("en pl", "The dough has to rest over night.", "Ciasto musi odpoczywać przez noc."),
    ("en cs", "The dough has to rest over night.", "Těsto musí přes noc odpočívat."),
    ("en sv", "The dough has to rest over night.", "Degen måste vila över natten."),
    ("en da", "The dough has to rest over night.", "Dejen skal hvile natten over."),
    ("en fi", "The dough has to rest over night.", "Taikinan on levättävä yön yli."),
    ("en hu", "The dough has to rest over night.", "A tésztának egész éjjel pihennie kell."),
    ("en tr", "The dough has to rest over night.", "Hamur gece boyunca dinlenmelidir."),
    ("en ru", "The dough has to rest over night.", "Тесто должно отдыхать всю ночь."),
    ("en uk", "The dough has to rest over night.", "Тісто має відпочивати всю ніч."),
    ("en el", "The dough has to rest over night.", "Η ζύμη πρέπει να ξεκουραστεί όλη τη νύχτα."),
    ("en ar", "The dough has to rest over night.", "يجب أن ترتاح العجينة طوال الليل."),
    ("en he", "The dough has to rest over night.", "הבצק צריך לנוח כל הלילה."),
    ("en fa", "The dough has to rest over night.", "خمیر باید تمام شب استراحت کند."),
    ("en hi", "The dough has to rest over night.", "आटे को रात भर आराम करना चाहिए।"),
    ("en th", "The dough has to rest over night.", "แป้งต้องพักค้างคืน"),
    ("en ja", "The dough has to rest over night.", "生地は一晩休ませなければなりません。"),
    ("en ko", "The dough has to rest over night.", "반죽은 하룻밤 동안 쉬어야 합니다."),
    ("en zh-Hans", "The dough has to rest over night.", "面团需要静置一夜。"),
    ("en zh-Hant", "The dough has to rest over night.", "麵團需要靜置一夜。"),
    ("en vi", "The dough has to rest over night.", "Bột phải nghỉ qua đêm."),
    ("en id", "The dough has to rest over night.", "Adonan harus didiamkan semalaman."),
    ("de en", "Der Teig muss über Nacht ruhen.", "The dough has to rest over night."),
    ("ja en", "生地は一晩休ませなければなりません。", "The dough has to rest over night."),
    ("ru de", "Тесто должно отдыхать всю ночь.", "Der Teig muss die ganze Nacht ruhen."),
    # numbers, times, dates
    ("en de", "Add 1.5 ml of vanilla.", "1,5 ml Vanille zugeben."),
    ("en de", "It costs $1,299.99 today.", "Heute kostet es 1.299,99 $."),
    ("en fr", "It costs $1,299.99 today.", "Aujourd'hui, cela coûte 1\u202f299,99 $."),
    ("en da", "Doors open at 19:30.", "Dørene åbner kl. 19.30."),
    ("en fi", "Doors open at 7:30 pm.", "Ovet avataan klo 19.30."),
    ("en id", "Doors open at 19:30.", "Pintu dibuka pukul 19.30."),
    ("en de", "Open from 9 am to 5 pm.", "Geöffnet von 9 bis 17 Uhr."),
    ("de en", "Geöffnet bis 17 Uhr.", "Open until 5 pm."),
    ("en de", "On May 3, 2024 we celebrate.", "Am 3. Mai 2024 feiern wir."),
    ("en cs", "We meet on May 3 in the garden.", "Sejdeme se 3.5. na zahradě."),
    ("en ja", "We opened on March 14, 2024.", "2024年3月14日に開店しました。"),
    ("en hi", "100,000 people came.", "1,00,000 लोग आए।"),
    ("en ar", "45 people came in 2019.", "جاء ٤٥ شخصا في ٢٠١٩."),
    ("en de", "In the 1990s it was new.", "In den 90er Jahren war das neu."),
    ("en fr", "In the 19th century it was new.", "Au XIXe siècle, c'était nouveau."),
    ("en zh-Hans", "It has 10 million readers.", "它有1000万读者。"),
    ("en es", "It cost 1.5 billion euros.", "Costó 1500 millones de euros."),
    ("en de-AT", "It has 12,500 readers.", "Es hat 12.500 Leser."),
    ("en es-MX", "It has 12,500 readers.", "Tiene 12,500 lectores."),
    ("en de", "Add two eggs and 3 spoons.", "2 Eier und 3 Löffel zugeben."),
    # what stays as it is
    ("en de", "Directus Assets", "Directus Assets"),
    ("en de", "Information", "Information"),
    ("en de", "The Lord of the Rings", "The Lord of the Rings"),
    ("en fr", "One Hundred Years of Solitude", "One Hundred Years of Solitude"),
    ("en de", "Senior Vice President of Global Operations and Sales", "Senior Vice President of Global Operations and Sales"),
    ("en de", "Head of People and Culture", "Head of People and Culture"),
    ("en de", "221B Baker Street, London NW1 6XE, United Kingdom", "221B Baker Street, London NW1 6XE, United Kingdom"),
    ("en fr", "1600 Pennsylvania Avenue NW, Washington, DC 20500, United States", "1600 Pennsylvania Avenue NW, Washington, DC 20500, United States"),
    ("en de", "npm install directus assets and the other packages", "npm install directus assets and the other packages"),
    ("en ja", "docker compose up --detach", "docker compose up --detach"),
    ("en de", "git push origin main", "git push origin main"),
    ("en ja", "Install Directus with Docker Compose", "Docker Compose で Directus をインストールします"),
    ("en de", "Ludwig van Beethoven and Wolfgang Amadeus Mozart", "Ludwig van Beethoven und Wolfgang Amadeus Mozart"),
    ("en de", "University of California, Department of Computer Science", "University of California, Department of Computer Science"),
    # titles that look like a model's own words
    ("de en", "Übersetzung: eine kurze Geschichte", "Translation: a short history"),
    ("fr en", "Traduction : les bases", "Translation: the basics"),
    ("en de", "Translation: a short history", "Übersetzung: eine kurze Geschichte"),
    ("de fr", "Die Übersetzung: Grundlagen", "La traduction : les bases"),
    ("en ru", "The Lord of the Rings", "«Властелин колец»"),
    ("en ja", "The Lord of the Rings", "『指輪物語』"),
    ("en de", "Not available", "N. v."),
    ("de en", "Keine Angabe", "Not specified"),
    ("en de", "and", "&"),
    ("de en", "Nicht verfügbar", "N/A"),
    ("en de", "Two of them", "2 davon"),
    ("en de", "[sic] The bread", "[sic] Das Brot"),
    ("en de", "**Note** the bread", "**Beachte** das Brot"),
    ("en de", "Open 24/7", "Rund um die Uhr geöffnet"),
    ("en th", "Opened in 2024", "เปิดในปี 2567"),
    ("en de", "Frequently Asked Questions", "FAQ"),
    ("en de", "Terms & Conditions", "AGB"),
    # Japanese without kana
    ("en ja", "Company profile, recruitment information, terms of use", "会社概要、採用情報、利用規約"),
    (
        "en ja",
        "Company profile, management philosophy, business content, locations, history, recruitment, terms of use, privacy, "
        "contact, commercial law, environmental policy, quality control, human resources, investor relations, annual report",
        "会社概要、経営理念、事業内容、所在地、沿革、採用情報、利用規約、個人情報保護方針、問合先、特定商取引法表記、環境方針、"
        "品質管理、人材育成、投資家情報、年次報告書、決算短信、有価証券報告書、株主総会、企業統治、社会貢献活動、安全管理、研究開発",
    ),
    # the form of a text
    ("en de", "Read <a href='/x'>the manual</a> first.<br>Then bake.", "Lies zuerst <g1>die Anleitung</g1>.<x2/>Dann backe."),
    ("en de", "{% if a %}Hello{% else %}Bye{% endif %} my friend", "<x1/>Hallo<x2/>Tschüss<x3/> mein Freund"),
    ("en ja", "{% if a %}Hello{% endif %} my friend", "私の友達<x1/>こんにちは<x2/>"),
    ("en de", "[b]Bold[/b] and [i]slanted[/i] words", "<x3/>Schräge<x4/> und <x1/>fette<x2/> Wörter"),
    ("en de", "Dear {{name}}, welcome!", "Willkommen, <x1/>!"),
    ("en de", "First line\nSecond line", "Erste Zeile\nZweite Zeile"),
    ("en de", "Bread & butter", "Brot & Butter"),
    ("en de", "Bread &amp; butter", "Brot &amp; Butter"),
    ("en de", "Use \\n for a new line", "Verwende \\n für eine neue Zeile"),
    ("en de", "1 < 2 and 3 > 2", "1 < 2 und 3 > 2"),
    ("en de", "I <3 bread", "Ich <3 Brot"),
    ("en de", "Note: this is warm.", "Hinweis: Das ist warm."),
    ("en de", "Employees and customers", "Mitarbeiter:innen und Kund:innen"),
    ("en fi", "The rules of the EU", "EU:n säännöt"),
    ("en de", "Bread, and/or butter, e.g. with Node.js", "Brot und/oder Butter, z.B. mit Node.js"),
    ("en fr", '"Quoted" words!', "« Mots cités » !"),
    ("en de", "See https://example.com/a.", "Siehe <x1/>."),
    ("en de", 'He said: "The end." Then he left.', "Er sagte: „Das Ende.“ Dann ging er."),
    ("en-US en-GB", "The color of the year", "The colour of the year"),
    ("en sr", "Good bread", "Dobar hleb"),
    ("en sr", "Good bread", "Добар хлеб"),
]  # fmt: skip

WRONG: list[tuple[str, str, str]] = [
    # numbers
    ("en de", "Add 1.5 ml of vanilla.", "15 ml Vanille zugeben."),
    ("en de", "It costs 19.99 euros.", "Es kostet 1999 Euro."),
    ("en de", "It costs 1,299 euros.", "Es kostet 1,299 Euro."),
    ("en fr", "Bake at 230 degrees.", "Faites cuire à 250 degrés."),
    ("en es", "Bake at 230 degrees.", "Hornee a la temperatura habitual."),
    ("en ja", "It costs 300 yen.", "500円です。"),
    ("en ar", "45 people came.", "جاء ٥٤ شخصا."),
    ("en da", "Doors open at 19:30.", "Dørene åbner kl. 20.30."),
    ("en de", "Doors open at 19:30.", "Die Türen öffnen um 7:30 Uhr."),
    ("en ru", "It weighs 2.5 kg.", "Весит 25 кг."),
    ("en de", "In 2019 it was new.", "2018 war es neu."),
    ("en hi", "Add 250 grams.", "500 ग्राम डालें।"),
    # not translated, or not wholly
    ("en de", "Please let the dough rest over night.", "Please let the dough rest over night."),
    ("en de", "Let the dough rest. It needs some time before it bakes.", "Den Teig ruhen lassen. It needs some time before it bakes."),
    ("en fr", "Let the dough rest over night.", "Let the dough rest over night. Laissez reposer la pâte toute la nuit."),
    ("en es", "Good bread is simple. You only need flour and some water.", "El buen pan es sencillo. You only need flour and some water."),
    ("en ru", "Good bread is simple. You only need flour and some water.", "Хороший хлеб прост. You only need flour and some water."),
    ("de en", "Gutes Brot ist einfach. Man braucht nur Mehl und etwas Wasser.", "Good bread is simple. Man braucht nur Mehl und etwas Wasser."),
    ("ja en", "良いパンは簡単です。必要なのは小麦粉と水だけです。", "Good bread is simple, really. 必要なのは小麦粉と水だけです。"),
    ("en it", "How to bake the best bread at home", "How to bake the best bread at home"),
    ("en nl", "Why Our Bread Is the Best of the City", "Why Our Bread Is the Best of the City"),
    ("ja zh-Hans", "生地を長い間休ませてください", "生地を長い間休ませてください"),
    ("de fr", "Der Teig muss über Nacht im Kühlschrank ruhen", "Der Teig muss über Nacht im Kühlschrank ruhen"),
    # another language or script
    ("en de", LONG_EN, LONG_EN + " Yes!"),
    ("en de", LONG_EN, "Le pain demande de la patience parce que la pâte doit reposer longtemps avant d'aller dans le four chaud."),
    ("en ja", "Good morning everybody", "Bonjour tout le monde"),
    ("en de", "Good morning everybody", "Доброе утро всем"),
    ("en ru", "Good morning everybody", "Guten Morgen allerseits"),
    ("en th", "Good morning everybody", "Selamat pagi semuanya"),
    ("en ko", "Good morning everybody", "大家早上好，欢迎光临"),
    ("en ar", "Good morning everybody", "בוקר טוב לכולם"),
    ("en ja", LONG_EN, "做面包需要耐心，因为面团必须静置很长时间，然后才能放进热烤箱里慢慢变成棕色。我们的面包师每天早上都会这样做，您也可以在家里试一试，这并不难，只要有时间就可以了。您还可以加入一些坚果。"),
    ("en ja", LONG_EN, "做麵包需要耐心，因為麵團必須靜置很長的時間，然後才能放進熱烤箱裡慢慢變成棕色。我們的麵包師每天早上都會這樣做，您也可以在家裡試一試，這並不難，只要有時間就可以了。您還可以加入一些堅果。"),
    # more, less, own words
    ("en de", LONG_EN, "Ja, gerne."),
    ("en de", "Good", "Gut ist das Brot und auch der Kuchen mit Butter und Marmelade dazu, sehr gut sogar."),
    ("en de", "Good morning", "Here is the translation: Guten Morgen"),
    ("en de", "Good morning", "Übersetzung: Guten Morgen"),
    ("en de", "Note: good bread", "Translation: Hinweis: gutes Brot"),
    ("en fr", "Good morning", "Traduction : Bonjour"),
    ("en ja", "Good morning", "翻訳：おはようございます"),
    ("en de", "Good morning", "I'm sorry, but I cannot do that"),
    ("en de", "Good morning", "```Guten Morgen```"),
    ("en de", "Good bread", "Gutes Brot " * 8),
    ("en de", "Good morning", "  "),
    ("en de", "Good morning", "Guten\x00 Morgen"),
    ("en de", "Good bread", '{"text": "Gutes Brot"}'),
    ("en de", "Good bread", "**Gutes Brot**"),
    ("en de", "Good bread", "# Gutes Brot"),
    ("en de", "Good bread", '"Gutes Brot"'),
    ("en de", "Good bread", "[Gutes Brot]"),
    ("en de", "Good bread", "Gutes Brot (Note: I kept it short)"),
    ("en de", "Good bread today", "German: Gutes Brot heute"),
    ("en de", "Good bread", "Sicher! Hier ist die Übersetzung: Gutes Brot"),
    ("en de", "Good bread", "..."),
    ("en de", "Good bread", "null"),
    # the form
    ("en de", "{% if a %}Hello{% endif %} my friend", "<x2/>Hallo<x1/> mein Freund"),
    ("en de", "{% if a %}Hello{% else %}Bye{% endif %} my friend", "<x1/>Hallo<x3/> mein <x2/>Freund"),
    ("en fr", "{{#each x}}Hello{{/each}} my friend", "<x2/>Bonjour<x1/> mon ami"),
    ("en de", "[b]Bold [i]and slanted[/i] words[/b] here", "<x1/>Fette <x2/>und schräge<x4/> Wörter<x3/> hier"),
    ("en de", "[gallery ids=1]Pictures[/gallery] of bread", "<x2/>Bilder<x1/> von Brot"),
    ("en de", "Read <a href='/x'>the manual</a> first.", "Lies zuerst die Anleitung<g1></g1>."),
    ("en de", "Read <b>the manual</b> first.", "Lies zuerst <g1> </g1>die Anleitung."),
    ("en de", "Read <a href='/x'>the manual</a> first.", "Lies zuerst die Anleitung."),
    ("en de", "Read <a href='/x'>the manual</a> first.", "Lies <g1>zuerst</g1> <g1>die Anleitung</g1>."),
    ("en de", "First line\nSecond line\nThird line", "Erste Zeile Zweite Zeile Dritte Zeile"),
    ("en ja", "First line\nSecond line", "最初の行 二番目の行"),
    ("en de", "Good morning", "Guten\nMorgen"),
    ("en de", "Fresh bread every day", "Jeden Tag&nbsp;frisches Brot"),
    ("en de", "Fresh bread every day", "Jeden Tag&amp;nbsp;frisches Brot"),
    ("en de", "<p>Fresh bread every day</p>", "Jeden Tag&nbsp;frisches Brot"),
    ("en fr", "It is summer", "C&#39;est l'été"),
    ("en de", "Fresh for you", "Frisch f\\u00fcr dich"),
    ("en de", "Fresh bread. Every day.", "Frisches Brot.\\nJeden Tag."),
    ("en de", "Bread & butter", "Brot &amp; Butter"),
    # addresses and markup
    ("en de", "Good morning", "Guten <b>Morgen</b>"),
    ("en de", "Good morning", "Guten Morgen <img src=x onerror=alert(1)"),
    ("en de", "Good morning", "Guten Morgen https://evil.example"),
    ("en de", "Good morning", "Guten Morgen, evil.example/login"),
    ("en de", "Good morning", "[Guten Morgen](javascript:alert(1))"),
    ("en de", "Good morning", "Guten Morgen {{7*7}}"),
    ("en de", "Good morning", "Guten Morgen mailto:a@evil.example"),
]  # fmt: skip


def verdict(pair: str, text: str, answer: str) -> tuple[str, ...]:
    source, target = map(language, pair.split(" "))
    (segment,) = cut(text, TextKind.HTML if "</" in text else TextKind.PLAIN).segments
    return defects(Case(segment=segment, answer=answer.strip(), source=source, target=target))


def test_the_table_has_many_answers_in_many_languages() -> None:
    assert len({*RIGHT, *WRONG}) >= 150
    assert len({code for pair, _, _ in (*RIGHT, *WRONG) for code in pair.split(" ")}) >= 20


@pytest.mark.parametrize(("pair", "text", "answer"), WRONG)
def test_no_wrong_answer_passes(pair: str, text: str, answer: str) -> None:
    assert verdict(pair, text, answer)


@pytest.mark.parametrize(("pair", "text", "answer"), RIGHT)
def test_right_answers_pass(pair: str, text: str, answer: str) -> None:
    assert verdict(pair, text, answer) == ()
