"""The agents that live a course."""
