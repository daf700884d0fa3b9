"""Why there is no page, where that is found out."""

SILENT = {"connection", "dns", "timeout", "tls"}  # also what all hosts are while a network is down
TOO_PATIENT = "crawl_delay"  # robots.txt asks for longer rests than the crawl has


class Refused(Exception):
    """There is no page; `outcome` is what the row of its link says."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
