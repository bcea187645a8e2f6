"""Share a database with data of every kind of person, and a probe that calls its routines."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import tuple_row

from local.postgres import Server
from tests.kit import routine_probes
from tests.kit.databases import TEMPLATE

PROBED = "probed"


@pytest.fixture(scope="session")
def probe(server: Server) -> Iterator[routine_probes.Probe]:
    """Return a probe of a separate database. The probe rolls every call back."""
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(f"create database {PROBED} template {TEMPLATE} strategy file_copy")
        with psycopg.connect(server.url(PROBED), autocommit=True) as filling:
            routine_probes.fill(filling)
        with (
            psycopg.connect(server.url(PROBED), row_factory=tuple_row) as calling,
            psycopg.connect(server.url(PROBED), autocommit=True, row_factory=tuple_row) as before,
        ):
            yield routine_probes.Probe(calling, before)
        owner.execute(f"drop database {PROBED} with (force)")
