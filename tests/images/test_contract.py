"""The pure rules, compared with the JavaScript that Directus runs, on random values."""

import json
import random
import subprocess
from typing import Any

import pytest

from directus_assets.directus.models import MISSING, File, Preset
from directus_assets.directus.version import NEWEST, TESTED, Version
from directus_assets.images.cache_name import object_hash
from directus_assets.images.transforms import OPERATIONS, SYSTEM_PRESETS, SizesUnknown, derivatives
from directus_assets.local.installation import Installation, installed

pytestmark = pytest.mark.integration

UNDEFINED = {"": "undefined"}
"""How `undefined` travels in JSON."""

_REVIVE = """
import { readFileSync } from 'node:fs';
const revived = (value) => {
    if (Array.isArray(value)) return value.map(revived);
    if (value === null || typeof value !== 'object') return value;
    if (value[''] === 'undefined') return undefined;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revived(item)]));
};
const input = revived(JSON.parse(readFileSync(0, 'utf8')));
const print = (value) => console.log(
    JSON.stringify(value, (_, item) => item === undefined ? { '': 'undefined' } : item));
"""
_HASHES = "import hash from 'object-hash'; print(input.map((value) => hash(value)));"
_TRANSFORMS = """
import { resolvePreset } from './node_modules/@directus/api/dist/utils/transformations.js';
print(input.map(({ preset, accept, file }) =>
    resolvePreset({ transformationParams: preset, acceptFormat: accept }, file)));
"""
_OPERATIONS = """
import { TransformationMethods } from './node_modules/@directus/api/dist/packages/types/dist/index.js';
print(TransformationMethods);
"""


@pytest.fixture(scope="module")
def installation() -> Installation:
    return installed(NEWEST)


def javascript(installation: Installation, program: str, values: Any = None) -> Any:
    """The output of the JavaScript program for these values."""
    answer = subprocess.run(
        [installation.node, "--input-type=module", "-e", _REVIVE + program],
        input=json.dumps(_sent(values)),
        cwd=installation.folder,
        env=installation.environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(answer.stdout)


def _sent(value: Any) -> Any:
    if value is MISSING:
        return UNDEFINED
    if isinstance(value, dict):
        return {key: _sent(item) for key, item in value.items()}
    return [_sent(item) for item in value] if isinstance(value, list | tuple) else value


def _random_value(source: random.Random, depth: int = 0) -> Any:
    kind = source.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return source.choice([None, MISSING, True, False])
    if kind == 1:
        return source.randrange(-(10**6), 10**6)
    if kind == 2:
        return source.choice([1, -1]) * source.random() * 10.0 ** source.randrange(-12, 25)
    if kind in {3, 4, 5}:
        return "".join(source.choice("aZ0 _'\"é€😀\n\0") for _ in range(source.randrange(6)))
    if kind == 6:
        return [_random_value(source, depth + 1) for _ in range(source.randrange(4))]
    keys = {"k" + str(_random_value(source, 9)) for _ in range(source.randrange(4))}
    return {key: _random_value(source, depth + 1) for key in keys}


def test_a_thousand_random_values_have_the_hash_that_the_npm_package_gives(installation):
    source = random.Random(20)
    values = [[_random_value(source) for _ in range(3)] for _ in range(1000)]

    assert [object_hash(value) for value in values] == javascript(installation, _HASHES, values)


def _random_preset(source: random.Random) -> dict[str, Any]:
    preset: dict[str, Any] = {
        "width": source.choice([None, 0, 1, 64, 333, 1000, 250.5]),
        "height": source.choice([None, 0, 1, 64, 200, 777]),
        "quality": source.choice([None, 0, 1, 80]),
        "format": source.choice([None, "", "auto", "jpg", "jpeg", "png", "webp", "tiff", "avif"]),
        "fit": source.choice([None, "cover", "contain", "inside", "outside"]),
        "withoutEnlargement": source.choice([None, False, True]),
        "transforms": source.choice([None, [], [["blur", 3], ["flip"]], [["rotate", 90]]]),
    }
    return {key: value for key, value in preset.items() if source.random() < 0.7}


def _random_file(source: random.Random) -> dict[str, Any]:
    return {
        "type": "image/" + source.choice(["jpeg", "png", "webp", "tiff", "avif"]),
        "width": source.choice([None, 1, 17, 333, 1001, 4000]),
        "height": source.choice([None, 1, 23, 500, 2999]),
        "focal_point_x": source.choice([None, 0, 1, 16, 500]),
        "focal_point_y": source.choice([None, 0, 12, 2000]),
    }


@pytest.mark.parametrize("version", TESTED)
def test_three_thousand_random_presets_are_resolved_as_each_directus_resolves_them(version):
    source = random.Random(21)
    ours, asked = [], []
    while len(ours) < 3000:
        row, file = _random_preset(source), _random_file(source)
        unused = {"id": "1", "storage": "local", "filename_disk": "a.bin", "uploaded_on": ""}
        try:
            preset = Preset.parse({"key": "any", **row}, Version.parse(version))
            made = derivatives(preset, File.parse({**unused, **file}))
        except SizesUnknown:
            assert not (file["width"] and file["height"])
            continue
        for derivative in made:
            accept = derivative.accept.removeprefix("image/") if "image" in derivative.accept else None
            ours.append(_sent(list(derivative.transforms)))
            asked.append({"preset": row, "accept": accept or MISSING, "file": file})

    theirs = javascript(installed(version), _TRANSFORMS, asked)

    different = [pair for pair in zip(asked, ours, theirs, strict=True) if pair[1] != pair[2]]
    assert not different


def test_the_permitted_operations_are_those_of_directus(installation):
    assert set(javascript(installation, _OPERATIONS)) == OPERATIONS


def test_the_built_in_presets_are_those_of_directus(installation):
    constants = installation.folder / "node_modules" / "@directus" / "api" / "dist" / "constants.js"

    for key in SYSTEM_PRESETS:
        assert f'key: "{key}"' in constants.read_text("utf-8")
