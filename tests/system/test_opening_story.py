"""From an empty database and one person who signs in to a paid booking, a counted till and a removed member.

The opening chapter of `make demo` makes each step by a call over HTTP, and stops at the first unexpected response.
"""

import psycopg
import pytest

from local.postgres import Server
from tests.kit.project import Project

pytestmark = pytest.mark.slow

LEFT = """
select
    (select count(*) from organizations.organizations) as organizations,
    (select count(*) from events.bookings where status = 'confirmed' and payment_method = 'cash') as bookings,
    (select count(*) from payments.till_closings where difference_cents = 0) as closings,
    (select array_agg(role::text) from organizations.memberships) as roles
"""


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Start a PostgreSQL with a database without tables, and name it to `make up`. Returns the owner's URL."""
    server = Server(tmp_path / "postgres", durable=False)
    server.start()
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("create database studio")
        monkeypatch.setenv("DATABASE_OWNER_URL", server.url("studio"))
        monkeypatch.setenv("DATABASE_URL", server.url("studio", "", "local"))
        yield server.url("studio")
    finally:
        server.stop()


def test_studio_opens_sells_and_counts_its_till_by_http_alone(empty, project: Project):
    with project.up():
        done = project.run("demo.story", "studio")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{project.said.read_text()}"

    with psycopg.connect(empty) as connection:
        assert connection.execute(LEFT).fetchone() == (1, 1, 1, ["owner"])
