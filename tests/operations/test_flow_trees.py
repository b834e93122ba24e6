"""The flows as they are planned, before any Directus has them."""

from collections import Counter

from directus_assets.commands.setup.flow_trees import Outputs, Wiring, button_flows, push_flow
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.names import Names

NAMES = ("upload", "file", "focal_point", "check", "taken", "new_posts", "posts", "taken_of_posts", "not_ours")


def test_no_name_of_a_collection_makes_two_operations_one() -> None:
    outputs = [
        Outputs(collection=name, partitions_name=name, jobs=("job",), takes_all=True)
        for name in ("directus_files", *NAMES)
    ]
    wiring = Wiring(
        names=Names(),
        dagster_url="http://dagster",
        location="ours",
        own_user="u",
        buttons={Button.RENDER: ["directus_files"]},
        outputs=outputs,
        pictures=dict.fromkeys(NAMES, ("cover",)),
    )

    for flow in (*button_flows(wiring), push_flow(wiring)):
        keys = Counter(row["key"] for row in flow.operation_rows())
        assert [key for key, count in keys.items() if count > 1] == []
