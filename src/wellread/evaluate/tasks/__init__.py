"""One module for each task, with a constant TASK; `_` in its name is `-` in the task's."""
