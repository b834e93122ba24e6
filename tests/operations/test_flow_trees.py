"""The planned flows, before they are installed in Directus."""

from collections import Counter

from directus_assets.commands.setup.flow_trees import Wiring, button_flows, push_flow
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.names import Names

NAMES = ("upload", "file", "focal_point", "check", "busy", "click", "new_posts", "posts", "click_of_posts", "not_ours")


def test_no_name_of_a_collection_makes_two_operations_one() -> None:
    wiring = Wiring(
        names=Names(),
        door_url="http://door",
        own_user="u",
        buttons={Button.RENDER: ["directus_files"]},
        collections=["directus_files", *NAMES],
        pictures=dict.fromkeys(NAMES, ("cover",)),
    )

    for flow in (*button_flows(wiring), push_flow(wiring)):
        keys = Counter(row["key"] for row in flow.operation_rows())
        assert [key for key, count in keys.items() if count > 1] == []


def test_where_a_flow_cannot_answer_with_an_error_each_refusal_is_a_notification() -> None:
    refusals = {True: [], False: []}
    for can_refuse, operations in refusals.items():
        wiring = Wiring(
            names=Names(),
            door_url="http://door",
            own_user="u",
            buttons={Button.RENDER: ["directus_files", "posts"]},
            collections=[],
            pictures={"posts": ("cover",)},
            can_refuse=can_refuse,
        )
        (flow,) = button_flows(wiring)
        operations += [row for row in flow.operation_rows() if row["type"] in ("throw-error", "item-create")]

    assert {row["type"] for row in refusals[True]} == {"throw-error"}
    told = [row["options"]["payload"] for row in refusals[False]]
    assert {row["options"]["collection"] for row in refusals[False]} == {"directus_notifications"}
    assert [row["options"]["message"] for row in refusals[True]] == [row["message"] for row in told]
    assert {row["recipient"] for row in told} == {"{{$accountability.user}}"}
