"""The network of the shipped language model: a small Llama in torch, saved as the checkpoint folder that other tools read.

RMSNorm, rotary positions, grouped-query attention, SwiGLU. Names of the weights are those of Hugging Face's LlamaForCausalLM.

A model of this size needs hundreds of millions of tokens before it learns by itself to quote what it has read. So it begins able to:
the first two layers are initialised as the circuit that copying is made of (Olsson et al., "In-context learning and induction heads",
2022). Heads of the first layer attend one and two tokens back and note what was there; heads of the second look for places whose two
tokens before are those at hand, and pass on what came next. Everything is trained from there on.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

TEMPLATE = (
    "{% for message in messages %}<|{{ 'answer' if message.role == 'assistant' else message.role }}|>{{ message.content }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|answer|>{% endif %}"
)
SPECIAL = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|answer|>")  # tokens 0 to 4
PAD, END = 0, 1


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    vocab_size: int = 3072
    hidden_size: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    intermediate_size: int = 704
    context: int = 1024
    theta: float = 1_000_000.0  # the slow half of a head hardly turns over a whole prompt: tokens are matched there
    epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        """Return the width of one head."""
        return self.hidden_size // self.heads


SIZES = {"small": Shape(), "large": Shape(hidden_size=512, layers=10, heads=8, kv_heads=4, intermediate_size=1408)}


class Norm(nn.Module):
    """Root mean square normalisation (Zhang and Sennrich, 2019)."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


class Attention(nn.Module):
    """Causal attention; several query heads share a key and a value."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        size, narrow = shape.hidden_size, shape.kv_heads * shape.head_size
        self.q_proj = nn.Linear(size, size, bias=False)
        self.k_proj = nn.Linear(size, narrow, bias=False)
        self.v_proj = nn.Linear(size, narrow, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attend within each row; padding on the right is seen by padding only."""
        rows, length, _ = x.shape
        size = self.shape.head_size
        q = self.q_proj(x).view(rows, length, self.shape.heads, size).transpose(1, 2)
        k = self.k_proj(x).view(rows, length, self.shape.kv_heads, size).transpose(1, 2)
        v = self.v_proj(x).view(rows, length, self.shape.kv_heads, size).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        share = self.shape.heads // self.shape.kv_heads
        k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(rows, length, -1))


class Feed(nn.Module):
    """SwiGLU (Shazeer, 2020)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position."""
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention, then feed, each behind a norm and added."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape.hidden_size, shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.hidden_size, shape.epsilon)
        self.mlp = Feed(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Transform (rows, length, hidden)."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """The whole network: tokens (rows, length) to logits (rows, length, vocab)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.hidden_size, shape.epsilon)
        self.lm_head = nn.Linear(shape.hidden_size, shape.vocab_size, bias=False)
        angles = torch.outer(
            torch.arange(shape.context).float(),
            shape.theta ** (-torch.arange(0, shape.head_size, 2).float() / shape.head_size),
        )
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = (
                    0.02 / (2 * shape.layers) ** 0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 0.02
                )
                nn.init.normal_(weight, std=scale * 2)
        prepare_to_copy(self)

    def states(self, tokens: Tensor) -> Tensor:
        """Return the last layer's states, (rows, length, hidden)."""
        x = self.embed_tokens(tokens)
        length = tokens.shape[1]
        for layer in self.layers:
            x = layer(x, self.cos[:length], self.sin[:length])
        return self.norm(x)

    def head(self, states: Tensor) -> Tensor:
        """Return the logits of the next token, (..., vocab)."""
        return self.lm_head(states)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits after every token."""
        return self.head(self.states(tokens))

    def save(self, folder: Path) -> None:
        """Write config.json, generation_config.json and model.safetensors, as LlamaForCausalLM has them."""
        folder.mkdir(parents=True, exist_ok=True)
        shape = asdict(self.shape)
        config = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": shape["vocab_size"],
            "hidden_size": shape["hidden_size"],
            "num_hidden_layers": shape["layers"],
            "num_attention_heads": shape["heads"],
            "num_key_value_heads": shape["kv_heads"],
            "head_dim": self.shape.head_size,
            "intermediate_size": shape["intermediate_size"],
            "max_position_embeddings": shape["context"],
            "rms_norm_eps": shape["epsilon"],
            "rope_theta": shape["theta"],
            "hidden_act": "silu",
            "tie_word_embeddings": False,
            "attention_bias": False,
            "mlp_bias": False,
            "bos_token_id": None,
            "eos_token_id": END,
            "pad_token_id": PAD,
            "dtype": "float32",
        }
        write_json(folder / "config.json", config)
        write_json(folder / "generation_config.json", {"eos_token_id": END, "pad_token_id": PAD, "do_sample": False})
        weights = {
            name if name.startswith("lm_head") else f"model.{name}": weight.detach().contiguous().cpu()
            for name, weight in self.named_parameters()
        }
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


NEAR = 6  # pairs of a head, the fastest ones, by which it finds the place one or two tokens back
SHARP_NEAR, SHARP_MATCH, HEARD, SAID = 0.75, 1.5, 0.8, 0.2  # how strongly: places, matches, what is passed on, the head


@torch.no_grad()
def prepare_to_copy(network: Llama) -> None:
    """Initialise the first two layers as a copying circuit, in parts of the hidden state of their own.

    Parts: 8 constants; the token; the one before; the one before that; what came next elsewhere. On random sequences said twice, nine of
    ten tokens of the second time are right before any training.
    """
    shape = network.shape
    size, half = shape.head_size, shape.head_size // 2
    width = min(size, (shape.hidden_size - 32) // 4)
    constant = slice(0, 8)
    token, before, earlier, after = (slice(8 + place * width, 8 + (place + 1) * width) for place in range(4))
    turns = shape.theta ** (-torch.arange(half).float() / half)
    embedding = network.embed_tokens.weight
    nn.init.normal_(embedding, std=0.02)
    embedding[:, constant] = 1.0
    embedding[:, token] = torch.randn(shape.vocab_size, width)
    keep = torch.eye(width)
    share = shape.heads // shape.kv_heads
    slow = [*range(half // 2, half), *range(half + half // 2, size)]
    for group, back, place in ((0, 1, before), (1, 2, earlier)):
        q, k, v, o = _head(network.layers[0].self_attn, group * share, group)
        q[:NEAR, constant] = SHARP_NEAR
        k[:NEAR, constant] = SHARP_NEAR * torch.cos(back * turns[:NEAR])[:, None]
        k[half : half + NEAR, constant] = SHARP_NEAR * torch.sin(back * turns[:NEAR])[:, None]
        v[:width, token] = 0.5 * keep
        o[place, :width] = keep
        q, k, v, o = _head(network.layers[1].self_attn, group * share, group)
        match = SHARP_MATCH * torch.linalg.qr(torch.randn(2 * width, 2 * width))[0][: len(slow)]
        q[slow, token], q[slow, before] = match[:, :width], match[:, width:]
        k[slow, before], k[slow, earlier] = match[:, :width], match[:, width:]
        v[:width, token] = HEARD * keep
        o[after, :width] = 0.5 * keep
    network.lm_head.weight[:, after] = SAID * embedding[:, token]


def _head(attention: Attention, head: int, group: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return a head's own parts of q, k, v and o, emptied."""
    size = attention.shape.head_size
    parts = (
        attention.q_proj.weight[head * size : (head + 1) * size],
        attention.k_proj.weight[group * size : (group + 1) * size],
        attention.v_proj.weight[group * size : (group + 1) * size],
        attention.o_proj.weight[:, head * size : (head + 1) * size],
    )
    for part in parts:
        part.zero_()
    return parts


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs of channels by their position (Su et al., 2021), the halves of a head forming the pairs."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


def write_json(path: Path, content: object) -> None:
    """Write JSON, indented."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
