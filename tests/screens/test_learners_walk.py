"""The start block as a learner takes it, key by key: what is to be seen and read at each."""

from __future__ import annotations

from tests.driver import Bench, LooksAsStored, OpenBench
from tests.specs import EXACT
from tui.views.steps.view import StepsView

WALK: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("2", "as it is", ("has the fused kernel's size already", "w3, b3 = conv3.weight, conv3.bias")),
    ("n", "1×1 to 3×3", ("the weight goes there, and the 8 neighbours get 0", "F.pad(w1, [1, 1, 1, 1])")),
    ("n", "identity to 3×3", ("a single 1, at its centre (1,1): a Dirac kernel", "wi = nn.init.dirac_(")),
    ("n", "kernels added", ("Convolution is linear", "kxk 1 + 1x1 -2 + identity 1 = 0", "w = w3 + w1 + wi")),
    ("n", "biases added", ("So they are one bias: their sum", "bias[0]: kxk 0 + 1x1 1 = 1", "b = b3 + b1")),
    (
        "n",
        "both sides run",
        ("unfused", "fused − unfused in float32 = 0", "torch.allclose(fused, block(x)", "# True"),
    ),
)
"""Each key, the step of the way that it leads to, and what must be read there."""


async def words_on(bench: Bench) -> str:
    """All that is written on the screen beside the form, in one line."""
    await bench.picture()
    strips = bench.app.screen._compositor.render_strips()
    lines = ("".join(segment.text for segment in strip)[27:] for strip in strips)
    written = " ".join(line.rpartition("│")[2] for line in lines)
    return " ".join(written.split())


async def test_the_walk(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        read = await words_on(bench)
        for words in ("k×k conv", "+ 1×1 conv, as 3×3", "+ identity, as 3×3", "= fused 3×3 conv"):
            assert words in read
        await looks_as_stored(bench)
        for key, title, wanted in WALK:
            await bench.press(key)
            await bench.until(lambda: bench.app.bench.query_one(StepsView).step is not None, "the steps")
            view = bench.app.bench.query_one(StepsView)
            read = await words_on(bench)
            assert view.step is not None
            assert view.step.title == title
            for words in (*wanted, "✓ holds"):
                assert words in read, (title, words, read)
            await looks_as_stored(bench)
        await bench.press("6", "down")
        await bench.until(lambda: bench.app.preview is not None, "a preview of the mistake")
        await looks_as_stored(bench)
        await bench.press("enter")
        await bench.until(lambda: bench.app.study is not None and bool(bench.app.study.alterations.mistake))
        read = await words_on(bench)
        assert "wrong" in read
        await looks_as_stored(bench)
        await bench.press("u")
        await bench.until(lambda: bench.app.study is not None and not bench.app.study.alterations.mistake)
        assert "exact" in await words_on(bench)
