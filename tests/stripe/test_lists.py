"""Lists come in pages, newest first."""

from uuid import uuid4

import pytest
import stripe

from tests.kit.stripe_process import Api


@pytest.fixture
def customers(api: Api) -> tuple[str, list[str]]:
    """Create seven customers with one e-mail address, and return it with their ids, newest first."""
    email = f"{uuid4().hex}@example.com"
    made = [api.v1.customers.create({"email": email, "name": str(place)}).id for place in range(7)]
    return email, made[::-1]


def test_pages_follow_each_other_in_both_directions(api: Api, customers: tuple[str, list[str]]):
    email, ids = customers

    first = api.v1.customers.list({"email": email, "limit": 3})
    second = api.v1.customers.list({"email": email, "limit": 3, "starting_after": ids[2]})
    last = api.v1.customers.list({"email": email, "limit": 3, "starting_after": ids[5]})
    back = api.v1.customers.list({"email": email, "limit": 3, "ending_before": ids[5]})

    assert ([each.id for each in first.data], first.has_more) == (ids[:3], True)
    assert ([each.id for each in second.data], second.has_more) == (ids[3:6], True)
    assert ([each.id for each in last.data], last.has_more) == (ids[6:], False)
    assert ([each.id for each in back.data], back.has_more) == (ids[2:5], True)
    assert first.url == "/v1/customers"


def test_sdk_iterates_over_all_pages(api: Api, customers: tuple[str, list[str]]):
    email, ids = customers

    assert [each.id for each in api.v1.customers.list({"email": email, "limit": 2}).auto_paging_iter()] == ids


@pytest.mark.parametrize(
    "given", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"starting_after": "cus_x"}, {"page": 2}]
)
def test_invalid_page_parameters_are_refused(api: Api, given: dict[str, object]):
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.customers.list(given)


def test_list_is_filtered_by_creation_time(stand_in: Api):
    ids = []
    for _ in range(3):
        ids.append(stand_in.v1.customers.create({}).id)
        stand_in.control("/clock", advance=100)
    created = [stand_in.v1.customers.retrieve(each).created for each in ids]

    def listed(**bounds: int) -> list[str]:
        return [each.id for each in stand_in.v1.customers.list({"created": bounds}).data][::-1]

    assert listed(gte=created[1]) == ids[1:]
    assert listed(gt=created[1]) == ids[2:]
    assert listed(lte=created[1]) == ids[:2]
    assert listed(lt=created[2], gt=created[0]) == ids[1:2]
    assert [each.id for each in stand_in.v1.customers.list({"created": created[1]}).data] == [ids[1]]


def test_deleted_customer_leaves_lists_and_can_still_be_retrieved(api: Api):
    made = api.v1.customers.create({"email": f"{uuid4().hex}@example.com"})

    api.v1.customers.delete(made.id)

    assert api.v1.customers.retrieve(made.id).deleted
    assert api.v1.customers.list({"email": made.email}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.customers.update(made.id, {"name": "Ana"})
