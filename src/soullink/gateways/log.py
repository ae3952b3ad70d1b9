"""Log events: names and ids of what went wrong and was borne, never what people wrote."""


class Log:
    """Logs through structlog, which is imported with the first event.

    It brings a formatter of tracebacks for terminals along (rich: 5 MB), and mostly nothing is
    logged.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def warning(self, event: str, **facts: object) -> None:
        """Log that `event` has happened."""
        import structlog  # noqa: PLC0415 - see above

        structlog.get_logger(self._name).warning(event, **facts)
