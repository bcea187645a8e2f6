"""Ground floor: database sessions, settings, errors, identity, clock, paging."""
