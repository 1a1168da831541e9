"""What is raised when a statement of the product is not true."""


class FalseError(AssertionError):
    """A statement of the product is not true."""

    def __init__(self, claim: str, about: str, detail: str) -> None:
        self.claim, self.about, self.detail = claim, about, detail
        super().__init__(claim, about, detail)

    def __str__(self) -> str:
        return f"{self.claim} ({self.about}): {self.detail}"
