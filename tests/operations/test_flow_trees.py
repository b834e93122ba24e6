"""The flows as they are planned, before any Directus has them."""

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
