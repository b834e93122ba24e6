"""Tests that are skipped on a developer's machine fail in CI."""

import os
from pathlib import Path

import pytest

from tests.machine import EVERYTHING_IS_THERE, lacking

CI = Path(__file__).parents[1] / ".ci" / "run"


def test_a_test_that_cannot_run_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EVERYTHING_IS_THERE, raising=False)

    with pytest.raises(pytest.skip.Exception, match="This machine lacks a browser"):
        lacking("a browser")


def test_in_ci_a_test_that_cannot_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EVERYTHING_IS_THERE, "1")

    with pytest.raises(pytest.fail.Exception, match="This machine lacks a browser"):
        lacking("a browser")


def test_ci_says_that_everything_is_there() -> None:
    assert f"export {EVERYTHING_IS_THERE}=1\n" in CI.read_text("utf-8")
    assert os.access(CI, os.X_OK)
