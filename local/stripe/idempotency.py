"""Idempotency keys: the first response for a key is its response for a day."""

from dataclasses import dataclass

from local.stripe.clock import DAY_SECONDS
from local.stripe.errors import Refused, malformed
from local.stripe.store import Store

KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored response."""

    status: int
    request_id: str
    body: bytes


class Keys:
    """Keys per account. Keys in use are known only during the life of the process, like their requests."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_use: set[tuple[str, str]] = set()

    def begin(self, account: str, key: str, path: str, parameters: str, now: float) -> Kept | None:
        """Claim a key, or return its stored response.

        Raises Refused if it is in use, or was used for another request.
        """
        if len(key) > KEY_LENGTH_MAX:
            raise malformed(f"Idempotency keys are up to {KEY_LENGTH_MAX} characters long.")
        if (account, key) in self._in_use:
            refusal = Refused(
                409,
                "invalid_request_error",
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                begun=False,
                code="idempotency_key_in_use",
            )
            refusal.headers["Stripe-Should-Retry"] = "true"
            raise refusal
        self._store.run("delete from keys where created <= ?", (now - DAY_SECONDS,))
        row = self._store.row("select * from keys where account = ? and key = ?", (account, key))
        if row is None:
            self._in_use.add((account, key))
            return None
        if row["path"] != path:
            raise self._other(
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{row['path']}').",
                key,
            )
        if row["parameters"] != parameters:
            raise self._other(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.", key
            )
        return Kept(row["status"], row["request_id"], row["body"])

    def keep(self, account: str, key: str, path: str, parameters: str, now: float, kept: Kept) -> None:
        """Store the response, in the transaction of the operation."""
        self._store.run(
            "insert into keys (account, key, path, parameters, status, request_id, body, created) "
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            (account, key, path, parameters, kept.status, kept.request_id, kept.body, now),
        )

    def end(self, account: str, key: str) -> None:
        """End the request of a key."""
        self._in_use.discard((account, key))

    @staticmethod
    def _other(message: str, key: str) -> Refused:
        return Refused(
            400,
            "idempotency_error",
            f"{message} Try using a key other than '{key}' if you meant to execute a different request.",
            begun=False,
        )
