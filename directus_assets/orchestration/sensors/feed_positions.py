"""The sensors' positions in the change feed, as Dagster stores them between ticks."""

import logging
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel

from directus_assets.directus.feed import FeedPosition
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.sensors.cursor import read_cursor

logger = logging.getLogger(__name__)


class _Followed(BaseModel):
    """The part common to the cursors of all sensors that follow the feed."""

    feed: FeedPosition


def read_positions(home: Path, sensors: Collection[str]) -> dict[str, FeedPosition]:
    """The positions by sensor; only of those that have ticked.

    Args:
        home: Dagster's folder.
        sensors: the names of the sensors.
    """
    with open_instance(home) as instance:
        cursors = {
            state.instigator_name: getattr(state.instigator_data, "cursor", None)
            for state in instance.all_instigator_state()
            if state.instigator_name in sensors
        }
    followed = {name: read_cursor(_Followed, cursor, logger) for name, cursor in cursors.items()}
    return {name: each.feed for name, each in followed.items() if each}
