"""Models in and out of every format, bit by bit, against the programs that made the formats."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.reference.tensor_bundle import write_bundle
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest, writing
from wellread.model.config import ExportConfig, ImportConfig
from wellread.model.exchange import export_model, import_model
from wellread.model.gpt2 import GPT2
from wellread.model.load import load_model, load_tokenizer, save_model
from wellread.model.sizes import Architecture
from wellread.model.sources import locate
from wellread.model.tensor_files import read_safetensors, save_tensors
from wellread.tokenizer.tokenizer import Tokenizer

SHAPE = Architecture(layers=2, width=64, heads=2, context=16, vocab_size=300)
IDS = torch.randint(0, 300, (2, 16), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def small() -> GPT2:
    network = GPT2(SHAPE).initialise(seed=1)
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            if parameter.dim() == 1:  # so that a bias or a norm in a wrong place is noticed
                source = torch.Generator().manual_seed(number)
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=source))
    return network


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer.train(["low lower lowest new newer newest wide wider widest " * 9], 280)
    assert made.vocab_size <= 300
    return made


@pytest.fixture
def folder(small: GPT2, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """A Hugging Face folder of the small network."""
    place = tmp_path / "hf"
    place.mkdir()
    save_model(small, place)
    tokenizer.save(place)
    return place


@pytest.fixture
def theirs(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


def assert_same(one: GPT2, other: GPT2) -> None:
    assert one.config == other.config
    for (name, a), (_, b) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert a.dtype == b.dtype, name
        assert torch.equal(a, b), name


def loaded(model: str | Path, **options: Any) -> GPT2:
    return load_model(model, device="cpu", **options)


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    config = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(config | values))


def openai_folder(network: GPT2, place: Path, tokenizer: Tokenizer | None = None) -> Path:
    """As openai/gpt-2's download_model.py leaves models/124M."""
    place.mkdir()
    shape = network.config
    arrays = {}
    for name, parameter in network.named_parameters():
        *path, kind = name.split(".")
        path = ["model", *(["h" + path[1], *path[2:]] if path[0] == "h" else path)]
        value = parameter.detach()
        if path[1] not in ("wte", "wpe"):
            is_norm = path[-1].startswith("ln_")
            path.append("b" if kind == "bias" else "g" if is_norm else "w")
            if path[-1] == "w":
                value = value.t()[None]
        arrays["/".join(path)] = np.ascontiguousarray(value.numpy())
    write_bundle(place / "model.ckpt", arrays)
    (place / "checkpoint").write_text('model_checkpoint_path: "/tmp/model.ckpt"\n')
    hparams = {
        "n_vocab": shape.vocab_size,
        "n_ctx": shape.context,
        "n_embd": shape.width,
        "n_head": shape.heads,
        "n_layer": shape.layers,
    }
    (place / "hparams.json").write_bytes(msgspec.json.encode(hparams))
    if tokenizer is not None:
        tokenizer.save(place)
        (place / "vocab.json").rename(place / "encoder.json")
        (place / "merges.txt").rename(place / "vocab.bpe")
    return place


def nanogpt_checkpoint(
    network: GPT2, path: Path, *, prefix: str = "", bias: bool = True, **more: Any
) -> Path:
    """As nanoGPT's train.py saves it."""
    shape = network.config
    state = {
        f"{prefix}transformer.{name}": parameter.detach()
        for name, parameter in network.named_parameters()
        if bias or not name.endswith("bias")
    }
    state[f"{prefix}lm_head.weight"] = network.wte.weight.detach()
    state[f"{prefix}transformer.h.0.attn.bias"] = torch.ones(1, 1, shape.context, shape.context)
    arguments = {
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "n_embd": shape.width,
        "block_size": shape.context,
        "bias": bias,
        "vocab_size": shape.vocab_size,
        "dropout": 0.0,
    }
    saved = {
        "model": state,
        "optimizer": {"state": {}, "param_groups": []},
        "model_args": arguments | more,
        "iter_num": 2000,
        "best_val_loss": torch.tensor(3.1),
        "config": {"out_dir": "out", "compile": True},
    }
    torch.save(saved, path)
    return path


# Hugging Face


@torch.no_grad()
def test_transformers_reads_what_we_write_and_computes_the_same(small: GPT2, theirs: Any) -> None:
    difference = (small.double()(IDS) - theirs.double()(IDS).logits).abs().max()
    small.float()
    assert difference < 1e-12


def test_what_transformers_writes_comes_back_bitwise(
    small: GPT2, theirs: Any, tmp_path: Path
) -> None:
    theirs.save_pretrained(tmp_path / "whole")
    assert_same(loaded(tmp_path / "whole"), small)
    theirs.save_pretrained(tmp_path / "shards", max_shard_size="100KB")
    assert len(list((tmp_path / "shards").glob("model-*.safetensors"))) > 2
    assert_same(loaded(tmp_path / "shards"), small)


def test_what_we_export_transformers_saves_again_and_it_comes_back_bitwise(
    small: GPT2, folder: Path, tmp_path: Path
) -> None:
    export_model(folder, tmp_path / "out", ExportConfig())
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    again.save_pretrained(tmp_path / "again")
    assert_same(loaded(tmp_path / "again"), small)


@pytest.mark.parametrize("zipped", [True, False])
def test_old_files_of_torch_save_come_back_bitwise(
    small: GPT2, theirs: Any, folder: Path, *, zipped: bool
) -> None:
    (folder / "model.safetensors").unlink()
    state = theirs.state_dict()  # with the head, which shares the embedding's memory
    state["transformer.h.0.attn.bias"] = torch.ones(1, 1, 16, 16, dtype=torch.uint8)
    state["transformer.h.0.attn.masked_bias"] = torch.tensor(-1e4)
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    assert_same(loaded(folder), small)


def test_shards_of_torch_save_come_back_bitwise(small: GPT2, theirs: Any, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    state = theirs.state_dict()
    del state["lm_head.weight"]
    names = sorted(state)
    weight_map = {}
    for number, part in enumerate((names[:9], names[9:]), start=1):
        shard = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({name: state[name] for name in part}, folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    index = folder / "pytorch_model.bin.index.json"
    index.write_bytes(msgspec.json.encode({"metadata": {}, "weight_map": weight_map}))
    assert_same(loaded(folder), small)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(
        InputError, match=r"its shard pytorch_model-00002-of-00002.bin is not there"
    ):
        loaded(folder)


def test_a_shard_outside_the_folder_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
    weight_map = {"transformer.wte.weight": "../other.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_bytes(msgspec.json.encode({"weight_map": weight_map}))
    with pytest.raises(InputError, match=r"'../other.safetensors'; expected a file beside it"):
        loaded(folder)


def test_names_without_a_prefix_are_read_too(small: GPT2, folder: Path) -> None:
    path = folder / "model.safetensors"
    bare = {name.removeprefix("transformer."): t.clone() for name, t in load_file(path).items()}
    save_file(bare, path)
    assert_same(loaded(folder), small)


def test_a_pickle_that_would_run_code_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    witness = tmp_path / "witness"
    # Protocol 0: call os.mkdir with the name.
    content = f"cos\nmkdir\n(V{witness}\ntR.".encode()
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(InputError, match=r"pytorch_model.bin: not"):
        loaded(folder)

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(witness),)

    torch.save({"wte.weight": Call()}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"it is not unpickled \(.*mkdir"):
        loaded(folder)
    assert not witness.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("length", [0, 7, 200, 100_000])
def test_a_file_that_was_cut_is_refused(theirs: Any, folder: Path, name: str, length: int) -> None:
    if name == "pytorch_model.bin":
        (folder / "model.safetensors").unlink()
        torch.save(theirs.state_dict(), folder / name)
    (folder / name).write_bytes((folder / name).read_bytes()[:length])
    with pytest.raises(InputError, match=f"{name}: not"):
        loaded(folder)


def change_tensors(folder: Path, **changes: Tensor | None) -> None:
    path = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    for name, tensor in changes.items():
        key = name.replace("__", ".")
        if tensor is None:
            del tensors[key]
        else:
            tensors[key] = tensor
    save_file(tensors, path)


def test_a_matrix_of_the_wrong_shape_is_named_with_both_shapes_as_stored(folder: Path) -> None:
    change_tensors(folder, transformer__h__1__mlp__c_fc__weight=torch.ones(256, 64))
    with pytest.raises(
        InputError,
        match=r"tensor h.1.mlp.c_fc.weight is of shape \(256, 64\), expected \(64, 256\)$",
    ):
        loaded(folder)


def test_a_missing_tensor_is_named(folder: Path) -> None:
    change_tensors(folder, transformer__ln_f__bias=None)
    with pytest.raises(InputError, match=r"tensor ln_f.bias is missing, expected \(64,\)"):
        loaded(folder)


def test_a_tensor_too_many_is_named(folder: Path) -> None:
    change_tensors(folder, score__weight=torch.ones(2, 64))
    with pytest.raises(InputError, match=r"does not have, score.weight \(2, 64\) among 1"):
        loaded(folder)


def test_a_tensor_of_whole_numbers_is_refused(folder: Path) -> None:
    change_tensors(folder, transformer__ln_f__bias=torch.ones(64, dtype=torch.int8))
    with pytest.raises(InputError, match=r"ln_f.bias is torch.int8, expected float64, float32"):
        loaded(folder)


def test_a_type_that_no_gpt2_is_computed_in_is_refused(folder: Path) -> None:
    change_tensors(folder, transformer__ln_f__bias=torch.ones(64).to(torch.float8_e4m3fn))
    with pytest.raises(InputError, match=r"is torch.float8_e4m3fn, expected float64, float32"):
        loaded(folder)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({5: torch.ones(1)}, r"a tensor's name is 5; expected a text"),
        ({"ln_f.bias": [1.0]}, r"ln_f.bias is of type list; expected a dense tensor"),
        ({"lm_head.weight": 3}, r"lm_head.weight is of type int; expected a dense tensor"),
        ({"ln_f.bias": torch.ones(64).to_sparse()}, r"ln_f.bias is of type torch.sparse_coo"),
    ],
)
def test_a_pickled_table_that_holds_other_things_is_refused(
    theirs: Any, small: GPT2, folder: Path, tmp_path: Path, more: dict[Any, Any], found: str
) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(theirs.transformer.state_dict() | more, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=f"pytorch_model.bin: {found}"):
        loaded(folder)
    path = nanogpt_checkpoint(small, tmp_path / "ckpt.pt")
    content = torch.load(path, weights_only=True)
    torch.save(content | {"model": content["model"] | more}, path)
    with pytest.raises(InputError, match=f"ckpt.pt: {found}"):
        loaded(path)


def test_a_checkpoint_without_a_table_of_tensors_is_refused(small: GPT2, tmp_path: Path) -> None:
    path = nanogpt_checkpoint(small, tmp_path / "ckpt.pt")
    torch.save(torch.load(path, weights_only=True) | {"model": [1]}, path)
    with pytest.raises(InputError, match=r"a list where a table of tensors is expected"):
        loaded(path)


def test_a_head_said_to_be_tied_must_be_the_embedding(folder: Path) -> None:
    change_tensors(folder, lm_head__weight=torch.ones(300, 64))
    with pytest.raises(InputError, match=r"lm_head.weight \(300, 64\) is not wte.weight"):
        loaded(folder)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("model_type", "llama", "llama with gelu_new; expected gpt2"),
        ("activation_function", "gelu", "gpt2 with gelu; expected gpt2 with gelu_new"),
        ("n_inner", 100, "n_inner is 100; expected 256"),
        ("scale_attn_by_inverse_layer_idx", True, "inverse_layer_idx is True; expected False"),
        ("n_head", 3, "a width that the heads divide"),
        ("n_embd", 10**12, "so one of the numbers is wrong"),
        ("n_positions", 10**12, "so one of the numbers is wrong"),
        ("n_layer", 10**7, "10,000,000 layers and .* expected at most 10,000"),
        ("layer_norm_epsilon", -1e-5, "epsilon is -1e-05; expected 0 or more"),
        ("n_layer", "two", "not the configuration of a GPT-2"),
        ("wellread", {"rotary": True}, "wellread.rotary is not known to this version"),
        ("wellread", {"norm": "both"}, "Invalid enum value 'both'"),
    ],
)
def test_another_network_is_refused_by_the_key(
    folder: Path, key: str, value: object, found: str
) -> None:
    change_config(folder, **{key: value})
    with pytest.raises(InputError, match=found):
        loaded(folder)


# Types and memory


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_kept_or_widened_as_asked(
    theirs: Any, folder: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    theirs.to(dtype).save_pretrained(tmp_path / "half")
    kept = loaded(tmp_path / "half", dtype="stored")
    assert kept.wte.weight.dtype == dtype
    assert loaded(tmp_path / "half").wte.weight.dtype == torch.float32
    assert torch.equal(loaded(tmp_path / "half").wte.weight, kept.wte.weight.float())
    import_model(tmp_path / "half", tmp_path / "in", ImportConfig(), tokenizer=folder)
    assert_same(loaded(tmp_path / "in", dtype="stored"), kept)
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "in")
    assert again.transformer.wte.weight.dtype == dtype


def test_an_unknown_dtype_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="dtype 'int8': expected stored, float64, float32"):
        loaded(folder, dtype="int8")


def test_weights_that_need_no_change_stay_in_the_mapped_file(folder: Path) -> None:
    network = loaded(folder)
    path = str(folder / "model.safetensors")
    mapped = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(path)
    ]
    for parameter in network.parameters():
        assert any(start <= parameter.data_ptr() < end for start, end in mapped)
    assert network.h[0].mlp.c_fc.weight.stride() == (1, 256)
    own = loaded(folder, mapped=False)
    assert own.h[0].mlp.c_fc.weight.is_contiguous()
    assert_same(own, network)


def test_a_model_may_be_saved_over_the_file_that_it_is_mapped_from(
    small: GPT2, folder: Path
) -> None:
    network = loaded(folder)
    save_model(network, folder)
    assert_same(network, small)
    assert_same(loaded(folder), small)


def test_our_safetensors_are_those_of_the_library(tmp_path: Path) -> None:
    tensors = {
        "b": torch.arange(3, dtype=torch.bfloat16),
        "a": torch.ones(2, 3),
        "turned": torch.arange(6.0).reshape(2, 3).t(),
        "step": torch.tensor(4),
        "none": torch.zeros(0, 2),
    }
    digest = save_tensors(tensors, tmp_path / "ours.safetensors")
    plain = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(plain, tmp_path / "theirs.safetensors", metadata={"format": "pt"})
    ours = read_safetensors(tmp_path / "ours.safetensors")
    for name, tensor in load_file(tmp_path / "theirs.safetensors").items():
        assert ours[name].dtype == tensor.dtype
        assert torch.equal(ours[name], tensor)
    assert len(digest) == 64


# OpenAI's release


def test_openais_folder_comes_in_bitwise(small: GPT2, tokenizer: Tokenizer, tmp_path: Path) -> None:
    source = openai_folder(small, tmp_path / "124M", tokenizer)
    assert_same(loaded(source), small)
    manifest = import_model(source, tmp_path / "in", ImportConfig())
    assert manifest.facts["kind"] == "OpenAI's TensorFlow checkpoint"
    assert_same(loaded(tmp_path / "in"), small)
    assert load_tokenizer(tmp_path / "in").tokens == tokenizer.tokens


def test_a_variable_of_the_wrong_shape_is_named_as_tensorflow_names_it(
    small: GPT2, tmp_path: Path
) -> None:
    source = openai_folder(small, tmp_path / "124M")
    (source / "hparams.json").write_text(
        '{"n_vocab": 300, "n_ctx": 16, "n_embd": 32, "n_head": 2, "n_layer": 2}'
    )
    with pytest.raises(
        InputError, match=r"tensor model/wte is of shape \(300, 64\), expected \(300, 32\)"
    ):
        loaded(source)


def test_without_the_file_checkpoint_the_only_index_is_taken(small: GPT2, tmp_path: Path) -> None:
    source = openai_folder(small, tmp_path / "124M")
    (source / "checkpoint").unlink()
    assert_same(loaded(source), small)
    shutil.copy(source / "model.ckpt.index", source / "other.index")
    with pytest.raises(InputError, match=r"2 files \*.index and no file `checkpoint`"):
        loaded(source)


# nanoGPT


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
def test_nanogpts_checkpoint_comes_in_bitwise(
    small: GPT2, tokenizer: Tokenizer, tmp_path: Path, prefix: str
) -> None:
    path = nanogpt_checkpoint(small, tmp_path / "ckpt.pt", prefix=prefix)
    tokenizer.save(tmp_path / "vocabulary")
    assert_same(loaded(path), small)
    assert_same(loaded(tmp_path), small)
    manifest = import_model(
        path, tmp_path / "in", ImportConfig(), tokenizer=tmp_path / "vocabulary"
    )
    assert_same(loaded(tmp_path / "in"), small)
    assert [note[:26] for note in manifest.facts["notes"]] == [
        "nanoGPT's GELU is exact (i", "the model has 300 ids, 22 ",
    ]  # fmt: skip


def test_biases_that_nanogpt_has_not_are_zeros(
    small: GPT2, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = loaded(nanogpt_checkpoint(small, tmp_path / "ckpt.pt", bias=False))
    assert network.h[1].mlp.c_fc.bias.abs().max() == 0
    assert network.ln_f.bias.shape == (64,)
    assert torch.equal(network.h[1].mlp.c_fc.weight, small.h[1].mlp.c_fc.weight)
    assert "trained without biases; they are zeros here" in caplog.text


def test_a_padded_vocabulary_is_kept_and_cut_when_asked(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    shape = Architecture(layers=1, width=64, heads=1, context=8, vocab_size=50_304)
    padded = GPT2(shape).initialise(0)
    path = nanogpt_checkpoint(padded, tmp_path / "ckpt.pt")
    tokenizer.save(tmp_path / "vocabulary")
    kept = import_model(path, tmp_path / "in", ImportConfig(), tokenizer=tmp_path / "vocabulary")
    assert any("which are kept; `wellread import --vocab-size 50257`" in note
               for note in kept.facts["notes"])  # fmt: skip
    assert_same(loaded(tmp_path / "in"), padded)
    config = ImportConfig(vocab_size=50_257)
    import_model(path, tmp_path / "cut", config, tokenizer=tmp_path / "vocabulary")
    cut = loaded(tmp_path / "cut")
    assert cut.config.vocab_size == 50_257
    assert torch.equal(cut.wte.weight, padded.wte.weight[:50_257])
    with pytest.raises(InputError, match="has 50304 ids; expected at most those"):
        import_model(path, tmp_path / "no", ImportConfig(vocab_size=60_000))


def test_a_fork_of_nanogpt_with_another_network_is_refused(small: GPT2, tmp_path: Path) -> None:
    path = nanogpt_checkpoint(small, tmp_path / "ckpt.pt", use_relu=True)
    with pytest.raises(InputError, match=r"model_args.use_relu is True; nanoGPT has no such"):
        loaded(path)


def test_another_pt_file_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "ckpt.pt")
    with pytest.raises(InputError, match="has the keys state_dict; expected model and model_args"):
        loaded(tmp_path / "ckpt.pt")


def test_a_model_without_tokenizer_asks_for_one(small: GPT2, tmp_path: Path) -> None:
    path = nanogpt_checkpoint(small, tmp_path / "ckpt.pt")
    with pytest.raises(
        InputError, match=r"no tokenizer here; .*; or name a folder with --tokenizer"
    ):
        import_model(path, tmp_path / "in", ImportConfig())
    assert not (tmp_path / "in").exists()


# Export


def test_an_export_is_a_plain_gpt2_with_tokenizer_and_card(
    small: GPT2, folder: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    manifest = export_model(folder, out, ExportConfig())
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md", "config.json", "generation_config.json", "manifest.json", "merge_counts.txt",
        "merges.txt", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    ]  # fmt: skip
    assert manifest.outputs["model.safetensors"].num_bytes > 400_000
    config = msgspec.json.decode((out / "config.json").read_bytes())
    assert "wellread" not in config
    assert config["eos_token_id"] == 277
    assert AutoTokenizer.from_pretrained(out)("lower newest")["input_ids"] == (
        tokenizer.encode("lower newest").tolist()
    )
    theirs = AutoModelForCausalLM.from_pretrained(out)
    assert theirs.generation_config.eos_token_id == 277
    assert torch.equal(theirs.transformer.wte.weight, small.wte.weight)
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert "| parameters | 120,320 |" in card
    assert "| licence | unknown |" in card
    assert "| corpus | unknown |" in card
    assert_same(loaded(out), small)


def test_an_untied_head_is_exported_and_comes_back(tokenizer: Tokenizer, tmp_path: Path) -> None:
    shape = msgspec.structs.replace(SHAPE, tied_head=False)
    network = GPT2(shape).initialise(0)
    (tmp_path / "ours").mkdir()
    save_model(network, tmp_path / "ours")
    tokenizer.save(tmp_path / "ours")
    assert_same(loaded(tmp_path / "ours"), network)
    export_model(tmp_path / "ours", tmp_path / "out", ExportConfig())
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert torch.equal(theirs.lm_head.weight, network.lm_head.weight)
    assert not torch.equal(theirs.lm_head.weight, theirs.transformer.wte.weight)
    theirs.save_pretrained(tmp_path / "again")
    assert_same(loaded(tmp_path / "again"), network)


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ({"norm": "post"}, "norm is 'post' and final_norm true"),
        ({"final_norm": False}, "norm is 'pre' and final_norm false"),
    ],
)
def test_what_gpt2_cannot_express_keeps_its_switches_and_is_not_exported(
    tokenizer: Tokenizer, tmp_path: Path, switches: dict[str, Any], said: str
) -> None:
    shape = msgspec.structs.replace(SHAPE, **switches)
    network = GPT2(shape).initialise(0)
    (tmp_path / "ours").mkdir()
    save_model(network, tmp_path / "ours")
    tokenizer.save(tmp_path / "ours")
    assert_same(loaded(tmp_path / "ours"), network)
    with pytest.raises(InputError, match=f"{said}, which Hugging Face's gpt2 cannot express"):
        export_model(tmp_path / "ours", tmp_path / "out", ExportConfig())
    # Nor does transformers take the folder for a gpt2.
    with pytest.raises(ValueError, match="wellread"):
        AutoModelForCausalLM.from_pretrained(tmp_path / "ours")


def test_how_residual_weights_began_is_kept(tmp_path: Path) -> None:
    network = GPT2(msgspec.structs.replace(SHAPE, residual_scaling=False)).initialise(0)
    save_model(network, tmp_path)
    assert not loaded(tmp_path).config.residual_scaling


def test_an_export_onto_the_model_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"the model itself, .* is there; give another --out"):
        export_model(folder, folder, ExportConfig())


def test_an_import_again_does_nothing(folder: Path, tmp_path: Path) -> None:
    first = import_model(folder, tmp_path / "in", ImportConfig())
    again = import_model(folder, tmp_path / "in", ImportConfig())
    assert again.finished_at == first.finished_at
    assert read_manifest(tmp_path / "in").inputs["source"][0].path == str(folder.resolve())


# Names


def test_a_name_of_the_hub_is_found_in_its_cache(small: GPT2, folder: Path, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--openai-community--gpt2"
    snapshot = repository / "snapshots" / "607a30d783dfa663caf39e06633721c8d4cfcd7e"
    snapshot.parent.mkdir(parents=True)
    shutil.copytree(folder, snapshot)
    assert locate("gpt2", hub_cache=tmp_path / "hub") == snapshot
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(snapshot.name)
    assert locate("gpt2", hub_cache=tmp_path / "hub") == snapshot
    assert locate("openai-community/gpt2", hub_cache=tmp_path / "hub") == snapshot


def test_a_name_that_is_nowhere_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`hf download openai-community/gpt2`$"):
        locate("gpt2", hub_cache=tmp_path)
    with pytest.raises(InputError, match="there is no such file or folder; name a training run"):
        locate("/nowhere/at/all", hub_cache=tmp_path)


def test_a_training_without_a_checkpoint_yet_is_told_from_a_folder_without_a_model(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    with writing(run, stage="train", config=Config(), inputs={}) as draft:
        with pytest.raises(InputError, match=r"run: no checkpoint yet; the training saves one ev"):
            load_model(run)
        (run / "checkpoints" / ".step-0000010.partial").mkdir(parents=True)
        with pytest.raises(InputError, match="no checkpoint yet"):
            load_model(run)
        draft.write("metrics.jsonl", b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no model here; expected a training run"):
        load_model(tmp_path / "empty")


def test_import_and_export_are_commands(folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "home" / "hub" / "models--some--model" / "snapshots" / "abc"
    shutil.copytree(folder, snapshot)

    def wellread(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wellread", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"HF_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        )

    done = wellread("import", "some/model", "-o", "in", "--dtype", "bfloat16")
    assert (done.returncode, done.stdout) == (0, "in\n"), done.stderr
    assert "wellread: 120,320 parameters, bfloat16" in done.stderr
    done = wellread("export", "in", "-o", "out")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert "| weights | bfloat16 |" in (tmp_path / "out" / "README.md").read_text()
    done = wellread("export", "other/model", "-o", "out2")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "`hf download other/model`" in done.stderr
    done = wellread("import", "in", "-o", "out3", "--dtype", "int8")
    assert done.returncode == 2
    assert "int8" in done.stderr
