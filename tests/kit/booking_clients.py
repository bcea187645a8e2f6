"""Book for many customers in turn in a separate process, and record each acknowledged booking.

python -m tests.kit.booking_clients URL EVENT_ID FILE CUSTOMER_ID …
"""

import json
import sys
import time
from pathlib import Path
from uuid import UUID

import psycopg

from tests.kit import routines

SECONDS_MAX = 60


def main(url: str, event_id: UUID, acknowledged: Path, customers: list[UUID]) -> None:
    """Book for each customer. Retry after every lost connection with the same key."""
    deadline = time.monotonic() + SECONDS_MAX
    with acknowledged.open("a") as file:
        for customer in customers:
            while time.monotonic() < deadline:
                try:
                    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                        answer = routines.book(connection, event_id, customer, key="only")
                except psycopg.OperationalError:
                    time.sleep(0.02)  # the server is down; retry soon
                    continue
                except psycopg.Error as error:
                    answer = {"id": None, "code": routines.code_of(error)}
                file.write(json.dumps({"customer": str(customer), "booking": answer["id"]}) + "\n")
                file.flush()
                break


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]), Path(sys.argv[3]), [UUID(text) for text in sys.argv[4:]])
