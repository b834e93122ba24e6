"""What counts as the same numbers in two languages."""

import pytest

from directus_assets.translation.numbers import changed_numbers


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("It costs 1,000.5 euros", "Es kostet 1.000,5 Euro"),
        ("It costs 1,000,000.50 euros", "Cela coûte 1\u202f000\u202f000,50 euros"),
        ("Founded in 2019 with 45 people", "Im Jahr 2019 mit 45 Leuten gegründet"),
        ("45 people since 2019", "منذ ٢٠١٩ مع ٤٥ شخصا"),
        ("On 03/14/2024 we opened", "Am 14.03.2024 haben wir eröffnet"),
        ("On 03/14/2024 we opened", "Am 14. 3. 2024 haben wir eröffnet"),
        ("On March 14, 2024", "2024年3月14日"),
        ("We open at 3 pm", "Wir öffnen um 15 Uhr"),
        ("At 5:30 PM", "Um 17:30 Uhr"),
        ("Add 2 eggs", "Zwei Eier hinzufügen"),
        ("Add two eggs", "2 Eier hinzufügen"),
        ("In the 19th century", "Au XIXe siècle"),
        ("about 12,000 readers", "約1万2000人の読者"),
        ("10 million users", "1000万用户"),
        ("See 192.168.1.1 and version 1.2.3", "Siehe 192.168.1.1 und Version 1.2.3"),
        ("1,00,000 rupees", "100.000 Rupien"),
        ("no numbers", "keine Zahlen"),
    ],
)
def test_the_same_numbers_written_otherwise_are_no_change(source: str, answer: str) -> None:
    assert changed_numbers(source, answer) == ([], [])


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("It costs 1,000 euros", "Es kostet 1.500 Euro"),
        ("Bake at 230 degrees", "Backen Sie es bei der üblichen Temperatur"),
        ("Add 2 spoons", "3 Löffel zugeben"),
        ("Bake it well", "Backen Sie es bei 230 Grad"),
        ("Call +49 30 1234567", "Rufen Sie +49 30 1234568 an"),
        ("In 2019", "Im Jahr 2018"),
    ],
)
def test_a_changed_lost_or_made_up_number_is_seen(source: str, answer: str) -> None:
    assert changed_numbers(source, answer) != ([], [])
