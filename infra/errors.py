"""What can go wrong with the servers of an installation; each text is one sentence for the person who runs it."""


class ServersError(Exception):
    """A server cannot be started or reached; ``code`` is stable, the text says what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
