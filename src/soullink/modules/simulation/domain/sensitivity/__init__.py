"""What moved the outcome of a course: variance shares, effects, and the share of single moments."""
