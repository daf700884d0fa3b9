"""Teach a model your text and let it write: python fine_tune_and_chat.py TEXT MODEL OUT [STEPS]

TEXT is a file or folder of text, MODEL a run, an export or `gpt2`. Called again, it goes on or goes
straight to the chat. A line is a prompt; Ctrl-D ends.
"""

import sys
from pathlib import Path

import wellread


def main(text: str, model: str, out: str, steps: str = "20") -> None:
    folder = Path(out)
    wellread.load_tokenizer(model).save(folder / "vocabulary")
    wellread.tokenize_corpus(
        text, folder / "vocabulary", folder / "tokens", wellread.TokensConfig()
    )
    config = wellread.TrainConfig(
        start=Path(model), steps=int(steps), batch_sequences=8, sequences_per_pass=1,
        peak_learning_rate=3e-5, final_learning_rate=3e-5, warmup_steps=0, save_every_steps=20,
    )  # fmt: skip
    run = folder / "run"
    wellread.train(folder / "tokens", run, wellread.ModelConfig(), config, progress=show)

    tuned, tokenizer = wellread.load_model(run), wellread.load_tokenizer(run)
    for number, line in enumerate(sys.stdin):
        sampling = wellread.Sampling(max_new_tokens=60, top_k=40)
        for piece in wellread.stream_text(tuned, tokenizer, line.rstrip(), sampling, seed=number):
            print(piece.text, end="", flush=True)
        print("\n")


def show(done: float, total: float | None, note: str = "") -> None:
    print(f"\rstep {done:.0f} of {total:.0f}, {note}", end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) >= 4 else sys.exit(__doc__)
