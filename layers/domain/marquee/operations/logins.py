"""The API's login at the database: the one user that functions are, without rights of its own beyond its roles."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

API_LOGIN = "marquee_api"
SCRAM = b"scram-sha-256"

_SET_PASSWORD: LiteralString = "alter role {} login noinherit password {}"  # noqa: S105


class WrongLogin(Exception):
    """The API's login must be marquee_api, for the migrations give their rights and time-outs to that name."""

    def __init__(self, username: str) -> None:
        super().__init__(f"{self.__doc__} The secret names {username}.")


def set_password(connection: psycopg.Connection[Any], username: str, password: str) -> None:
    """Let the API log in with this password. The migrations have made the role; setting the same again is harmless.

    What is sent is the verifier (SCRAM-SHA-256), so that neither the password nor anything to log in with is in the
    server's log. Raises WrongLogin for any other user.
    """
    if username != API_LOGIN:
        raise WrongLogin(username)
    verifier = connection.pgconn.encrypt_password(password.encode(), username.encode(), SCRAM)
    connection.execute(sql.SQL(_SET_PASSWORD).format(sql.Identifier(username), sql.Literal(verifier.decode())))
