"""Series and events: when they occur, how they are made, edited and cancelled."""
