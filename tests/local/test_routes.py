"""Matching of paths with routes."""

import pytest

from local.resources import Operation
from local.routes import Routes


def operation(method: str, path: str) -> Operation:
    return Operation(method, path, "id", None, {}, None, False, False, None, False, (), None, 29.0)


ROUTES = Routes(
    operation(method, path)
    for method, path in [
        ("GET", "/"),
        ("GET", "/bookings"),
        ("POST", "/bookings"),
        ("GET", "/bookings/{id}"),
        ("GET", "/bookings/calendar.ics"),
        ("POST", "/bookings/{id}/cancel"),
        ("GET", "/bookings/{other}/seats/{seat}"),
        ("ANY", "/files/{proxy+}"),
        ("GET", "/files/readme"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/", "/", {}),
        ("GET", "/bookings", "/bookings", {}),
        ("GET", "/bookings/", "/bookings", {}),
        ("GET", "/bookings/7", "/bookings/{id}", {"id": "7"}),
        ("GET", "/bookings/a%2Fb", "/bookings/{id}", {"id": "a%2Fb"}),
        ("GET", "/bookings/calendar.ics", "/bookings/calendar.ics", {}),
        ("POST", "/bookings/calendar.ics/cancel", "/bookings/{id}/cancel", {"id": "calendar.ics"}),
        ("GET", "/bookings/7/seats/3", "/bookings/{other}/seats/{seat}", {"other": "7", "seat": "3"}),
        ("GET", "/files/readme", "/files/readme", {}),
        ("PUT", "/files/readme", "/files/{proxy+}", {"proxy": "readme"}),
        ("DELETE", "/files/a/b/c", "/files/{proxy+}", {"proxy": "a/b/c"}),
    ],
)
def test_most_specific_route_matches(method: str, path: str, route: str, parameters: dict[str, str]) -> None:
    match = ROUTES.match(method, path)

    assert match is not None
    assert (match.operation.path, match.parameters) == (route, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/bookings"), ("GET", "/nothing"), ("GET", "/bookings//cancel"), ("POST", "/"), ("GET", "/files")],
)
def test_unknown_path_or_method_matches_no_route(method: str, path: str) -> None:
    assert ROUTES.match(method, path) is None
