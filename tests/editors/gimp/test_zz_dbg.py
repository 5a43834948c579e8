import numpy as np
from .test_kinds import *
def test_dbg(image, client, photo):
    image.run("""
        effect = Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "invert")
        layer.append_filter(effect)
        c = layer.copy(); n = len(c.get_filters()); c.merge_filters()
        b = c.get_buffer()
    """)
    print(image.run("out = n, c.get_width(), c.get_height(), c.get_offsets()[1:], native(c), c.has_alpha()"))
    d = as_bytes(image, "c", "R'G'B' u8", np.uint8, 3)
    print(np.abs(d.astype(int) - (255 - photo)).max(), d[0,0], photo[0,0])
    r = image.call("maskwright-click-to-select", include="240,250").ok(); print(r.report)
    got = selected(image); exp = plane(click(client, Pixels(255 - photo)), WIDTH, HEIGHT)
    print(np.abs(got.astype(int)-exp).max(), (got!=exp).sum())
    assert 0
