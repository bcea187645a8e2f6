"""What keeps the system running: maintenance, health, imports, logins."""
