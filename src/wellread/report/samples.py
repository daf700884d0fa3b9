"""The report's section on samples, one model's beside another's, as in the paper's appendix."""

from wellread.report.blocks import Beside, Block, Prose, Section
from wellread.report.built import absent
from wellread.report.evidence import EVALUATE, Evidence, Sample, Scored

ENDED = "(ended at once)"
UNCONDITIONAL = ("", "<|endoftext|>")
MODELS_SHOWN = 4
OPEN = 2  # samples of each kind that are not folded


def the_samples(evidence: Evidence) -> Section:
    writers = _of_each_size([scored for scored in evidence.scored if scored.samples])
    if not writers:
        text = (
            f"Not run: no samples among the results of {evidence.name}."
            if evidence.scored
            else absent(evidence, EVALUATE).text
        )
        return Section(key="samples", title="Samples", blocks=[Prose(text=text)], is_run=False)
    items = dict.fromkeys(sample.item for writer in writers for sample in writer.samples)
    blocks: list[Block] = [
        Prose(
            text="What the models write, from nothing and after the beginnings of held-out "
            "documents: the first samples in the results, as they came, from the smallest model to "
            "the largest."
        )
    ]
    shown = {True: 0, False: 0}
    for item in items:
        samples = [(writer, _sample(writer, item)) for writer in writers]
        there = [(writer.name, sample) for writer, sample in samples if sample is not None]
        prompt = there[0][1].prompt
        is_free = prompt.strip() in UNCONDITIONAL
        shown[is_free] += 1
        blocks.append(
            Beside(
                label="From nothing" if is_free else f"After the beginning of {item}",
                prompt="" if is_free else prompt,
                texts=[(name, sample.continuation or ENDED) for name, sample in there],
                is_folded=shown[is_free] > OPEN,
            )
        )
    return Section(key="samples", title="Samples", blocks=blocks)


def _sample(writer: Scored, item: str) -> Sample | None:
    return next((sample for sample in writer.samples if sample.item == item), None)


def _of_each_size(writers: list[Scored]) -> list[Scored]:
    """One model of each size, the first; of many the smallest, the largest and some between."""
    sizes: dict[int | str, Scored] = {}
    for writer in writers:
        size = writer.artifact.manifest.facts.get("num_parameters", writer.name)
        sizes.setdefault(size, writer)
    found = list(sizes.values())
    if len(found) <= MODELS_SHOWN:
        return found
    last = len(found) - 1
    return [found[round(place * last / (MODELS_SHOWN - 1))] for place in range(MODELS_SHOWN)]
