"""The stages `import` and `export`: a model of any kind in, a Hugging Face folder out."""

from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, is_artifact, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.model.card import model_card, origin_of
from wellread.model.config import ExportConfig, ImportConfig
from wellread.model.hugging_face import config_json, is_plain, to_stored
from wellread.model.load import check_vocabulary, load_tokenizer, read_weights
from wellread.model.sources import checkpoint_of, locate, refuse_onto_itself
from wellread.model.tensor_files import dtype_named, save_tensors
from wellread.model.weights import EMBEDDING, HEAD, Weights
from wellread.tokenizer.files import write_vocabulary
from wellread.tokenizer.tokenizer import Tokenizer

IMPORT, EXPORT = "import", "export"


def import_model(
    source: str | Path,
    out: Path,
    config: ImportConfig,
    *,
    tokenizer: Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Take over a model in any form that `sources.KINDS` names: weights, sizes, tokenizer.

    `tokenizer` is for a source that has none, such as nanoGPT's. Whatever is not quite as in the
    source is a sentence in `facts["notes"]`. Tensor by tensor; nothing is written before the whole
    source was checked.
    """
    place = locate(source)
    inputs = {"source": [place]} | ({"tokenizer": [tokenizer]} if tokenizer else {})
    if done := finished(out, stage=IMPORT, config=config, inputs=inputs):
        return done
    refuse_onto_itself(place, out)
    weights = _cut(read_weights(place), config.vocab_size, place)
    vocabulary = _tokenizer_for(weights, place, tokenizer)
    with writing(out, stage=IMPORT, config=config, inputs=inputs) as draft:
        progress(0, None, weights.kind)
        _write(draft, weights, vocabulary, config.dtype, with_switches=True)
    return read_manifest(out)


def export_model(
    model: str | Path,
    out: Path,
    config: ExportConfig,
    *,
    tokenizer: Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write a model as a plain `gpt2` of Hugging Face, with its tokenizer and a model card.

    A network that `transformers` does not have under that name is refused.
    """
    place = locate(model)
    inputs = {"model": [place]} | ({"tokenizer": [tokenizer]} if tokenizer else {})
    if done := finished(out, stage=EXPORT, config=config, inputs=inputs):
        return done
    refuse_onto_itself(place, out)
    weights = read_weights(place)
    shape = weights.config
    if not is_plain(shape):
        raise InputError(
            f"{model}: norm is {shape.norm!r} and final_norm {str(shape.final_norm).lower()}, "
            "which Hugging Face's gpt2 cannot express: it has norm 'pre' and final_norm true; "
            "keep the run as it is, or train one with these settings"
        )
    vocabulary = _tokenizer_for(weights, place, tokenizer)
    with writing(out, stage=EXPORT, config=config, inputs=inputs) as draft:
        progress(0, None, weights.kind)
        dtype = _write(draft, weights, vocabulary, config.dtype, with_switches=False)
        ids = {"bos_token_id": vocabulary.end_of_text, "eos_token_id": vocabulary.end_of_text}
        draft.write("generation_config.json", msgspec.json.format(msgspec.json.encode(ids)))
        # A run that has not ended has no account; its newest checkpoint says how far it was.
        origin = origin_of(place if is_artifact(place) else checkpoint_of(place).resolve())
        card = model_card(place.resolve().name, shape, dtype, origin, weights.notes)
        draft.write("README.md", card.encode())
    return read_manifest(out)


def _cut(weights: Weights, vocab_size: int | None, place: Path) -> Weights:
    """The weights with the first `vocab_size` ids only."""
    old = weights.config.vocab_size
    if vocab_size is None or vocab_size == old:
        return weights
    if not 0 < vocab_size < old:
        raise InputError(f"vocab_size {vocab_size}: {place} has {old} ids; expected at most those")
    tensors = {
        name: tensor[:vocab_size] if name in (EMBEDDING, HEAD) else tensor
        for name, tensor in weights.tensors.items()
    }
    note = f"of {old:,} ids the first {vocab_size:,} were kept"
    return weights._replace(
        config=msgspec.structs.replace(weights.config, vocab_size=vocab_size),
        tensors=tensors,
        notes=[*weights.notes, note],
    )


def _tokenizer_for(weights: Weights, place: Path, given: Path | None) -> Tokenizer:
    try:
        tokenizer = Tokenizer.load(given) if given is not None else load_tokenizer(place)
    except InputError as error:
        if given is not None:
            raise
        raise InputError(f"{error}; or name a folder with --tokenizer") from None
    check_vocabulary(tokenizer, weights.config, place)
    if tokenizer.vocab_size < (ids := weights.config.vocab_size):
        weights.notes.append(
            f"the model has {ids:,} ids, {ids - tokenizer.vocab_size:,} of which no token has"
        )
    return tokenizer


def _write(
    draft: Draft, weights: Weights, tokenizer: Tokenizer, dtype: str, *, with_switches: bool
) -> str:
    """Weights, sizes and vocabulary; the type of the weights."""
    wanted = dtype_named(dtype)
    path = draft.out / "model.safetensors"
    draft.did_write(path.name, save_tensors(to_stored(weights.tensors), path, dtype=wanted))
    found = wanted or weights.tensors[EMBEDDING].dtype
    content = config_json(
        weights.config, found, end_of_text=tokenizer.end_of_text, with_switches=with_switches
    )
    draft.write("config.json", content)
    write_vocabulary(draft.out, tokenizer.vocabulary, with_ranks=False)
    name = str(found).removeprefix("torch.")
    draft.facts |= {
        "kind": weights.kind,
        "num_parameters": weights.config.num_parameters,
        "num_tensors": len(weights.tensors),
        "dtype": name,
        "notes": weights.notes,
    }
    return name
