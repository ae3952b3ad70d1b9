"""The whole engine under faults, decided by one number: `python -m tests.e2e.seeds`."""
