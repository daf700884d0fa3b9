"""What may be chosen about a report."""

from typing import Annotated

from msgspec import Meta

from wellread.base.config import Config


class ReportConfig(Config, frozen=True):
    """Settings of the stage `report`."""

    title: str | None = None  # None: the name of the run's directory
    samples_per_model: Annotated[int, Meta(ge=0)] = 6  # printed; all are in the results
    sections: tuple[str, ...] = ()  # as the page's addresses name them: size,models; none: all
