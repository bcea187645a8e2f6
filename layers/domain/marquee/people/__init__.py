"""People of an organization: its members, their invitations and roles, and the record of its changes."""
