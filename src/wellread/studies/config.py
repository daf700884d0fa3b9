"""What a study compares."""

from typing import Any

from wellread.base.config import Config


class StudyConfig(Config, frozen=True):
    """Settings of the stage `study`."""

    vary: dict[str, list[Any]]  # setting -> its values: model.size=4x128,6x256
    seed: int = 0
