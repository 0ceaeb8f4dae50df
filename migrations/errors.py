"""What can go wrong with migrations; each text is one sentence for the person who runs the installation."""


class MigrationError(Exception):
    """The database cannot be brought to this version; ``code`` is stable, nothing of the failed step was kept."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
