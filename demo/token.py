"""Prints a token for somebody of the demo, and nothing else.

python -m demo.token --user ana --org lakeside --role service_role
"""

import argparse
import sys
import tomllib
from pathlib import Path

from local import state
from local.issuer import Issuer

PEOPLE = Path(__file__).parent / "people.toml"
ROLES = ("authenticated", "service_role")
SERVICE = "d2000000-0000-4000-8000-000000000001"
AUDIENCE = "marquee"
ADDRESS = "http://127.0.0.1:3000"


class Unknown(Exception):
    """A name that the demo does not have; the message lists those that it has."""


def token(user: str, org: str = "", role: str = "", *, folder: Path = state.FOLDER) -> str:
    """Return a JWT for a person by first name, acting for an organization by its slug. Raises Unknown."""
    known = tomllib.loads(PEOPLE.read_text())
    people, organizations = known["people"], known["organizations"]
    role = role or ROLES[0]
    if role not in ROLES:
        raise Unknown(f"There is no role {role!r}. ROLE is one of: {', '.join(ROLES)}.")
    if org and org not in organizations:
        raise Unknown(f"There is no organization {org!r}. ORG is one of: {', '.join(organizations)}.")
    if user and user not in people:
        raise Unknown(f"There is nobody called {user!r}. USER is one of: {', '.join(people)}.")
    if not user and role != "service_role":
        raise Unknown(f"Say who: USER is one of: {', '.join(people)}.")
    last = state.last(folder)
    return Issuer(folder / "issuer").token(
        last.url if last else ADDRESS,
        audience=AUDIENCE,
        sub=people[user]["id"] if user else SERVICE,
        role=role,
        org_id=organizations[org]["id"] if org else None,
        email=f"{user}@example.org" if user else None,
        email_verified=True if user else None,
        name=user.title() if user else None,
    )


def main() -> int:
    """Print the token. Returns 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m demo.token")
    parser.add_argument("--user", default="")
    parser.add_argument("--org", default="")
    parser.add_argument("--role", default="")
    given = parser.parse_args()
    try:
        print(token(given.user, given.org, given.role))
    except Unknown as error:
        print(f"{error}\nFor example: make token USER=ana ORG=lakeside", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
