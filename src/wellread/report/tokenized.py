"""The report's section on the tokenizer: sizes, compression, long tokens, one word explained."""

from wellread.formats.published import paper
from wellread.report.blocks import NOTHING, Block, Cell, Column, Section, Table, Way, count, decimal
from wellread.report.built import absent
from wellread.report.evidence import TOKENIZER, TOKENS, Evidence
from wellread.report.vocabulary import WORD, Vocabulary


def the_tokenizer(evidence: Evidence) -> Section:
    artifact = evidence.first(TOKENIZER)
    blocks: list[Block] = list(_sizes(evidence))
    if artifact is not None and evidence.vocabulary is not None:
        why = [evidence.why(artifact.name)]
        blocks += [_word(evidence.vocabulary, why), _longest(evidence.vocabulary, why)]
    is_run = bool(blocks)
    blocks += [absent(evidence, s) for s in (TOKENIZER, TOKENS) if evidence.first(s) is None]
    return Section(key="tokenizer", title="The tokenizer", blocks=blocks, is_run=is_run)


def _sizes(evidence: Evidence) -> list[Table]:
    artifact, tokens, header = evidence.first(TOKENIZER), evidence.first(TOKENS), evidence.tokens
    rows, why = [], []
    if artifact is not None:
        facts = artifact.manifest.facts
        why.append(evidence.why(artifact.name))
        stated = next(s.value for s in paper().settings if s.key == "vocab_size")
        rows += [
            [Cell("vocabulary"), count(facts.get("vocab_size")), count(stated)],
            [Cell("merges"), count(facts.get("num_merges")), NOTHING],
            [
                Cell("bytes per token, held-out text"),
                decimal(facts.get("bytes_per_token"), 2),
                NOTHING,
            ],
        ]
    if header is not None and tokens is not None:
        why.append(evidence.why(tokens.name))
        rows += [
            [Cell(f"tokens of split “{name}”"), count(split.num_tokens), NOTHING]
            for name, split in header.splits.items()
        ]
    if not rows:
        return []
    return [
        Table(
            key="tokenizer",
            caption="Byte-level BPE: the vocabulary and what it makes of the corpus",
            columns=[Column("", "name"), Column("here", "number"), Column("paper", "number")],
            rows=rows,
            why=why,
        )
    ]


def _word(found: Vocabulary, why: list[Way]) -> Table:
    """Each merge of one word in order."""
    ids = ", ".join(f"{token.id:,}" for token in found.word.tokens)
    rows = [[Cell("bytes"), NOTHING, Cell(" ".join(found.word.stand_ins))]]
    rows += [
        [
            Cell(f"{merge.left} + {merge.right}"),
            count(merge.rank),
            Cell(" ".join(merge.after)),
        ]
        for merge in found.word.merges
    ]
    return Table(
        key="tokenizer-word",
        caption=f"How “{WORD}” becomes tokens",
        columns=[
            Column("merge", "name"),
            Column("rank", "number"),
            Column("the word then", "code"),
        ],
        rows=rows,
        why=why,
        note=f"Of all pairs of neighbours that the vocabulary has, the one learnt first is merged, "
        f"until none is left: ids {ids}. Ġ stands for the space, which belongs to its word.",
    )


def _longest(found: Vocabulary, why: list[Way]) -> Table:
    return Table(
        key="tokenizer-longest",
        caption="The longest tokens",
        columns=[Column("token", "name"), Column("bytes", "number"), Column("id", "number")],
        rows=[
            [Cell(text), count(num_bytes), count(number)]
            for number, text, num_bytes in found.longest
        ],
        why=why,
        note="␣ is a space, ⏎ the end of a line.",
        is_folded=True,
    )
