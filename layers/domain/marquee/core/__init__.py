"""The base of all parts: database sessions, settings, errors, identity, clock, paging, formats of dates and amounts."""
