"""Learn a byte-level BPE vocabulary: python train_a_tokenizer.py OUT VOCAB_SIZE TEXT_FILE...

Only the tokenizer is needed: `pip install wellread`.
"""

import sys
from pathlib import Path

import wellread


def main(out: str, vocab_size: str, *files: str) -> None:
    texts = [Path(file).read_bytes() for file in files]
    tokenizer = wellread.Tokenizer.train(texts, vocab_size=int(vocab_size))
    tokenizer.save(out)  # vocab.json, merges.txt, tokenizer.json: others read them too

    ids = tokenizer.encode(texts[0])
    assert tokenizer.decode_bytes(ids) == texts[0]  # no text is lost
    print(f"{tokenizer}: {len(texts[0]) / len(ids):.2f} bytes per token of {files[0]}")
    longest = sorted(tokenizer.tokens, key=len, reverse=True)[:5]
    print("longest tokens:", *(repr(token.decode("utf-8", "replace")) for token in longest))
    print("a text in tokens:", [tokenizer.decode([number]) for number in ids[:12]])


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) >= 4 else sys.exit(__doc__)
