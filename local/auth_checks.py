"""Doubts about the `Auth` of an API: protection that the template asks for and SAM's translator silently ignores.

SAM deploys a route without a check if its DefaultAuthorizer names nobody or its Authorizers are empty. Here the API is
closed instead.
"""

from collections.abc import Mapping
from typing import Any

WITHOUT_DEFINITION = ("AWS_IAM", "NONE")
POLICIES = frozenset(
    f"{what}{how}"
    for what in ("AwsAccount", "IntrinsicVpc", "IntrinsicVpce", "IpRange", "SourceVpc")
    for how in ("Blacklist", "Whitelist")
) | {"CustomStatements"}
EVENT_MEMBERS = frozenset(
    {"ApiKeyRequired", "AuthorizationScopes", "Authorizer", "InvokeRole", "OverrideApiAuth", "ResourcePolicy"}
)
ANSWERS = (True, False, "true", "false")


def doubt(shared: Any, own: Any) -> str | None:
    """Return the reason why an API with this Auth must stay closed. `shared` is the Auth of Globals."""
    for auth in (shared, own):
        if auth is not _ABSENT and (not isinstance(auth, Mapping) or any(_empty(member) for member in auth.values())):
            return "its Auth has an empty or unreadable part"
    merged = {**_mapping(shared), **_mapping(own)}
    named = {**_mapping(_mapping(shared).get("Authorizers")), **_mapping(_mapping(own).get("Authorizers"))}
    if "Authorizers" in merged and not named:
        return "its Authorizers cannot be read"
    if any(not isinstance(authorizer, Mapping) or not authorizer for authorizer in named.values()):
        return "one of its Authorizers cannot be read"
    default = merged.get("DefaultAuthorizer", "NONE")
    if not isinstance(default, str) or (default not in named and default not in WITHOUT_DEFINITION):
        return "its DefaultAuthorizer is not among its Authorizers"
    if merged.get("ApiKeyRequired", False) not in ANSWERS:
        return "its ApiKeyRequired is neither true nor false"
    policy = merged.get("ResourcePolicy")
    if policy is not None and not (isinstance(policy, Mapping) and policy.keys() <= POLICIES):
        return "its resource policy cannot be read"
    if policy is not None and any(_empty(member) for member in policy.values()):
        return "its resource policy has an empty part"
    return None


def event_doubt(event: Mapping[str, Any], *, incomplete: bool) -> str | None:
    """Return the reason why a function's event must not become a route.

    `incomplete` means that a part of the function's description is missing, which may be the part that protects it.
    """
    if event.get("Type") not in ("Api", "HttpApi"):
        return None
    auth = of(event.get("Properties"))
    if incomplete and (auth is _ABSENT or not auth):
        return "a part of its function's description is missing, which may protect it"
    if auth is _ABSENT or auth == {}:
        return None
    if not isinstance(auth, Mapping) or not auth.keys() <= EVENT_MEMBERS:
        return "its Auth cannot be read"
    return "its Auth has an empty part" if any(_empty(member) for member in auth.values()) else None


def of(properties: Any) -> Any:
    """Return the Auth of an API's properties or of a section of Globals, for `doubt`."""
    return properties["Auth"] if isinstance(properties, Mapping) and "Auth" in properties else _ABSENT


_ABSENT = object()


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
