"""Series and events: when they occur, how they are created, edited and cancelled."""
