"""JavaScript's interpretation of JSON, compared with the JavaScript that Directus runs on."""

import json
import math
import subprocess

import pytest

from directus_assets.directus.javascript import as_number, is_truthy
from directus_assets.local.node import node_folder

VALUES = [
    None, True, False, 0, -0.0, 1, 1.5, -3, 1e21, "", " ", "0", "5", " 5 ", "\t5\n", "\u00a05", "5px", "1_0", "1e2",
    "1E-2", ".5", "5.", ".", "-.5", "+5", "- 5", "0x1F", "0X1f", "-0x1f", "0o17", "0b11", "0b12", "Infinity", "NaN",
    "nan", "inf", "\u0663", [], [None], [5], ["5"], ["0x10"], [True], [1, 2], {}, {"a": 1}, "null", "false",
    10**309, -(10**309), [10**500], "9" * 400, "0x" + "F" * 300,
]  # fmt: skip


@pytest.mark.integration
def test_numbers_and_truth_are_those_of_javascript() -> None:
    script = "JSON.parse(process.argv[1]).map(v => [String(Number(v)), Boolean(v)])"
    asked = [str(node_folder() / "bin" / "node"), "-p", f"JSON.stringify({script})", json.dumps(VALUES)]
    theirs = json.loads(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)

    different = [
        (value, number, truth)
        for value, (number, truth) in zip(VALUES, theirs, strict=True)
        if is_truthy(value) is not truth or not _is_same(as_number(value), number)
    ]

    assert different == []


def _is_same(ours: float, theirs: str) -> bool:
    number = float(theirs.replace("Infinity", "inf"))
    # Neither is a size, and whichever it is, sharp refuses it.
    return ours == number or (not math.isfinite(number) and not math.isfinite(ours))
