"""Operation of the system: maintenance, health, imports, logins."""
