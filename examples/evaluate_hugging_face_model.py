"""Score a Hugging Face GPT-2: python evaluate_hugging_face_model.py [MODEL] [TASK...]

MODEL is a folder with config.json and model.safetensors, or a name such as `gpt2` that
`hf download gpt2` has fetched. The tasks of the code below need no
file; `wellread evaluate --list` has all.
"""

import sys

import wellread


def main(name: str = "gpt2", *tasks: str) -> None:
    model, tokenizer = wellread.load_model(name), wellread.load_tokenizer(name)
    for result, items in wellread.evaluate(model, tokenizer, tasks or ["demo-lambada", "demo-cbt"]):
        for score in result.scores:
            interval = f"{score.low:.3f} to {score.high:.3f}" if score.low is not None else "-"
            print(f"{result.task:16} {score.metric:16} {score.value:8.3f}   95 %: {interval}")
        wrong = next((item for item in items if item.value == 0), None)
        if wrong is not None and wrong.prediction is not None:
            print(
                f"  wrong: ...{wrong.prompt[-50:]!r} -> {wrong.prediction!r}, not {wrong.target!r}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
