"""Neighbours, compared with a brute-force reference implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directus_assets.enrichment.neighbours import Neighbour, Neighbours, Space, Vector, quantized
from directus_assets.errors import BadInput


def directions(count: int, dimensions: int, *, seed: int = 7) -> dict[str, Vector]:
    """Vectors in clusters, like those of texts, some of them equal."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, count // 20), dimensions))
    drawn = centres[random.integers(0, len(centres), count)] + 0.4 * random.normal(size=(count, dimensions))
    drawn[count // 2 :: 97] = drawn[0]
    return {str(key): quantized(row) for key, row in enumerate(drawn)}


def reference(vectors: dict[str, Vector], *, count: int, least: float = 0.0) -> dict[str, Neighbours]:
    """Every product in 64 bits, every row sorted in full."""
    keys = sorted(vectors)
    wide = np.stack([vectors[key] for key in keys]).astype(np.float64)
    products = wide @ wide.T
    found = {}
    for row, key in enumerate(keys):
        order = np.argsort(-products[row], kind="stable")
        nearest = [(keys[at], int(products[row, at])) for at in order if at != row][:count]
        found[key] = tuple(Neighbour(key=k, product=p) for k, p in nearest if p >= least * 4000**2)
    return found


def test_neighbours_of_5000_items_are_those_of_a_brute_force_comparison() -> None:
    vectors = directions(5000, 384)

    space = Space(vectors, count=5)

    assert space.nearest(space.keys) == reference(vectors, count=5)


def test_rounding_a_vector_costs_less_than_the_thousandth_part_of_a_cosine() -> None:
    random = np.random.default_rng(3)
    exact = random.normal(size=(60, 1536))
    unit = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = unit @ unit.T

    found = Space({str(key): quantized(row) for key, row in enumerate(exact)}, count=59, least=-1).nearest(["0"])["0"]

    assert max(abs(n.cosine - cosines[0, int(n.key)]) for n in found) < 0.001


def test_a_product_has_no_error_however_it_is_added_up() -> None:
    extreme = quantized([1.0, *[0.0] * 3071])
    even = quantized([1.0] * 3072)
    space = Space({"a": extreme, "b": extreme, "c": even, "d": even}, count=1)

    found = space.nearest(["a", "c"])

    assert found["a"][0] == Neighbour(key="b", product=int(np.dot(extreme.astype(object), extreme.astype(object))))
    assert found["c"][0] == Neighbour(key="d", product=int(np.dot(even.astype(object), even.astype(object))))
    assert found["c"][0].product < 2**24


def test_ties_are_in_the_order_of_keys() -> None:
    space = Space({key: quantized([1.0, 2.0]) for key in ("c", "a", "d", "b")}, count=2)

    assert [n.key for n in space.nearest(["b"])["b"]] == ["a", "c"]


def test_one_new_item_costs_one_row_of_products() -> None:
    vectors = directions(2000, 384)
    newcomer = vectors.pop("1234")
    lists = reference(vectors, count=5)
    space = Space({**vectors, "1234": newcomer}, count=5)

    changes = space.updated(lists, ["1234"])

    assert space.rows_multiplied == 1
    assert {**lists, **changes} == reference({**vectors, "1234": newcomer}, count=5)
    assert 1 < len(changes) < 500


@settings(max_examples=150)
@given(data=st.data())
def test_lists_that_are_kept_up_to_date_are_those_that_are_made_anew(data: st.DataObject) -> None:
    corner = st.lists(st.integers(-2, 2), min_size=3, max_size=3).filter(any)
    names = st.sampled_from([f"k{number}" for number in range(12)])
    count = data.draw(st.integers(1, 4))
    least = data.draw(st.sampled_from([-1.0, 0.0, 0.5]))
    before = {key: quantized(row) for key, row in data.draw(st.dictionaries(names, corner)).items()}
    coming = {key: quantized(row) for key, row in data.draw(st.dictionaries(names, corner)).items()}
    going = data.draw(st.sets(names)) - set(coming)
    after = {key: vector for key, vector in {**before, **coming}.items() if key not in going}
    lists = reference(before, count=count, least=least) if before else {}

    changes = Space(after, count=count, least=least).updated(lists, {*coming, *going})

    kept = {key: known for key, known in lists.items() if key in after}
    assert {**kept, **changes} == (reference(after, count=count, least=least) if after else {})
    assert all(lists.get(key) != known for key, known in changes.items())


def test_an_item_without_a_list_is_left_to_whoever_adds_it() -> None:
    space = Space({key: quantized([1.0, 2.0]) for key in ("a", "b", "c")}, count=2)
    lists = {"a": (), "c": space.nearest(["c"])["c"]}

    assert set(space.updated(lists, ["a"])) == {"a"}


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [1.0, float("nan")], [1.0, float("inf")], [[1.0]]])
def test_a_vector_without_a_direction_is_refused(vector: list[float]) -> None:
    with pytest.raises(BadInput, match="zero vector"):
        quantized(vector)


def test_an_empty_space_has_no_neighbours() -> None:
    assert Space({}, count=3).nearest(["a"]) == {}
    assert Space({"a": quantized([1.0])}, count=3).nearest(["a"]) == {"a": ()}
