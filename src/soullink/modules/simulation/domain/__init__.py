"""The rules of simulation. No database, no network, no clock."""
