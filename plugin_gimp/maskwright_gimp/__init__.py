"""Maskwright for GIMP 3.

``procedures`` says what there is, as plain data; ``register`` tells GIMP. A call goes ``calls`` -> ``options`` (from
arguments to messages) -> ``asking`` (the server, with IO in a thread) -> ``results`` -> ``editor``, which alone reads
or changes an image. ``dialogs``, ``click_dialog`` and ``server_dialog`` are loaded by interactive calls only.
"""
