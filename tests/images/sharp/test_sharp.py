"""Every operation that Directus permits, at random and in random order, compared with sharp itself."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.version import NEWEST
from directus_assets.errors import BadInput
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import OPERATIONS, Derivative
from directus_assets.local.installation import Installation, installed
from tests.images.corpus import pictures

pytestmark = pytest.mark.integration

CASES = 400 if os.environ.get("CHAOS") == "full" else 100

# What Directus' assets service does with sharp.
_PROGRAM = """
import { readFileSync, writeFileSync, createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/node_modules/@directus/api/package.json');
const sharp = require('sharp');
const made = [];
for (const { source, target, transforms } of JSON.parse(readFileSync(0, 'utf8'))) {
    try {
        const transformer = sharp({ limitInputPixels: 36_000_000, sequentialRead: true, failOn: 'warning' });
        if (!transforms.some(([method]) => method === 'rotate')) transformer.rotate();
        for (const [method, ...args] of transforms) transformer[method](...args);
        const parts = [];
        await pipeline(createReadStream(source), transformer, async (stream) => {
            for await (const part of stream) parts.push(part);
        });
        writeFileSync(target, Buffer.concat(parts));
        made.push('');
    } catch (error) { made.push(error.message || 'refused'); }
}
console.log(JSON.stringify(made));
"""

_REGION = {"left": 3, "top": 2, "width": 40, "height": 30}
_COLOURS = [
    "red",
    "#00ff0080",
    "#123",
    "transparent",
    {"r": 10, "g": 200, "b": 30},
    {"r": 1, "g": 2, "b": 3, "alpha": 0.5},
]
_FITS = ["cover", "contain", "inside", "outside", "fill"]
_POSITIONS = ["top", "right bottom", "west", "entropy", "attention", 6]
_EDGES = [[3, 3, [-1, 0, 1, -2, 0, 2, -1, 0, 1]], [3, 5, [1] * 15]]
_MATRICES = [
    [[0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.2]],
    [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
]


def _arguments(name: str, pick: Any) -> list[Any]:
    """Random arguments for one operation."""
    quality = {"quality": pick([20, 80, 95])}
    choices: dict[str, list[list[Any]]] = {
        "toFormat": [
            ["jpeg", quality],
            ["png"],
            ["png", quality],
            ["webp", quality],
            ["tiff", quality],
            ["avif", quality],
        ],
        "jpeg": [
            [{"mozjpeg": True}],
            [{"progressive": True, "chromaSubsampling": "4:4:4"}],
            [{"quantisationTable": 2}],
        ],
        "png": [[{"palette": True, "colours": 16, "dither": 0.5}], [{"adaptiveFiltering": True, "progressive": True}]],
        "webp": [[{"lossless": True}], [{"smartSubsample": True, "effort": 2}], [{"nearLossless": True}]],
        "tiff": [[{"compression": "lzw"}], [{"compression": "deflate", "tile": True}], [{"pyramid": True}]],
        "avif": [[{"effort": 1, "chromaSubsampling": "4:2:0"}], [{"lossless": True, "effort": 1}]],
        "resize": [
            [pick([50, 130]), pick([40, 90, None])],
            [
                {
                    "width": 120,
                    "height": 60,
                    "fit": pick(_FITS),
                    "position": pick(_POSITIONS),
                    "background": pick(_COLOURS),
                }
            ],
            [{"width": pick([37, 500]), "kernel": pick(["nearest", "cubic", "mitchell", "lanczos2"])}],
            [{"width": 1000, "withoutEnlargement": True}],
            [{"width": 20, "height": 20, "withoutReduction": True}],
            [{"width": 60, "fastShrinkOnLoad": False}],
        ],
        "extend": [
            [7],
            [{"top": 5, "left": 9, "background": pick(_COLOURS)}],
            [{"right": 9, "extendWith": pick(["mirror", "copy"])}],
        ],
        "extract": [[_REGION]],
        "trim": [[], [{"threshold": 40}], [{"background": pick(_COLOURS), "margin": 2}]],
        "rotate": [[pick([90, 180, 270, -90])], [pick([45, 10.5]), {"background": pick(_COLOURS)}], []],
        "sharpen": [[], [{"sigma": pick([0.5, 2.5]), "m1": 1.5}]],
        "median": [[], [5]],
        "blur": [[], [pick([0.4, 6])], [{"sigma": 2, "precision": "float"}]],
        "flatten": [[], [{"background": pick(_COLOURS)}]],
        "gamma": [[], [1.5, 2]],
        "negate": [[], [{"alpha": False}]],
        "normalise": [[], [{"lower": 0, "upper": 100}]],
        "clahe": [[{"width": 9, "height": 7}], [{"width": 9, "height": 7, "maxSlope": 0}]],
        "convolve": [[{"width": width, "height": height, "kernel": kernel}] for width, height, kernel in _EDGES],
        "threshold": [[], [70, {"greyscale": False}]],
        "linear": [[1.2, -10], [[1.1, 0.9, 1], [1, 2, 3]], [0.8]],
        "recomb": [[matrix] for matrix in _MATRICES],
        "modulate": [[{"brightness": 1.2, "saturation": 0.5, "hue": 90}], [{"lightness": 10}]],
        "tint": [[pick(_COLOURS)]],
        "toColourspace": [[pick(["b-w", "srgb", "cmyk", "rgb16", "lab", "nonsense"])]],
        "ensureAlpha": [[], [0.5]],
        "extractChannel": [[pick([0, "green", "alpha", 3])]],
        "bandbool": [[pick(["and", "or", "eor"])]],
    }
    same = {"normalize": "normalise", "toColorspace": "toColourspace"}
    return pick(choices.get(same.get(name, name), [[]]))


def _random_transforms(source: random.Random) -> list[list[Any]]:
    names = source.sample(sorted(OPERATIONS), source.randrange(1, 4))
    if source.random() < 0.4:
        names.append(source.choice(["toFormat", "resize"]))
    return [[name, *_arguments(name, source.choice)] for name in names]


def _theirs(installation: Installation, cases: list[dict[str, Any]]) -> list[str]:
    answer = subprocess.run(
        [installation.node, "--input-type=module", "-e", _PROGRAM],
        input=json.dumps(cases),
        cwd=installation.folder,
        env=installation.environment({}),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(answer.stdout)


def _ours(content: bytes, transforms: list[list[Any]]) -> bytes | None:
    derivative = Derivative(
        preset_key="random",
        file_id="1",
        file_name="any",
        accept="*/*",
        transforms=tuple(tuple(transform) for transform in transforms),
        format="",
        mime_type="",
        stored_name="",
        label="random",
    )
    try:
        return render(Source(content), derivative).content
    except BadInput:
        return None


def test_random_operations_give_the_bytes_that_sharp_gives(tmp_path: Path):
    source = random.Random(23)
    sources = [picture for picture in pictures() if len(picture.content) < 200_000]
    for picture in sources:
        (tmp_path / picture.name).write_bytes(picture.content)
    cases = [
        {
            "source": str(tmp_path / source.choice(sources).name),
            "target": str(tmp_path / f"{number}.made"),
            "transforms": _random_transforms(source),
        }
        for number in range(CASES)
    ]

    refusals = _theirs(installed(NEWEST), cases)

    different = []
    for case, refusal in zip(cases, refusals, strict=True):
        ours = _ours(Path(case["source"]).read_bytes(), case["transforms"])
        theirs = None if refusal else Path(case["target"]).read_bytes()
        if ours != theirs:
            different.append((Path(case["source"]).name, case["transforms"], refusal or "rendered", ours is not None))
    assert not different
    assert refusals.count("") > CASES * 0.7
