"""The cache's budgets: least recent first out, and from a device to main memory and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from maskwright.models.roles import Embedding
from maskwright.recipes.job.cache import EmbeddingCache, device_of, moved


@dataclass(frozen=True)
class Block:
    """What a tensor is to the cache: it lies somewhere and can be brought elsewhere."""

    name: str
    device: str = "card:0"

    def to(self, device: str) -> Block:
        return Block(self.name, device)


def embedding(name: str, nbytes: int, device: str = "card:0") -> Embedding:
    data = {"image": Block(name, device), "fine": Block(name, device)}
    return Embedding(name, (4, 5), data, nbytes)


def where(value: Embedding) -> set[str]:
    return {block.device for block in value.data.values()}


def test_the_least_recent_goes_first():
    cache = EmbeddingCache(100)
    for name in "abc":
        cache.put(name, np.zeros(1), 40)
    assert ("a" in cache, "b" in cache, "c" in cache, cache.used) == (False, True, True, 80)
    cache.get("b")
    cache.put("d", "text", 40)
    assert ("b" in cache, "c" in cache) == (True, False)
    cache.put("huge", "text", 101)
    assert "huge" not in cache
    cache.put("b", "smaller", 1)
    assert cache.used == 41
    cache.clear()
    assert (len(cache), cache.used) == (0, 0)


def test_a_full_device_spills_to_main_memory_and_takes_back_what_is_used():
    cache = EmbeddingCache(budget=100, device_budget=100)
    for name in "abc":
        cache.put(name, embedding(name, 40), 40)
    assert (cache.device_used, cache.used, len(cache)) == (80, 40, 3)
    back = cache.get("a")
    assert back is not None
    assert where(back) == {"card:0"}
    assert (list(back.data), back.image_size) == (["image", "fine"], (4, 5))
    assert (cache.device_used, cache.used) == (80, 40)  # b made room
    for name in "defg":
        cache.put(name, embedding(name, 40), 40)
    assert (cache.device_used, cache.used) == (80, 80)
    assert [name for name in "abcdefg" if name in cache] == list("defg")


def test_memory_that_is_short_is_given_back():
    cache = EmbeddingCache(100, 100)
    cache.put("a", embedding("a", 40), 40)
    cache.put("b", np.zeros(2), 10)
    cache.free()
    assert (cache.device_used, cache.used) == (0, 50)
    cache.free()
    assert len(cache) == 0
    cache.put("wide", embedding("wide", 150), 150)
    assert "wide" not in cache


def test_a_value_too_large_for_the_device_lies_in_main_memory():
    cache = EmbeddingCache(budget=100, device_budget=30)
    cache.put("a", embedding("a", 40), 40)
    assert (cache.device_used, cache.used) == (0, 40)
    back = cache.get("a")
    assert back is not None
    assert where(back) == {"card:0"}
    assert (cache.device_used, cache.used) == (0, 40)


def test_real_tensors():
    torch = pytest.importorskip("torch")
    value = Embedding("m", (2, 3), {"a": torch.arange(6.0), "b": torch.ones(2)}, 32)
    assert device_of(value) == "cpu"
    other = moved(value, "meta")
    assert device_of(other) == "meta"
    assert value.data["a"].device.type == "cpu"
    assert other.data["b"].device.type == "meta"
    if torch.cuda.is_available():
        cache = EmbeddingCache(1000, 40)
        for name in "xy":
            cache.put(name, moved(value, "cuda:0"), 32)
        back = cache.get("x")
        assert back is not None
        assert device_of(back) == "cuda:0"
        assert torch.equal(back.data["a"].cpu(), value.data["a"])
