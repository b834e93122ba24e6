import datetime as dt

import pytest

from directus_assets.planning.verdicts import Evidence, Failure, Verdict, judge, wait_seconds

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def failure(fingerprint: str = "1", *, transient: bool = False, after: dt.timedelta | None = None) -> Failure:
    return Failure(fingerprint=fingerprint, is_transient=transient, not_before=NOW + after if after else None)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence(wanted="1", made="1"), Verdict.RIGHT),
        (Evidence(wanted="1", made="1", failure=failure("0")), Verdict.RIGHT),
        (Evidence(wanted="1", made="0", was_tried=True), Verdict.START),
        (Evidence(wanted="1", made="0", was_tried=True, is_there=True), Verdict.START),
        (Evidence(wanted="1", made="0", was_tried=True, is_under_way=True), Verdict.UNDER_WAY),
        (Evidence(wanted="1"), Verdict.START),
        (Evidence(wanted="1", is_there=True), Verdict.ADOPT),
        (Evidence(wanted="1", is_there=True, existed_at_first=True), Verdict.ADOPT),
        (Evidence(wanted="1", existed_at_first=True), Verdict.WAITS),
        (Evidence(wanted="1", existed_at_first=True, was_tried=True), Verdict.START),
        (Evidence(wanted="1", was_tried=True), Verdict.START),
        (Evidence(wanted="1", was_tried=True, failure=failure(transient=True)), Verdict.START),
        (Evidence(wanted="1", was_tried=True, failure=failure(transient=True, after=-HOUR)), Verdict.START),
        (Evidence(wanted="1", was_tried=True, failure=failure(transient=True, after=HOUR)), Verdict.LATER),
        (Evidence(wanted="1", was_tried=True, failure=failure()), Verdict.GIVEN_UP),
        (Evidence(wanted="1", was_tried=True, failure=failure(""), is_under_way=True), Verdict.UNDER_WAY),
        (Evidence(wanted="1", was_tried=True, failure=failure("0")), Verdict.START),
        (Evidence(wanted="1", was_tried=True, failure=failure("")), Verdict.START),
        (Evidence(wanted="1", made="1", is_lost=True), Verdict.REPAIR),
        (Evidence(wanted="1", made="1", is_lost=True, is_under_way=True), Verdict.UNDER_WAY),
        (Evidence(wanted="1", made="1", is_lost=True, failure=failure()), Verdict.GIVEN_UP),
        (Evidence(wanted="1", made="1", is_lost=True, was_repaired=True), Verdict.GIVEN_UP),
    ],
    ids=[
        "made as it is wanted",
        "made as it is wanted, whatever failed before",
        "made otherwise",
        "made otherwise, and what lies there is of that time",
        "being made again",
        "appeared, and nobody noticed",
        "there, and the history is lost",
        "there before the pipeline was",
        "left for a backfill",
        "left for a backfill, which did not get through",
        "its run died",
        "failed for a reason that passes",
        "failed, and the wait that was asked for is over",
        "failed, and a wait was asked for",
        "failed for good",
        "failed, and is tried again at the moment",
        "failed for good, and has changed since",
        "failed for a reason that nobody noted",
        "made, and deleted by somebody",
        "made, deleted, and being made again",
        "made, deleted, and not to be made again",
        "deleted after each repair",
    ],
)
def test_all_that_is_known_of_an_output_decides_what_is_done(evidence: Evidence, verdict: Verdict) -> None:
    assert judge(evidence, now=NOW) is verdict


@pytest.mark.parametrize(
    ("tries", "minutes"), [(1, 10), (2, 20), (3, 40), (5, 160), (6, 320), (7, 360), (100_000, 360)]
)
def test_what_fails_again_and_again_is_looked_at_ever_more_rarely(tries: int, minutes: int) -> None:
    assert wait_seconds(tries, first=600, longest=6 * 3600) == minutes * 60
