"""Maskwright for GIMP 3.

``procedures`` says what there is, as plain data; ``register`` tells GIMP. A call goes ``run_procedure`` -> ``options``
(from arguments to messages) -> ``blocking_client`` (the server, with IO in a thread) -> ``outcome`` -> ``results``.
``image_source`` alone reads an image, ``image_edits`` alone changes one. The dialogs are loaded by interactive calls
only, and ask through ``async_client``.
"""
