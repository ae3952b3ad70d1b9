"""The rules of prompts. No database, no network, no clock."""
