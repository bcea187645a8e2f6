"""The API's logins at the database: the users that functions are, without rights of their own beyond their one role."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from marquee.core.settings import Login

SCRAM = b"scram-sha-256"

_SET_PASSWORD: LiteralString = "alter role {} login noinherit password {}"  # noqa: S105


class WrongLogin(Exception):
    """A secret names another user than the one to whom the migrations give rights and time-outs."""

    def __init__(self, login: Login, username: str) -> None:
        super().__init__(f"The secret of the login {login} names the user {username}. Set its username to {login}.")


def set_password(connection: psycopg.Connection[Any], login: Login, username: str, password: str) -> None:
    """Let a login of the API in with this password. The migrations have made the role; repeating it is harmless.

    Only the verifier (SCRAM-SHA-256) is sent, so that neither the password nor anything to log in with is in the
    server's log. Raises WrongLogin where the secret's `username` is another.
    """
    if username != login:
        raise WrongLogin(login, username)
    verifier = connection.pgconn.encrypt_password(password.encode(), username.encode(), SCRAM)
    connection.execute(sql.SQL(_SET_PASSWORD).format(sql.Identifier(username), sql.Literal(verifier.decode())))
