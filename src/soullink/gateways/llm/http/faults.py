"""What can go wrong between us and a server, before anybody looks at what it says."""


class HttpError(Exception):
    """An exchange failed. sent: whether the server may have seen the request."""

    sent = True


class NotReachedError(HttpError):
    """No connection came about: refused, no such host, no trust, or too slow to connect."""

    sent = False


class CutError(HttpError):
    """The connection ended before the answer did."""


class MalformedError(HttpError):
    """What came is not HTTP/1.1."""


class TooLongError(HttpError):
    """More came than an answer can be."""


class SilentError(HttpError):
    """Nothing came for `seconds`, though the deadline of the call has not passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:g} seconds")
        self.seconds = seconds


class DeadlineError(HttpError):
    """The deadline of the call passed. `sent` says whether the request was out by then."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("the deadline has passed")
        self.sent = sent
