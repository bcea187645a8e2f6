"""Ground floor: database sessions, settings, errors, identity, clock, paging, forms of dates and amounts."""
