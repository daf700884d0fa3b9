"""What policy or a limit ends a request with."""

SILENT = {"connection", "dns", "timeout", "tls"}  # also what all hosts are while a network is down
TOO_PATIENT = "crawl_delay"  # robots.txt asks for longer rests than the crawl has


class Refused(Exception):
    """A request that ends here; `outcome` is what its link's row says."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
