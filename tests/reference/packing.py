"""Windows that begin at documents where they can, written to be obviously right."""


def slow_windows(documents: list[list[int]], context: int) -> list[list[int]]:
    """Windows of `context + 1` tokens: `train.packing`'s rule, a document and a token at a time."""

    def rest(document: list[int]) -> int:
        whole_windows = 0
        while len(document) - whole_windows * context > context:
            whole_windows += 1
        return len(document) - whole_windows * context

    waiting, last = documents[:-1], documents[-1]
    text: list[int] = []
    starts = [0]  # of windows in the text
    while True:
        room = context - (len(text) - starts[-1])
        fitting = [document for document in waiting if rest(document) <= room]
        if fitting:
            chosen = max(fitting, key=rest)  # of equals the first
        else:
            chosen = max(waiting, key=rest) if waiting else last
            if rest(chosen) > room and room <= context / 8:
                starts.append(len(text))
        is_last = not waiting
        if not is_last:
            waiting = [document for document in waiting if document is not chosen]
        for token in chosen:
            text.append(token)
            if len(text) - starts[-1] == context:
                starts.append(len(text))
        if is_last:
            windows = [text[start : start + context + 1] for start in starts]
            return [window for window in windows if len(window) == context + 1]
