"""The database logins of the API: the users of the functions, with no rights except those of their one role."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from marquee.core.settings import Login

SCRAM = b"scram-sha-256"

_SET_PASSWORD: LiteralString = "alter role {} login noinherit password {}"  # noqa: S105


class WrongLogin(Exception):
    """A secret names another user than the one to which the migrations grant rights and time-outs."""

    def __init__(self, login: Login, username: str) -> None:
        super().__init__(f"The secret of the login {login} names the user {username}. Set its username to {login}.")


def set_password(connection: psycopg.Connection[Any], login: Login, username: str, password: str) -> None:
    """Set the password of a login of the API. The migrations created the role; repeating this is harmless.

    Only the verifier (SCRAM-SHA-256) is sent, so that the server's log holds neither the password nor anything to log
    in with. Raises WrongLogin if the secret's `username` is another.
    """
    if username != login:
        raise WrongLogin(login, username)
    verifier = connection.pgconn.encrypt_password(password.encode(), username.encode(), SCRAM)
    connection.execute(sql.SQL(_SET_PASSWORD).format(sql.Identifier(username), sql.Literal(verifier.decode())))
