"""Words that everybody shares. Standard library only."""
