"""Why there is no page, where that is found out."""


class Refused(Exception):
    """There is no page; `outcome` is what the row of its link says."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
