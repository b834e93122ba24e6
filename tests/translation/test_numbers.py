"""Equality of numbers between two languages."""

import pytest

from directus_assets.translation.languages import language
from directus_assets.translation.numbers import changed_numbers


def changes(source: str, answer: str, pair: str) -> tuple[list[str], list[str]]:
    one, other = pair.split(" ")
    return changed_numbers(source, answer, languages=(language(one), language(other)))


@pytest.mark.parametrize(
    ("source", "answer", "pair"),
    [
        ("It costs 1,000.5 euros", "Es kostet 1.000,5 Euro", "en de"),
        ("It costs 1,000,000.50 euros", "Cela coûte 1\u202f000\u202f000,50 euros", "en fr"),
        ("Founded in 2019 with 45 people", "Im Jahr 2019 mit 45 Leuten gegründet", "en de"),
        ("45 people since 2019", "منذ ٢٠١٩ مع ٤٥ شخصا", "en ar"),
        ("It costs 1,234.5", "السعر ١٬٢٣٤٫٥", "en ar"),
        ("On 03/14/2024 we opened", "Am 14.03.2024 haben wir eröffnet", "en de"),
        ("On 03/14/2024 we opened", "Am 14. 3. 2024 haben wir eröffnet", "en de"),
        ("On March 14, 2024", "2024年3月14日", "en ja"),
        ("We meet on May 3", "Wir treffen uns am 3.5. im Garten", "en de"),
        ("We open at 3 pm", "Wir öffnen um 15 Uhr", "en de"),
        ("At 5:30 PM", "Um 17:30 Uhr", "en de"),
        ("Um 19:30 Uhr", "At 7:30 pm", "de en"),
        ("Um 19:30 Uhr", "午後7時30分", "de ja"),
        ("Doors open at 19:30", "Dørene åbner kl. 19.30", "en da"),
        ("Doors open at 19:30", "Ovet avataan klo 19.30", "en fi"),
        ("Doors open at 7:30 pm", "Pintu dibuka pukul 19.30", "en id"),
        ("Open 9:00-17:30", "Geöffnet 9-17.30 Uhr 00", "en de"),
        ("Add 2 eggs", "Zwei Eier hinzufügen", "en de"),
        ("Add two eggs", "2 Eier hinzufügen", "en de"),
        ("It takes 1.5 hours", "Es dauert anderthalb Stunden", "en de"),
        ("Half a litre", "0,5 Liter", "en de"),
        ("In the 19th century", "Au XIXe siècle", "en fr"),
        ("Music of the 1990s", "Musik der 90er", "en de"),
        ("about 12,000 readers", "約1万2000人の読者", "en ja"),
        ("10 million users", "1000万用户", "en zh-Hans"),
        ("1.5 billion people", "1500 millones de personas", "en es"),
        ("See 192.168.1.1 and version 1.2.3", "Siehe 192.168.1.1 und Version 1.2.3", "en de"),
        ("1,00,000 rupees", "100.000 Rupien", "en de"),
        ("Add 1.5 ml", "1,5 ml zugeben", "en de"),
        ("Add 1.50 ml", "1,5 ml zugeben", "en de"),
        ("It costs 19.99", "Es kostet 19,99", "en de"),
        ("It costs 1'000.50", "Es kostet 1’000.50", "de-CH de-CH"),
        ("1.125 inches", "1,125 Zoll", "en de"),
        ("12,500 people", "12 500 personas", "en es"),
        ("12,500 people", "12.500 personas", "en es-ES"),
        ("12,500 people", "12,500 personas", "en es-MX"),
        ("12,500 people", "12.500 Leute", "en de-AT"),
        ("R 12,500", "R 12,500", "en-ZA en-ZA"),
        ("0.125 litres", "0,125 Liter", "en de"),
        ("a list: 1,2,3", "eine Liste: 1, 2, 3", "en de"),
        ("2 500 g packs", "2 Packungen zu 500 g", "en de"),
        ("Call 030 123 456", "Telefon 030 123 456", "en de"),
        ("Open 24/7", "Rund um die Uhr geöffnet", "en de"),
        ("A hundred people", "100 Menschen", "en de"),
        ("A thousand thanks", "1000 mercis", "en fr"),
        ("At 12:30 am", "Um 0:30 Uhr", "en de"),
        ("In 2024", "ในปี 2567", "en th"),
        ("no numbers", "keine Zahlen", "en de"),
        ("Two million people", "200万人", "en zh-Hans"),
        ("A million people", "100万人", "en ja"),
        ("百万人", "1 million people", "ja en"),
    ],
)
def test_the_same_numbers_written_otherwise_are_no_change(source: str, answer: str, pair: str) -> None:
    assert changes(source, answer, pair) == ([], [])


@pytest.mark.parametrize(
    ("source", "answer", "pair"),
    [
        ("It costs 1,000 euros", "Es kostet 1.500 Euro", "en de"),
        ("Bake at 230 degrees", "Backen Sie es bei der üblichen Temperatur", "en de"),
        ("Add 2 spoons", "3 Löffel zugeben", "en de"),
        ("Bake it well", "Backen Sie es bei 230 Grad", "en de"),
        ("Call +49 30 1234567", "Rufen Sie +49 30 1234568 an", "en de"),
        ("In 2019", "Im Jahr 2018", "en de"),
        ("Add 1.5 ml", "15 ml zugeben", "en de"),
        ("Add 15 ml", "1,5 ml zugeben", "en de"),
        ("It costs 19.99", "Es kostet 1999", "en de"),
        ("It costs 19.99", "Es kostet 1.999", "en de"),
        ("It costs 19.99", "Es kostet 19", "en de"),
        ("Add 1.500 kg", "1.500 kg zugeben", "en de"),
        ("Add 1,500 kg", "1,500 kg zugeben", "en de"),
        ("1.500 kg zugeben", "Add 1.500 kg", "de en"),
        ("12,500 people", "12,5 Leute", "en de"),
        ("0.25 mg", "25 mg", "en de"),
        ("2.5 million", "25 Personen", "en de"),
        ("2.5 millimetres", "25 Millimeter", "en de"),
        ("It weighs 3 kg", "Es wiegt 3,5 kg", "en de"),
        ("السعر ١٬٢٣٤٫٥", "It costs 12,345", "ar en"),
        ("Doors open at 19:30", "Dørene åbner kl. 18.30", "en da"),
        ("Open at 19:30", "Geöffnet ab 7:30", "en de"),
        ("Open 24/7 for 250 people", "Rund um die Uhr geöffnet", "en de"),
        ("A thousand people", "500 Menschen", "en de"),
        ("In 2024", "In 2567", "en de"),
        ("The book costs 5", "Es kostet 7 Millionen", "en de"),
        ("12,000 people", "12万人", "en ja"),
    ],
)
def test_a_changed_lost_or_made_up_number_is_seen(source: str, answer: str, pair: str) -> None:
    assert changes(source, answer, pair) != ([], [])


def test_numbers_are_told_by_their_value() -> None:
    assert changes("Add 1.50 ml of 1,000", "15 ml zugeben von 1.001", "en de") == (["1.5", "1000"], ["1001", "15"])
