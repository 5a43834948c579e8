"""Everything that touches Krita's API, its Qt, its event loop and the language it speaks. The rest of the plugin knows
documents and layers only through this package.

libkis is called on the GUI thread only. What is written to a document is prepared on nodes and selections that are
not part of it yet, so that the document changes in one last call.
"""
