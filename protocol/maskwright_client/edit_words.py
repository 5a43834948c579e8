"""The words by which ``edits`` knows a change: English, German, French, Spanish, Japanese and Chinese."""

from typing import Dict, Tuple


def _words(text: str) -> Tuple[str, ...]:
    """Phrases with commas between, longer ones first."""
    found = (" ".join(one.split()) for one in text.replace("\n", ",").split(","))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


# What comes before the thing that is meant.
ALSO = _words("""
    also, and also, and, plus, add, include, with, as well as, together with, select also
    auch, und auch, und, dazu, sowie, mit
    aussi, et aussi, et, ajoute, ajouter, avec
    también, y también, y, añade, añadir, con
    さらに, それと, あと, 还有, 加上, 也选
""")
WITHOUT = _words("""
    without, but without, but not, except for, except, minus, not, remove, leave out, exclude, subtract, take away
    ohne, aber ohne, aber nicht, außer, nicht, kein, keine, keinen
    sans, mais pas, sauf, pas, enlève, enlever
    sin, pero no, menos, salvo, quita, quitar
    不要, 去掉, 除了, 减去
""")
ONLY = _words("""
    only, just, keep only, only keep, nothing but
    nur, behalte nur, seulement, uniquement, ne garde que
    solo, sólo, solamente, 只要, 只留, 只选
""")
# What comes after it.
ALSO_AFTER = _words("too, as well, also, auch, aussi, también, も, 也要")
WITHOUT_AFTER = _words("を除いて, を除く, はなし, なし, 以外")
ONLY_AFTER = _words("only, だけ, のみ")

TIGHTER = _words("""
    tighter, smaller, narrower, shrink, contract, enger, kleiner, knapper
    plus serré, plus petit, más ajustado, más pequeño, もっと小さく, 小さく, 狭く, 更紧, 紧一点, 小一点
""")
LOOSER = _words("""
    looser, larger, bigger, wider, grow, expand, weiter, größer, lockerer
    plus large, plus grand, más amplio, más grande, もっと大きく, 大きく, 広く, 更大, 大一点, 松一点
""")
SOFTER = _words("""
    softer, soften, blurrier, weicher, plus doux, más suave, 柔らかく, ぼかして, ぼかす, 更柔, 柔一点
""")
HARDER = _words("""
    harder, sharper, crisper, harden, sharpen, härter, schärfer, plus net, plus dur, más nítido, más duro
    硬く, シャープに, 更硬, 更锐
""")
SMOOTHER = _words("smoother, rounder, glatter, runder, plus lisse, más liso, 滑らかに, 更平滑, 平滑一点")
# Things have these names too: they count only where the sentence says how many pixels.
FEATHER, SMOOTH = _words("feather, weichzeichnen"), _words("smooth, glätten")
INVERT = _words("""
    invert, invert it, inverse, the opposite, everything else, the rest, all but that, umkehren, alles andere, der rest
    inverser, tout le reste, invertir, todo lo demás, 反転, それ以外, 反选
""")
LITTLE = _words("""
    a bit, a little, a little bit, slightly, a touch, etwas, ein wenig, ein bisschen, leicht
    un peu, légèrement, un poco, ligeramente, 少し, ちょっと, 稍微
""")
MUCH = _words("much, a lot, far, way, viel, deutlich, beaucoup, bien, mucho, かなり, ずっと, 很多, 大幅")
FILLER = _words("""
    make it, make them, make this, make the selection, please, the selection, selection
    the edges, the edge, edges, edge, by, it, now, mach es, bitte, um, rends-le, hazlo, de
""")
ARTICLES = _words("""
    the, a, an, some, any, his, her, their, its, der, die, das, den, dem, ein, eine, einen
    le, la, les, un, une, des, el, los, las, una
""")
ONE = _words("one, ones, thing, object, celui, celle")

# Words for one of several things -> by which value it is picked, and whether the largest or the smallest.
PICKS: Dict[str, Tuple[str, bool]] = {
    **dict.fromkeys(_words("largest, biggest, größte, größten, plus grand, más grande"), ("area", True)),
    **dict.fromkeys(_words("smallest, kleinste, kleinsten, plus petit, más pequeño"), ("area", False)),
    **dict.fromkeys(_words("left, leftmost, linke, linken, gauche, izquierda"), ("x", False)),
    **dict.fromkeys(_words("right, rightmost, rechte, rechten, droite, derecha"), ("x", True)),
    **dict.fromkeys(_words("top, upper, uppermost, obere, oberste"), ("y", False)),
    **dict.fromkeys(_words("bottom, lower, lowest, front, nearest, untere, unterste, vordere"), ("y", True)),
}
