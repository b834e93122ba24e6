"""What items that were embedded together have cost each."""

import pytest

from directus_assets.enrichment.related_work import shares
from directus_assets.translation.engines.protocol import Usage


@pytest.mark.parametrize("sizes", [{"a": 1}, {"a": 3, "b": 4, "c": 6}, {str(n): n + 1 for n in range(50)}])
@pytest.mark.parametrize("tokens", [0, 1, 7, 1000])
def test_shares_add_up_to_what_was_paid(sizes: dict[str, int], tokens: int) -> None:
    usage = Usage(requests=2, input_tokens=tokens, characters=sum(sizes.values()))

    found = shares(usage, sizes)

    assert sum(found.values(), Usage()) == usage
    assert {key: share.characters for key, share in found.items()} == sizes


def test_nothing_is_shared_where_nothing_was_sent() -> None:
    assert shares(Usage(), {}) == {}
